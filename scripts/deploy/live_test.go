package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// scraped is a Prometheus that scrapes a cluster and evaluates the alerts.
type scraped struct {
	cluster *launch.Cluster
	address string
}

const prometheusConfig = `
global: {scrape_interval: 500ms, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
- job_name: creditd
  scheme: https
  tls_config: {ca_file: %q}
  static_configs: [{targets: [%s]}]
`

// startScraped starts three nodes with everything that has metrics, and a Prometheus.
func startScraped(t *testing.T) *scraped {
	t.Helper()
	prometheus := tool(t, "prometheus")
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	t.Cleanup(collector.Close)
	dir := t.TempDir()
	binary, err := launch.Build{}.Into(t.Context(), dir)
	require.NoError(t, err)
	backups := filepath.Join(dir, "backups")
	require.NoError(t, os.Mkdir(backups, 0o700))
	cluster, err := launch.StartCluster(t.Context(), launch.Options{Binary: binary, Dir: dir, Nodes: 3, LogStore: "wal", TLS: true, Args: []string{
		"--backup-dir", backups, "--otlp-endpoint", collector.URL, "--otlp-sample-ratio", "1", "--workspace-metrics", "10",
	}})
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	addrs, err := launch.FreeAddrs(1)
	require.NoError(t, err)
	rules, err := filepath.Abs("monitoring/alerts.yaml")
	require.NoError(t, err)
	targets := strings.ReplaceAll(strings.Join(cluster.HTTPAddrs(), ","), "https://", "")
	config := filepath.Join(dir, "prometheus.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, prometheusConfig, rules, filepath.Join(dir, "certificates", "ca.crt"), targets), 0o600))
	process, err := launch.StartLogged(filepath.Join(dir, "prometheus.log"), launch.Command{Binary: prometheus, Args: []string{
		"--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "prometheus"), "--web.listen-address", addrs[0],
	}})
	require.NoError(t, err)
	t.Cleanup(process.Kill)
	return &scraped{cluster, addrs[0]}
}

// get reads an answer of Prometheus's API.
func (s *scraped) get(ctx context.Context, path string, data any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/api/v1/"+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer := struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   any    `json:"data"`
	}{Data: data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Status != "success" {
		return fmt.Errorf("%s: %s %s: %w", path, answer.Status, answer.Error, err)
	}
	return nil
}

// hasData reports whether a query has a value that is a number.
func (s *scraped) hasData(ctx context.Context, query string) (bool, error) {
	var data struct {
		Result []struct {
			Value [2]any `json:"value"`
		} `json:"result"`
	}
	if err := s.get(ctx, "query?query="+url.QueryEscape(query), &data); err != nil {
		return false, err
	}
	for _, r := range data.Result {
		if r.Value[1] != "NaN" {
			return true, nil
		}
	}
	return false, nil
}

// A selector of an alert. A healthy cluster has no answers of some statuses, so labels that are compared with those do not count.
var (
	selector    = regexp.MustCompile(`\b(?:creditd|process)_[a-z0-9_]+(?:\{[^}]*\})?`)
	statusLabel = regexp.MustCompile(`\{status=~?"[^"]*"\}`)
)

// TestMonitoring_HasDataOfARealCluster: each query of the dashboard has data, each alert has the series that it looks at, and Prometheus
// evaluates all alerts without an error, which only series show.
func TestMonitoring_HasDataOfARealCluster(t *testing.T) {
	s := startScraped(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	waiting := map[string]string{}
	for what, expression := range expressions(t) {
		if strings.HasPrefix(what, "panel ") {
			waiting[what] = strings.ReplaceAll(expression, "[5m]", "[10s]")
			continue
		}
		for _, used := range selector.FindAllString(expression, -1) {
			waiting[what+": "+used] = statusLabel.ReplaceAllString(used, "")
		}
	}
	api, err := s.cluster.CreateAPI(ctx)
	require.NoError(t, err)
	key, err := s.cluster.CreateKey(ctx, api, 1_000_000)
	require.NoError(t, err)
	var workspaces []struct {
		ID string `json:"workspaceId"`
	}
	require.NoError(t, s.cluster.Call(ctx, 0, "workspaces.listWorkspaces", object{}, &workspaces))
	require.NoError(t, s.cluster.Call(ctx, 0, "workspaces.updateWorkspace", object{"workspaceId": workspaces[0].ID, "limits": object{"keys": 1000}}, nil))
	caller := s.cluster.NewClient(0, 10*time.Second)
	defer caller.Close()
	err = launch.Await(ctx, "data of every panel and alert", func(ctx context.Context) error {
		for i := range s.cluster.Size() {
			node := caller.At(s.cluster.HTTPAddr(i))
			if err := node.Call(ctx, "keys.verifyKey", object{"key": key.Key}, nil).Err; err != nil {
				return err
			}
			if node.Call(ctx, "keys.getKey", object{"keyId": "key_unknown"}, nil).Outcome != client.Refused {
				return fmt.Errorf("keys.getKey finds what is not there")
			}
		}
		for what, query := range waiting {
			has, err := s.hasData(ctx, query)
			if err != nil {
				return err
			}
			if has {
				delete(waiting, what)
			}
		}
		if len(waiting) > 0 {
			return fmt.Errorf("nothing yet of %v", waiting)
		}
		return nil
	})
	require.NoError(t, err)

	var rules struct {
		Groups []struct {
			Rules []struct {
				Name      string `json:"name"`
				Health    string `json:"health"`
				LastError string `json:"lastError"`
			} `json:"rules"`
		} `json:"groups"`
	}
	require.NoError(t, s.get(ctx, "rules", &rules))
	require.Len(t, rules.Groups, 1)
	for _, r := range rules.Groups[0].Rules {
		require.Equal(t, "ok", r.Health, "%s: %s", r.Name, r.LastError)
	}
}

type object = map[string]any
