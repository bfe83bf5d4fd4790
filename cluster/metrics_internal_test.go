package cluster

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// Metrics of workspaces are off by default, and bounded in number.
func TestMetrics_OfWorkspaces(t *testing.T) {
	s := fsm.New()
	root := fsm.Hash{1}
	quotas := &fsm.UpdateWorkspace{WorkspaceID: "ws_1", KeepEnabled: true}
	quotas.Quotas[fsm.APIsQuota] = fsm.Set[int64](7)
	for _, c := range []fsm.Command{
		&fsm.RaiseLedgerVersion{Version: fsm.NewestLedgerVersion}, &fsm.Bootstrap{ClusterID: "cl_1", WorkspaceID: "ws_1", RootKeyID: "key_r", RootKeyHash: root},
		&fsm.CreateWorkspace{ID: "ws_2"}, &fsm.CreateWorkspace{ID: "ws_3"}, &fsm.CreateAPI{ID: "api_1"}, quotas,
	} {
		_, refused := s.Apply(fsm.Batch{Calls: []fsm.Call{{Actor: root, Command: c}}})[0].(*fsm.Refusal)
		require.False(t, refused)
	}
	shown := func(most int) map[string]float64 {
		values := map[string]float64{}
		for _, m := range (&collector{node: &Node{conf: Config{WorkspaceMetrics: most}}}).workspaces(s) {
			var written dto.Metric
			require.NoError(t, m.Write(&written))
			name := map[*prometheus.Desc]string{workspaceUsed: "used", workspaceLimit: "limit", workspacesOmitted: "omitted"}[m.Desc()]
			for _, label := range written.Label {
				name += " " + label.GetValue()
			}
			values[name] = written.Gauge.GetValue()
		}
		return values
	}
	require.Empty(t, shown(0))
	one := shown(1)
	require.Len(t, one, 9+1+1)
	require.Equal(t, 1.0, one["used apis ws_1"])
	require.Equal(t, 7.0, one["limit apis ws_1"])
	require.Equal(t, 2.0, one["omitted"])
	require.Len(t, shown(10), 3*9+1+1)
	require.Zero(t, shown(10)["omitted"])
}
