package secret

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"
)

var errOtherSecret = errors.New("the other node has another cluster secret, or none")

// PeerTLS returns the configuration of both ends of a connection between nodes. Each end shows a certificate whose key is derived from the
// secret, and takes nothing but a certificate with that key. DESIGN.md of package cluster says why.
func (s Secret) PeerTLS() (*tls.Config, error) {
	seed, err := s.derive(peerLabel)
	if err != nil {
		return nil, err
	}
	key := ed25519.NewKeyFromSeed(seed)
	public, _ := key.Public().(ed25519.PublicKey)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "creditd"},
		// The times are not checked: a node whose clock is wrong must still reach the others.
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, public, key)
	if err != nil {
		return nil, fmt.Errorf("secret: make the certificate of this node: %w", err)
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // VerifyConnection verifies instead: there is no authority and no name
		SessionTicketsDisabled: true,
		VerifyConnection: func(c tls.ConnectionState) error {
			if len(c.PeerCertificates) != 1 {
				return errOtherSecret
			}
			theirs, ok := c.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
			if !ok || !public.Equal(theirs) {
				return errOtherSecret
			}
			return nil
		},
	}, nil
}
