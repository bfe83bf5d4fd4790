package deploy

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/creditd/creditd/scripts/launch"
)

// panel is what of Grafana's panel has a query.
type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
}

// alerts is a file of Prometheus rules.
type alerts struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

// expressions are the PromQL of the dashboard and of the alerts, by what they are for.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	text, err := os.ReadFile("monitoring/dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []panel `json:"panels"`
	}
	require.NoError(t, json.Unmarshal(text, &dashboard))
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		require.False(t, ids[p.ID], "two panels have the id %d", p.ID)
		ids[p.ID] = true
		require.Equal(t, p.Type == "row", len(p.Targets) == 0, p.Title)
		for i, target := range p.Targets {
			// Grafana replaces its variables before Prometheus reads the query.
			found[fmt.Sprintf("panel %s %d", p.Title, i)] = strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*", "$job", ".*").Replace(target.Expr)
			require.Equal(t, strings.Count(target.Expr, "creditd_"), strings.Count(target.Expr, `job=~"$job"`), "%s mixes clusters", p.Title)
		}
	}
	text, err = os.ReadFile("monitoring/alerts.yaml")
	require.NoError(t, err)
	var rules alerts
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&rules))
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			require.Contains(t, []string{"page", "ticket"}, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
			require.NotEmpty(t, r.Annotations["description"], r.Alert)
			found["alert "+r.Alert] = r.Expr
		}
	}
	require.Greater(t, len(found), 30)
	return found
}

var (
	quotedMetric = regexp.MustCompile(`"(creditd_[a-z0-9_]+)"`)
	usedMetric   = regexp.MustCompile(`\bcreditd_[a-z0-9_]+`)
)

// metrics are the names in the source, with those that a histogram adds.
func metrics(t *testing.T, root string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, dir := range []string{"api", "cluster", "cmd", "store"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range quotedMetric.FindAllStringSubmatch(string(text), -1) {
				for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
					names[match[1]+suffix] = true
				}
			}
			return err
		}))
	}
	require.True(t, names["creditd_node_ready"])
	return names
}

// TestMonitoring_NamesMetricsThatExist: an alert on a metric that was renamed never fires.
func TestMonitoring_NamesMetricsThatExist(t *testing.T) {
	root, err := launch.Root()
	require.NoError(t, err)
	known := metrics(t, root)
	for what, expression := range expressions(t) {
		used := usedMetric.FindAllString(expression, -1)
		require.NotEmpty(t, used, what)
		for _, name := range used {
			require.True(t, known[name], "%s: there is no metric %s", what, name)
		}
	}
	handbook, err := os.ReadFile(filepath.Join(root, "docs", "operating.md"))
	require.NoError(t, err)
	for _, name := range usedMetric.FindAllString(string(handbook), -1) {
		require.True(t, known[strings.TrimSuffix(name, "_")], "docs/operating.md: there is no metric %s", name)
	}
}

// tool finds a program of a Debian package that CI installs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip(name + " is not installed; CI installs it")
	}
	require.NoError(t, err)
	return path
}

// TestMonitoring_ParsesInPrometheus: promtool is Prometheus's own parser. Each query of the dashboard is given to it as a rule.
func TestMonitoring_ParsesInPrometheus(t *testing.T) {
	promtool := tool(t, "promtool")
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	count := 0
	for what, expression := range expressions(t) {
		if strings.HasPrefix(what, "panel ") {
			count++
			fmt.Fprintf(&rules, "  - record: query_%d\n    expr: %q\n", count, expression)
		}
	}
	file := filepath.Join(t.TempDir(), "dashboard.yaml")
	require.NoError(t, os.WriteFile(file, []byte(rules.String()), 0o600))
	said, err := exec.CommandContext(t.Context(), promtool, "check", "rules", "monitoring/alerts.yaml", file).CombinedOutput()
	require.NoError(t, err, string(said))
	require.Contains(t, string(said), fmt.Sprintf("%d rules found", count))
}
