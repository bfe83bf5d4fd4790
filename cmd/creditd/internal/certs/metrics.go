package certs

import "github.com/prometheus/client_golang/prometheus"

var (
	notAfter = prometheus.NewDesc("creditd_certificate_not_after_seconds",
		"When a certificate ends, in Unix seconds: of a port, or the first of its authorities.", []string{"certificate"}, nil)
	unusable = prometheus.NewDesc("creditd_certificate_files_unusable",
		"1 while the certificate files of a port cannot be used, so that the certificate before stays in use.", []string{"port"}, nil)
	refusedPeers = prometheus.NewDesc("creditd_peer_certificates_refused_total",
		"Connections between nodes that ended because a certificate of the right authority is none of a node.", nil, nil)
)

// Collector shows the certificates of a node. Each may be nil.
type Collector struct {
	HTTP  *Keeper
	Peers *Peers
}

// Describe implements prometheus.Collector.
func (c Collector) Describe(to chan<- *prometheus.Desc) {
	to <- notAfter
	to <- unusable
	to <- refusedPeers
}

// Collect implements prometheus.Collector.
func (c Collector) Collect(to chan<- prometheus.Metric) {
	keepers := []*Keeper{c.HTTP}
	if c.Peers != nil {
		keepers = append(keepers, c.Peers.Keeper)
		to <- prometheus.MustNewConstMetric(refusedPeers, prometheus.CounterValue, float64(c.Peers.Refused()))
	}
	for _, k := range keepers {
		if k == nil {
			continue
		}
		for _, end := range k.Ends() {
			to <- prometheus.MustNewConstMetric(notAfter, prometheus.GaugeValue, float64(end.At.Unix()), end.Certificate)
		}
		value := 0.0
		if k.failing.Load() {
			value = 1
		}
		to <- prometheus.MustNewConstMetric(unusable, prometheus.GaugeValue, value, k.name)
	}
}
