package deploy

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// series are values of metrics of one node, one for each minute, in promtool's form: START+STEPxTIMES.
type series map[string]string

// healthy is a node that leads a cluster of three and has no trouble.
var healthy = series{
	`creditd_api_authentication_refusals_total`: "0+0x", `creditd_api_failed_authentications_total`: "0+0x",
	`creditd_api_build_info{version="v1"}`:     "1+0x",
	`creditd_api_requests_total{status="200"}`: "0+6000x", `creditd_api_requests_total{status="408"}`: "0+0x",
	`creditd_api_requests_total{status="429"}`: "0+0x", `creditd_api_requests_total{status="503"}`: "0+0x",
	`creditd_backup_failures_total`: "0+0x", `creditd_backup_interval_seconds`: "900+0x", `creditd_backup_last_success_timestamp_seconds`: "0+60x",
	`creditd_certificate_files_unusable{port="http"}`:           "0+0x",
	`creditd_certificate_not_after_seconds{certificate="http"}`: "31536000+0x",
	`creditd_clock_fit`: "1+0x", `creditd_clock_log_time_ahead_seconds`: "0+0x",
	`creditd_entry_stage_seconds_bucket{stage="fsync",le="0.004"}`: "0+600x", `creditd_entry_stage_seconds_bucket{stage="fsync",le="1"}`: "0+600x",
	`creditd_entry_stage_seconds_bucket{stage="fsync",le="+Inf"}`: "0+600x",
	`creditd_gossip_refused_packets_total`:                        "0+0x",
	`creditd_http_connections`:                                    "64+0x", `creditd_http_connections_limit`: "1000+0x",
	`creditd_http_tls_handshakes_failed_total`: "0+0x", `creditd_http_tls_handshakes_refused_total`: "0+0x",
	`creditd_ledger_outcomes`: "10+0x", `creditd_ledger_outcomes_limit`: "100+0x",
	`creditd_ledger_ratelimit_windows`: "10+0x", `creditd_ledger_ratelimit_windows_limit`: "100+0x",
	`creditd_ledger_replay_seconds`: "1+0x", `creditd_ledger_replay_seconds_limit`: "1+0x",
	`creditd_memory_short`:                    "0+0x",
	`creditd_node_ready`:                      "1+0x",
	`creditd_peer_certificates_refused_total`: "0+0x", `creditd_peer_refused_connections_total`: "0+0x",
	`creditd_raft_leader`: "1+0x", `creditd_raft_leader_changes_total`: "1+0x",
	`creditd_raft_peer_healthy{peer="b"}`: "1+0x", `creditd_raft_peer_lag_entries{peer="b"}`: "3+0x",
	`creditd_raft_voters`: "3+0x", `creditd_raft_voters_healthy`: "3+0x", `creditd_raft_voters_needed`: "2+0x",
	`creditd_store_free_bytes`: "9000+0x", `creditd_store_reserve_bytes`: "1000+0x", `creditd_store_no_room`: "0+0x",
	`creditd_trace_spans_total{outcome="delivered"}`: "0+60x", `creditd_trace_spans_total{outcome="failed"}`: "0+0x",
	`creditd_workspace_limit{kind="keys"}`: "100+0x", `creditd_workspace_used{kind="keys"}`: "10+0x",
	`process_max_fds`: "1000+0x", `process_open_fds`: "10+0x", `process_start_time_seconds`: "1+0x",
}

// stopped is a series that ends: Prometheus gets nothing any more.
const stopped = "1+0x40 stale"

// troubles are what differs from a healthy node, and the alerts that fire then.
var troubles = []struct {
	change series
	fire   string
}{
	{series{}, ""},
	{series{`creditd_node_ready`: stopped, `creditd_raft_leader`: stopped}, "NoNodeAnswers"},
	{series{`creditd_raft_leader`: "0+0x"}, "NoLeader"},
	{series{`creditd_raft_voters_healthy`: "2+0x"}, "NoSpareVoter VoterDown"},
	{series{`creditd_raft_voters`: "5+0x", `creditd_raft_voters_needed`: "3+0x", `creditd_raft_voters_healthy`: "4+0x"}, "VoterDown"},
	{series{`creditd_raft_voters_healthy`: "3+0x75 2+0x3 3+0x"}, ""}, // a restart
	{series{`creditd_node_ready`: "0+0x"}, "NodeNotReady"},
	{series{`process_start_time_seconds`: "0+60x"}, "NodeRestarts"},
	{series{`creditd_raft_peer_lag_entries{peer="b"}`: "20000+0x"}, "PeerLags"},
	{series{`creditd_raft_peer_healthy{peer="b"}`: "0+0x"}, "PeerUnhealthy"},
	{series{`creditd_raft_leader_changes_total`: "0+1x"}, "LeaderChanges"},
	{series{`creditd_store_no_room`: "1+0x", `creditd_store_free_bytes`: "900+0x"}, "DiskFull DiskNearlyFull"},
	{series{`creditd_store_no_room`: "1+0x", `creditd_store_no_room{instance="b"}`: "1+0x"}, "DisksFull DiskFull"},
	{series{`creditd_store_free_bytes`: "2000+0x"}, "DiskNearlyFull"},
	{series{`creditd_entry_stage_seconds_bucket{stage="fsync",le="0.004"}`: "0+500x"}, "SlowDisk"},
	{series{`creditd_clock_fit`: "0+0x"}, "ClockUnfit"},
	{series{`creditd_clock_log_time_ahead_seconds`: "60+0x"}, "LogTimeAhead"},
	{series{`creditd_api_requests_total{status="503"}`: "0+100x"}, "ServerErrors"},
	{series{`creditd_api_requests_total{status="408"}`: "0+1x"}, "UnknownOutcomes"},
	{series{`creditd_api_requests_total{status="429"}`: "0+100x"}, "Overload"},
	{series{`creditd_ledger_outcomes`: "90+0x"}, "IdempotencyStoreNearlyFull"},
	{series{`creditd_ledger_ratelimit_windows`: "90+0x"}, "RatelimitWindowsNearlyFull"},
	{series{`creditd_backup_failures_total`: "0+1x"}, "BackupsFail"},
	{series{`creditd_backup_last_success_timestamp_seconds`: "0+0x"}, "BackupTooOld"},
	{series{`creditd_memory_short`: "1+0x"}, "MemoryShort"},
	{series{`creditd_ledger_replay_seconds`: "9+0x"}, "SnapshotsFallBehind"},
	{series{`creditd_certificate_not_after_seconds{certificate="http"}`: "864000+0x"}, "CertificateEnds"},
	{series{`creditd_certificate_not_after_seconds{certificate="http"}`: "60+0x"}, "CertificateEnded CertificateEnds"},
	{series{`creditd_certificate_files_unusable{port="http"}`: "1+0x"}, "CertificateFilesUnusable"},
	{series{`creditd_peer_certificates_refused_total`: "0+0x70 1+0x"}, "PeerCertificatesRefused"},
	{series{`creditd_peer_refused_connections_total`: "0+12x"}, "PeerConnectionsRefused"},
	{series{`creditd_gossip_refused_packets_total`: "0+12x"}, "GossipRefused"},
	{series{`creditd_http_tls_handshakes_failed_total`: "0+120x"}, "HandshakesFail"},
	{series{`creditd_http_tls_handshakes_refused_total`: "0+120x"}, "HandshakesFail"},
	{series{`creditd_api_failed_authentications_total`: "0+120x"}, "AuthenticationsFail"},
	{series{`creditd_http_connections`: "900+0x"}, "ConnectionsNearlyUsedUp"},
	{series{`process_open_fds`: "900+0x"}, "DescriptorsNearlyUsedUp"},
	{series{`creditd_trace_spans_total{outcome="failed"}`: "0+1x"}, "TracesLost"},
	{series{`creditd_workspace_used{kind="keys"}`: "95+0x"}, "WorkspaceNearlyFull"},
	{series{`creditd_api_build_info{instance="b",version="v2"}`: "1+0x"}, ""},
}

// twoBuilds fires after a day.
var twoBuilds = series{`creditd_api_build_info{instance="b",version="v2"}`: "1+0x"}

type (
	unit struct {
		Name     string         `yaml:"name"`
		Interval string         `yaml:"interval"`
		Input    []inputSeries  `yaml:"input_series"`
		Tests    []expectedTest `yaml:"promql_expr_test"`
	}
	inputSeries struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	}
	expectedTest struct {
		Expr    string           `yaml:"expr"`
		Time    string           `yaml:"eval_time"`
		Samples []expectedSample `yaml:"exp_samples"`
	}
	expectedSample struct {
		Labels string `yaml:"labels"`
		Value  int    `yaml:"value"`
	}
)

// fires is a test of promtool: after minutes of a change the alerts fire, and no other.
func fires(change series, minutes int, alerts string) (test unit) {
	test = unit{Name: fmt.Sprint(alerts, change), Interval: "1m"}
	all := maps.Clone(healthy)
	maps.Copy(all, change)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		values := all[name]
		if strings.HasSuffix(values, "x") {
			values += fmt.Sprint(minutes)
		}
		metric, labels, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
		if !strings.Contains(labels, "instance=") {
			labels += `,instance="a"`
		}
		test.Input = append(test.Input, inputSeries{fmt.Sprintf(`%s{job="creditd",%s}`, metric, strings.Trim(labels, ",")), values})
	}
	expected := expectedTest{Expr: `count by (alertname) (count by (alertname, severity) (ALERTS{alertstate="firing"}))`, Time: fmt.Sprint(minutes, "m")}
	for _, name := range strings.Fields(alerts) {
		expected.Samples = append(expected.Samples, expectedSample{fmt.Sprintf(`{alertname="Creditd%s"}`, name), 1})
	}
	test.Tests = []expectedTest{expected}
	return test
}

// TestAlerts_FireInTheirTroubleOnly: each trouble fires its alerts and no other, a healthy node none, and no alert is without a trouble.
func TestAlerts_FireInTheirTroubleOnly(t *testing.T) {
	promtool := tool(t, "promtool")
	rules, err := filepath.Abs("monitoring/alerts.yaml")
	require.NoError(t, err)
	var tests []unit
	fired := map[string]bool{"alert CreditdTwoBuilds": true}
	for _, trouble := range troubles {
		tests = append(tests, fires(trouble.change, 80, trouble.fire))
		for _, name := range strings.Fields(trouble.fire) {
			fired["alert Creditd"+name] = true
		}
	}
	day := fires(twoBuilds, 25*60, "TwoBuilds")
	for interval, tests := range map[string][]unit{"1m": tests, "10m": {day}} {
		text, err := yaml.Marshal(map[string]any{"rule_files": []string{rules}, "evaluation_interval": interval, "tests": tests})
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "troubles.yaml")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		said, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput()
		require.NoError(t, err, string(said))
	}
	for what := range expressions(t) {
		require.True(t, fired[what] || strings.HasPrefix(what, "panel "), "no trouble fires %s", what)
	}
}

// TestAlerts_HaveARowInTheHandbook: who is woken by an alert looks for its name.
func TestAlerts_HaveARowInTheHandbook(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(page), "\n## What goes wrong\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	for what := range expressions(t) {
		if name, is := strings.CutPrefix(what, "alert "); is {
			require.Contains(t, table, "`"+name+"`", "docs/operating.md says nothing of the alert")
		}
	}
}
