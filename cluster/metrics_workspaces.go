package cluster

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/fsm"
)

// Metrics of workspaces have labels, so they are off unless the configuration says of how many workspaces to show them.
var (
	workspaceUsed = prometheus.NewDesc("creditd_workspace_used", "What the ledger stores for a workspace, by kind. Only with --workspace-metrics.",
		[]string{"workspace", "kind"}, nil)
	workspaceLimit = prometheus.NewDesc("creditd_workspace_limit", "The quota of a workspace, by kind, if it has one. Only with --workspace-metrics.",
		[]string{"workspace", "kind"}, nil)
	workspacesOmitted = prometheus.NewDesc("creditd_workspace_omitted", "Workspaces beyond the number of --workspace-metrics.", nil, nil)
)

// workspaces shows the workspaces with the smallest ids, so that a scrape has a bounded number of series.
func (c *collector) workspaces(state *fsm.State) (all []prometheus.Metric) {
	most := c.node.conf.WorkspaceMetrics
	if most == 0 {
		return nil
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		all = append(all, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...))
	}
	list, omitted := state.ShowWorkspaces(most)
	for _, w := range list {
		for kind, name := range fsm.QuotaNames {
			if kind != int(fsm.RequestsQuota) {
				gauge(workspaceUsed, float64(w.Used[kind]), w.ID, name)
			}
			if q := w.Quotas[kind]; q.Limited {
				gauge(workspaceLimit, float64(q.Limit), w.ID, name)
			}
		}
	}
	gauge(workspacesOmitted, float64(omitted))
	return all
}
