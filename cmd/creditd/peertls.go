package main

import (
	"cmp"
	"crypto/tls"
	"errors"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/certs"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// peerFiles names what a node shows to its peers and what it expects of them.
type peerFiles struct {
	certs.Files
	names []string
}

func (f *peerFiles) bind(s *settings.Set) {
	s.Text(&f.Cert, "peer-tls-cert", "FILE", "this node's certificate for the peer port in PEM form, for server and client use; it replaces the authentication by the cluster secret there")
	s.Formerly("tls-cert")
	s.Text(&f.Key, "peer-tls-key", "FILE", "its private key in PEM form")
	s.Formerly("tls-key")
	s.Text(&f.CA, "peer-tls-ca", "FILE", "the authority that signed the certificates of all nodes, in PEM form")
	s.Formerly("tls-ca")
	s.Items(&f.names, "peer-tls-names", "NAME", "names of the certificates that nodes may have beside the URI "+certs.NodeMark+
		", as they stand in the certificates, or *.DOMAIN; a single *: every certificate of --peer-tls-ca", func(item string) (string, error) { return item, nil })
}

func (f peerFiles) none() bool { return f.Files == certs.Files{} }

// load loads what both ends of a connection between nodes use, and notes everything that would make the first handshake fail. Peers verify the
// host that they dial, so the certificate must name advertised, unless that is empty.
func (f peerFiles) load(s *settings.Set, advertised string, now time.Time) *certs.Peers {
	options := [...]string{certs.CertFile: "peer-tls-cert", certs.KeyFile: "peer-tls-key", certs.CAFile: "peer-tls-ca"}
	missing := false
	for file, path := range []string{certs.CertFile: f.Cert, certs.KeyFile: f.Key, certs.CAFile: f.CA} {
		if path == "" {
			missing = true
			s.Refuse(options[file], "missing; --peer-tls-cert, --peer-tls-key and --peer-tls-ca go together")
		}
	}
	if missing {
		return nil
	}
	first := true
	keeper, err := certs.Keep("peer", f.Files, func(l *certs.Loaded) error {
		at := time.Now()
		if first {
			at, first = now, false
		}
		return l.CheckPeer(advertised, at)
	})
	var failed *certs.FileError
	switch {
	case errors.As(err, &failed):
		s.Refuse(options[failed.File], "%v", failed)
		return nil
	case err != nil:
		s.Refuse("peer-tls-cert", "%s: %v", f.Cert, err)
		return nil
	}
	peers := &certs.Peers{Keeper: keeper, Names: f.names}
	warnOfReaders(s, "peer-tls-key", f.Key)
	if !peers.Bound() && len(f.names) == 0 {
		s.Warn("peer-tls-cert", "whoever has a certificate of %s counts as a node. Give the nodes certificates with the URI %s "+
			"('creditd tls node' makes them), or name theirs with --peer-tls-names", f.CA, certs.NodeMark)
	}
	return peers
}

// httpFiles names the certificate of the HTTP port, and where the certificates of clients must come from.
type httpFiles struct{ certs.Files }

func (f *httpFiles) bind(s *settings.Set) {
	s.Text(&f.Cert, "http-tls-cert", "FILE", "certificate of --http-addr in PEM form, with what follows it up to its authority: clients connect with TLS, HTTP/1.1 or HTTP/2")
	s.Text(&f.Key, "http-tls-key", "FILE", "its private key in PEM form")
	s.Text(&f.CA, "http-tls-client-ca", "FILE", "authority in PEM form: only clients with a certificate that comes from it may connect")
}

// load loads the certificate. nil: there is none, or it is refused. One that has ended is served, because clients decide about it.
func (f httpFiles) load(s *settings.Set) *certs.Keeper {
	if f.Files == (certs.Files{}) {
		return nil
	}
	for _, missing := range []struct{ option, value string }{{"http-tls-cert", f.Cert}, {"http-tls-key", f.Key}} {
		if missing.value == "" {
			s.Refuse(missing.option, "missing; --http-tls-cert and --http-tls-key go together")
		}
	}
	if !s.Fine("http-tls-cert", "http-tls-key") {
		return nil
	}
	keeper, err := certs.Keep("http", f.Files, func(*certs.Loaded) error { return nil })
	if err != nil {
		var failed *certs.FileError
		errors.As(err, &failed) // there is no other error
		s.Refuse([...]string{certs.CertFile: "http-tls-cert", certs.KeyFile: "http-tls-key", certs.CAFile: "http-tls-client-ca"}[failed.File], "%v", failed)
		return nil
	}
	warnOfReaders(s, "http-tls-key", f.Key)
	return keeper
}

// withScheme is an HTTP address with the scheme that clients need. Without TLS it stays as earlier builds show it.
func (c nodeConfig) withScheme(address string) string {
	if c.http.tls == nil || address == "" || hasScheme(address) {
		return address
	}
	return "https://" + address
}

// tlsSettings are those of a command that connects to nodes.
type tlsSettings struct {
	ca, cert, key string
	skipVerify    bool
}

func (t *tlsSettings) bind(s *settings.Set) {
	s.Text(&t.ca, "ca-file", "FILE", "authority of the nodes' certificates in PEM form, instead of those of this machine")
	s.Switch(&t.skipVerify, "tls-skip-verify", "accept any certificate of a node: whoever is on the way can then read the root key")
	s.Text(&t.cert, "cert-file", "FILE", "certificate of this client in PEM form, where nodes demand one")
	s.Text(&t.key, "key-file", "FILE", "its private key in PEM form")
}

// wanted reports whether a setting speaks of TLS, so that an address without a scheme means https.
func (t *tlsSettings) wanted() bool { return *t != tlsSettings{} }

// curl are options with which curl connects in the same way, each with a space before it.
func (t *tlsSettings) curl() (options string) {
	for _, o := range []struct{ name, file string }{{"--cacert", t.ca}, {"--cert", t.cert}, {"--key", t.key}} {
		if o.file != "" {
			options += " " + o.name + " " + quoted(o.file)
		}
	}
	if t.skipVerify {
		options += " --insecure"
	}
	return options
}

// check returns the settings of TLS connections, nil if the defaults will do.
func (t *tlsSettings) check(s *settings.Set) *tls.Config {
	if !t.wanted() {
		return nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.skipVerify} //nolint:gosec // asked for by name
	if t.ca != "" {
		if t.skipVerify {
			s.Refuse("tls-skip-verify", "--ca-file says what to accept; use one of the two")
		}
		pool, err := certs.ReadAuthorities(t.ca)
		if err != nil {
			s.Refuse("ca-file", "%v", err)
		}
		conf.RootCAs = pool
	}
	if t.cert == "" && t.key == "" {
		return conf
	}
	if t.cert == "" || t.key == "" {
		s.Refuse(map[bool]string{true: "cert-file", false: "key-file"}[t.cert == ""], "missing; --cert-file and --key-file go together")
		return nil
	}
	loaded, err := certs.Load(certs.Files{Cert: t.cert, Key: t.key})
	if err != nil {
		var failed *certs.FileError
		errors.As(err, &failed) // there is no other error
		s.Refuse(cmp.Or(map[certs.File]string{certs.CertFile: "cert-file"}[failed.File], "key-file"), "%v", failed)
		return nil
	}
	conf.Certificates = []tls.Certificate{loaded.Pair}
	return conf
}
