package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"time"
)

// backdated is how much earlier than it was made a certificate is valid, for machines whose clock is behind.
const backdated = 5 * time.Minute

// Made is a certificate that was just made.
type Made struct {
	NotAfter  time.Time
	cert, key []byte // in PEM form
}

// Authority signs certificates.
type Authority struct{ pair tls.Certificate }

// Request says what a certificate is for.
type Request struct {
	Name  string
	Hosts []string // names and IP addresses
	Node  bool     // it has the mark of a node, and is for servers, too
	From  time.Time
	Life  time.Duration
}

// NewAuthority makes an authority that is valid for so long.
func NewAuthority(name string, now time.Time, life time.Duration) (*Made, error) {
	return issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-backdated), NotAfter: now.Add(life),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil)
}

// LoadAuthority reads an authority and its key.
func LoadAuthority(cert, key string) (*Authority, error) {
	loaded, err := Load(Files{Cert: cert, Key: key})
	if err != nil {
		return nil, err
	}
	if !loaded.Pair.Leaf.IsCA {
		return nil, fmt.Errorf("%s is no authority", cert)
	}
	return &Authority{loaded.Pair}, nil
}

// Sign makes a certificate. It ends no later than the authority.
func (a *Authority) Sign(r Request) (*Made, error) {
	cert := &x509.Certificate{
		Subject: pkix.Name{CommonName: r.Name}, NotBefore: r.From.Add(-backdated), NotAfter: r.From.Add(r.Life),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if end := a.pair.Leaf.NotAfter; cert.NotAfter.After(end) {
		return nil, fmt.Errorf("the authority ends at %s, before the certificate would: make it valid for a shorter time, or make a new authority", end.UTC().Format(time.RFC3339))
	}
	for _, host := range r.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			cert.IPAddresses = append(cert.IPAddresses, ip)
		} else {
			cert.DNSNames = append(cert.DNSNames, host)
		}
	}
	if r.Node {
		mark, err := url.Parse(NodeMark)
		if err != nil {
			return nil, err
		}
		cert.URIs = []*url.URL{mark}
		cert.ExtKeyUsage = append(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	return issue(cert, a)
}

// issue makes a key and a certificate, signed by the authority or by itself.
func issue(cert *x509.Certificate, by *Authority) (*Made, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if cert.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	parent, signer := cert, any(key)
	if by != nil {
		parent, signer = by.pair.Leaf, by.pair.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	return &Made{
		NotAfter: cert.NotAfter,
		cert:     pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:      pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}, nil
}

// Write writes the two files, which only their owner can read. It overwrites nothing, and leaves no half behind.
func (m *Made) Write(cert, key string) error {
	if err := writeNew(key, m.key); err != nil {
		return err
	}
	if err := writeNew(cert, m.cert); err != nil {
		return errors.Join(err, os.Remove(key))
	}
	return nil
}

func writeNew(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists and is not overwritten", path)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(path))
	}
	return nil
}
