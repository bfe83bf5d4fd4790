package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/membership"
	"github.com/creditd/creditd/cmd/creditd/internal/certs"
)

// certificates are when those of this node end; none without TLS of its own.
func (c nodeConfig) certificates() (ends []membership.Certificate) {
	keepers := []*certs.Keeper{c.http.tls}
	if c.peers != nil {
		keepers = append(keepers, c.peers.Keeper)
	}
	for _, k := range keepers {
		if k == nil {
			continue
		}
		for _, end := range k.Ends() {
			ends = append(ends, membership.Certificate{Name: end.Certificate, NotAfter: end.At.UnixMilli()})
		}
	}
	return ends
}

// nodeCertificate is one certificate of one node.
type nodeCertificate struct {
	node string
	api.CertificateStatus
}

// allCertificates lists the certificates of all nodes, those that end first at the front.
func allCertificates(status api.Status) (all []nodeCertificate) {
	for _, n := range status.Nodes {
		for _, c := range n.Certificates {
			all = append(all, nodeCertificate{n.NodeID, c})
		}
	}
	slices.SortFunc(all, func(a, b nodeCertificate) int {
		return cmp.Or(cmp.Compare(a.NotAfter, b.NotAfter), cmp.Compare(a.node, b.node), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// firstEnd says when the first certificate ends, "" if there is none.
func firstEnd(status api.Status) string {
	all := allCertificates(status)
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf("the first ends at %s: %s of %s", moment(all[0].NotAfter), all[0].Name, all[0].node)
}

// endingCertificates warns of each certificate that ends within 30 days, or has ended.
func endingCertificates(status api.Status, now time.Time) (warnings []string) {
	for _, c := range allCertificates(status) {
		switch left := time.UnixMilli(c.NotAfter).Sub(now); {
		case left <= 0:
			warnings = append(warnings, fmt.Sprintf("WARNING: the certificate %s of %s has ended, at %s: whoever checks it refuses the connection", c.Name, c.node, moment(c.NotAfter)))
		case left <= certs.WarnFrom:
			warnings = append(warnings, fmt.Sprintf("WARNING: the certificate %s of %s ends %s, at %s: replace its files", c.Name, c.node, inDays(left), moment(c.NotAfter)))
		}
	}
	return warnings
}

// inDays says how long something is away.
func inDays(left time.Duration) string {
	switch days := int(left / (24 * time.Hour)); days {
	case 0:
		return "within a day"
	case 1:
		return "in 1 day"
	default:
		return fmt.Sprintf("in %d days", days)
	}
}
