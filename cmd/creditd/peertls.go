package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// peerFiles names what a node shows to its peers and what it expects of them.
type peerFiles struct{ cert, key, ca string }

func (f peerFiles) none() bool { return f == peerFiles{} }

// load builds the configuration of both ends of a connection between nodes, and notes everything that would make the first
// handshake fail. Peers verify the host that they dial, so the certificate must name advertised, unless that is empty.
func (f peerFiles) load(s *settings.Set, advertised string, now time.Time) *tls.Config {
	if f.cert == "" || f.key == "" || f.ca == "" {
		for _, missing := range []struct{ option, value string }{{"tls-cert", f.cert}, {"tls-key", f.key}, {"tls-ca", f.ca}} {
			if missing.value == "" {
				s.Refuse(missing.option, "missing; --tls-cert, --tls-key and --tls-ca go together")
			}
		}
		return nil
	}
	roots := x509.NewCertPool()
	if authorities, err := os.ReadFile(f.ca); err != nil {
		s.Refuse("tls-ca", "cannot be read: %v", err)
	} else if !roots.AppendCertsFromPEM(authorities) {
		s.Refuse("tls-ca", "%s holds no certificate in PEM form", f.ca)
	}
	pair, option, err := f.loadPair()
	if err != nil {
		s.Refuse(option, "%v", err)
	}
	if !s.Fine("tls-cert", "tls-key", "tls-ca") {
		return nil
	}
	if err := checkPair(pair, roots, advertised, now); err != nil {
		s.Refuse("tls-cert", "%s: %v", f.cert, err)
		return nil
	}
	warnOfReaders(s, "tls-key", f.key)
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{pair},
		RootCAs:      roots,
		ClientCAs:    roots,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}
}

// loadPair also says which of the two files is to blame for an error.
func (f peerFiles) loadPair() (pair tls.Certificate, option string, err error) {
	cert, err := os.ReadFile(f.cert)
	if err != nil {
		return pair, "tls-cert", fmt.Errorf("cannot be read: %w", err)
	}
	if block, _ := pem.Decode(cert); block == nil {
		return pair, "tls-cert", fmt.Errorf("%s holds no certificate in PEM form", f.cert)
	}
	key, err := os.ReadFile(f.key)
	if err != nil {
		return pair, "tls-key", fmt.Errorf("cannot be read: %w", err)
	}
	if pair, err = tls.X509KeyPair(cert, key); err != nil {
		return pair, "tls-key", fmt.Errorf("%s and %s do not make a pair: %w", f.cert, f.key, err)
	}
	return pair, "", nil
}

// checkPair verifies the certificate as a peer will, in both roles.
func checkPair(pair tls.Certificate, roots *x509.CertPool, advertised string, now time.Time) error {
	between := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		between.AddCert(cert)
	}
	for _, role := range []struct {
		name  string
		usage x509.ExtKeyUsage
	}{{"server", x509.ExtKeyUsageServerAuth}, {"client", x509.ExtKeyUsageClientAuth}} {
		_, err := pair.Leaf.Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{role.usage},
		})
		if err != nil {
			return fmt.Errorf("peers would refuse the certificate of this node as a %s: %w", role.name, err)
		}
	}
	if advertised == "" {
		return nil
	}
	host, _, _ := net.SplitHostPort(advertised)
	if err := pair.Leaf.VerifyHostname(host); err != nil {
		return fmt.Errorf("peers connect to %s (--advertise-peer, or --peer-addr) and would refuse it: %w", advertised, err)
	}
	return nil
}
