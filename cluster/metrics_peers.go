package cluster

import (
	"time"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"
)

// Only the leader knows how far the others are.
var (
	peerLag = prometheus.NewDesc("creditd_raft_peer_lag_entries", "Log entries that another node has not stored yet, at its last report. Only on the leader.",
		[]string{"peer"}, nil)
	peerContact = prometheus.NewDesc("creditd_raft_peer_last_contact_seconds", "Time since another node heard this leader, at its last report; -1 if it never did. Only on the leader.",
		[]string{"peer"}, nil)
	peerHealthy = prometheus.NewDesc("creditd_raft_peer_healthy", "1 if another node answers, hears the leader and keeps up. Only on the leader.",
		[]string{"peer"}, nil)
)

// peers shows the other servers, while this node leads.
func (c *collector) peers(out chan<- prometheus.Metric) {
	if !c.node.Leads() {
		return
	}
	last := c.node.raft.LastIndex()
	gauge := func(desc *prometheus.Desc, value float64, id string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, id)
	}
	for _, p := range c.node.reconciler.Peers() {
		gauge(peerLag, float64(last-min(last, p.LastIndex)), p.ID)
		gauge(peerContact, p.LastContact.Seconds(), p.ID)
		gauge(peerHealthy, truth(p.Healthy), p.ID)
	}
}

// histograms are the metrics that parts of the node keep themselves.
func (n *Node) histograms() []prometheus.Collector {
	return append(n.stages.collectors(), n.replica.Holds())
}

// lastContact is how long ago this node heard its leader: 0 on the leader, -1 s if it never did.
func (n *Node) lastContact() time.Duration {
	if n.raft.State() == raft.Leader {
		return 0
	}
	if last := n.raft.LastContact(); !last.IsZero() {
		return time.Since(last)
	}
	return -time.Second
}
