package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/cluster/tally"
)

// NodeMark is the URI among a certificate's alternative names that makes it one of a node.
const NodeMark = "creditd://node"

// AnyName stands among names for every certificate of the authority.
const AnyName = "*"

// Marked reports whether a certificate is one of a node.
func Marked(cert *x509.Certificate) bool {
	return slices.ContainsFunc(cert.URIs, func(u *url.URL) bool { return u.String() == NodeMark })
}

// Peers makes the TLS settings of connections between nodes. What it accepts follows the files as they change.
type Peers struct {
	Keeper *Keeper
	// Names are names of certificates without the mark that are accepted: as they stand among the alternative names, or *.DOMAIN for one
	// more label.
	Names []string
	Log   *slog.Logger

	refused tally.Tally
}

// Refused returns how many certificates were refused for what they say.
func (p *Peers) Refused() uint64 { return p.refused.Total() }

// Bound reports whether the authority's signature alone is not enough.
func (p *Peers) Bound() bool {
	return len(p.Names) > 0 && !slices.Contains(p.Names, AnyName) || len(p.Names) == 0 && Marked(p.Keeper.Current().Pair.Leaf)
}

// Server returns the settings of the peer port.
func (p *Peers) Server() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return p.Client(), nil },
	}
}

// Client returns the settings of the next connection to another node. The caller adds the name of the host.
func (p *Peers) Client() *tls.Config {
	loaded := p.Keeper.Current()
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{loaded.Pair},
		RootCAs:                loaded.Authorities,
		ClientCAs:              loaded.Authorities,
		ClientAuth:             tls.RequireAndVerifyClientCert,
		SessionTicketsDisabled: true,
		VerifyConnection:       p.verify,
	}
}

// verify runs after the chain and the host were verified.
func (p *Peers) verify(c tls.ConnectionState) error {
	if len(c.PeerCertificates) == 0 {
		return errors.New("the other node shows no certificate")
	}
	leaf := c.PeerCertificates[0]
	if p.accepts(leaf) {
		return nil
	}
	if since := p.refused.Note(time.Now()); since > 0 && p.Log != nil {
		p.Log.Warn("a certificate of the right authority was refused: it is none of a node", "subject", leaf.Subject.String(), "names", names(leaf),
			"why", p.why(), "refused", since)
	}
	return fmt.Errorf("the certificate of %s is none of a node: %s", leaf.Subject, p.why())
}

func (p *Peers) accepts(leaf *x509.Certificate) bool {
	if !p.Bound() || Marked(leaf) {
		return true
	}
	return slices.ContainsFunc(names(leaf), func(name string) bool {
		return slices.ContainsFunc(p.Names, func(pattern string) bool { return matches(pattern, name) })
	})
}

func (p *Peers) why() string {
	if len(p.Names) > 0 {
		return "it has neither the URI " + NodeMark + " nor one of the names of --peer-tls-names"
	}
	return "it has no URI " + NodeMark + ", which this node's own certificate has"
}

// names are the alternative names of a certificate.
func names(cert *x509.Certificate) []string {
	all := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		all = append(all, ip.String())
	}
	for _, uri := range cert.URIs {
		all = append(all, uri.String())
	}
	return all
}

func matches(pattern, name string) bool {
	if domain, ok := strings.CutPrefix(pattern, "*."); ok {
		_, rest, found := strings.Cut(name, ".")
		return found && strings.EqualFold(rest, domain) && !strings.ContainsAny(name, "/:@") // a URI is no host
	}
	return strings.EqualFold(pattern, name)
}
