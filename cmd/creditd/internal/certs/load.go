package certs

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// Files names a certificate with what follows it up to its authority, its private key, and the authorities that the other end's certificate
// must come from. All are in PEM form. CA may be empty.
type Files struct{ Cert, Key, CA string }

// File is one of Files.
type File int

// The files.
const (
	CertFile File = iota
	KeyFile
	CAFile
)

// FileError says which file is to blame.
type FileError struct {
	File File
	Err  error
}

func (e *FileError) Error() string { return e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// Loaded is what the files held at one time.
type Loaded struct {
	Pair        tls.Certificate
	Authorities *x509.CertPool      // nil: no CA was named
	authorities []*x509.Certificate // the same
	digest      [sha256.Size]byte   // of all files
}

// Load reads the files. The error is a FileError.
func Load(files Files) (*Loaded, error) {
	l, digest := &Loaded{}, sha256.New()
	read := func(file File, path string) ([]byte, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, &FileError{file, fmt.Errorf("cannot be read: %w", err)}
		}
		_, _ = fmt.Fprintf(digest, "%d %d\n", file, len(text))
		_, _ = digest.Write(text)
		return text, nil
	}
	cert, err := read(CertFile, files.Cert)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(cert); block == nil {
		return nil, &FileError{CertFile, fmt.Errorf("%s holds no certificate in PEM form", files.Cert)}
	}
	key, err := read(KeyFile, files.Key)
	if err != nil {
		return nil, err
	}
	if l.Pair, err = tls.X509KeyPair(cert, key); err != nil {
		return nil, &FileError{KeyFile, fmt.Errorf("%s and %s do not make a pair: %w", files.Cert, files.Key, err)}
	}
	if files.CA != "" {
		text, err := read(CAFile, files.CA)
		if err != nil {
			return nil, err
		}
		if l.authorities, err = ParseAuthorities(text); err != nil {
			return nil, &FileError{CAFile, fmt.Errorf("%s %w", files.CA, err)}
		}
		l.Authorities = x509.NewCertPool()
		for _, one := range l.authorities {
			l.Authorities.AddCert(one)
		}
	}
	digest.Sum(l.digest[:0])
	return l, nil
}

// ParseAuthorities reads certificates in PEM form, at least one. The error goes on after the name of the file.
func ParseAuthorities(text []byte) (all []*x509.Certificate, err error) {
	for rest := bytes.TrimSpace(text); len(rest) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("holds a certificate that cannot be read: %w", err)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, errors.New("holds no certificate in PEM form")
	}
	return all, nil
}

// CheckPeer verifies the certificate as another node will, in both roles. advertised is the address that others connect to; empty: any.
func (l *Loaded) CheckPeer(advertised string, now time.Time) error {
	between := x509.NewCertPool()
	for _, der := range l.Pair.Certificate[1:] {
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
		_, err := l.Pair.Leaf.Verify(x509.VerifyOptions{
			Roots: l.Authorities, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{role.usage},
		})
		if err != nil {
			return fmt.Errorf("peers would refuse the certificate of this node as a %s: %w", role.name, err)
		}
	}
	if advertised == "" {
		return nil
	}
	host, _, _ := net.SplitHostPort(advertised)
	if err := l.Pair.Leaf.VerifyHostname(host); err != nil {
		return fmt.Errorf("peers connect to %s (--advertise-peer, or --peer-addr) and would refuse it: %w", advertised, err)
	}
	return nil
}

// ends are the earliest ends of the certificate's chain and of the authorities; the zero time: there are none.
func (l *Loaded) ends() (cert, authority time.Time) {
	cert = l.Pair.Leaf.NotAfter
	for _, der := range l.Pair.Certificate[1:] {
		if one, err := x509.ParseCertificate(der); err == nil && one.NotAfter.Before(cert) {
			cert = one.NotAfter
		}
	}
	for _, one := range l.authorities {
		if authority.IsZero() || one.NotAfter.Before(authority) {
			authority = one.NotAfter
		}
	}
	return cert, authority
}

// ReadAuthorities reads a file of authorities.
func ReadAuthorities(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	all, err := ParseAuthorities(text)
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	pool := x509.NewCertPool()
	for _, one := range all {
		pool.AddCert(one)
	}
	return pool, nil
}
