package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"time"
)

// tlsAttacks are those that only a cluster with certificates can suffer.
func tlsAttacks() []attack {
	return []attack{
		{"handshakes", 16, floodHandshakes},
		{"halves", 8, beginHandshakes},
		{"records", 8, sendBadRecords},
		{"foreign", 8, showForeignCertificates},
	}
}

// secured are the ports with TLS; attackers take them in turn.
func (t *target) secured(attacker int) string {
	if attacker%2 == 0 {
		return t.place(attacker).HTTP
	}
	return t.place(attacker).Peer
}

// handshake dials and shakes hands, and notes how that ends. An attacker does not care whom it reaches. nil: there is no connection.
func (t *target) handshake(ctx context.Context, addr string, conf *tls.Config) *tls.Conn {
	raw := t.dial(ctx, addr)
	if raw == nil {
		return nil
	}
	conn := tls.Client(raw, conf)
	_ = conn.SetDeadline(time.Now().Add(attackTimeout))
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		if ctx.Err() == nil {
			t.note("handshake refused")
		}
		return nil
	}
	t.note("handshakes")
	return conn
}

// anybody is the configuration of a client that has no certificate.
func anybody() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// floodHandshakes shakes hands as fast as it can, without resumption: each costs the node a signature.
func floodHandshakes(_ context.Context, t *target) (strike, error) {
	return func(ctx context.Context, attacker int) {
		if conn := t.handshake(ctx, t.secured(attacker), anybody()); conn != nil {
			_ = conn.NetConn().Close()
		}
	}, nil
}

// clientHello is the first flight of a handshake.
func clientHello() ([]byte, error) {
	ours, theirs := net.Pipe()
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	go func() { _ = tls.Client(ours, anybody()).Handshake() }() // ends with the pipe
	header := make([]byte, 5)
	if _, err := io.ReadFull(theirs, header); err != nil {
		return nil, err
	}
	hello := make([]byte, 5+int(header[3])<<8+int(header[4]))
	copy(hello, header)
	_, err := io.ReadFull(theirs, hello[5:])
	return hello, err
}

// beginHandshakes holds connections with half a ClientHello, and with a whole one to which nothing follows.
func beginHandshakes(_ context.Context, t *target) (strike, error) {
	hello, err := clientHello()
	return func(ctx context.Context, attacker int) {
		send := hello
		if attacker/2%2 == 0 {
			send = hello[:len(hello)/2]
		}
		t.hold(ctx, t.secured(attacker), 64, send)
	}, err
}

// sendBadRecords sends what is no record of TLS: junk, records beyond the allowed size, and a new ClientHello within a session.
func sendBadRecords(_ context.Context, t *target) (strike, error) {
	hello, err := clientHello()
	junk := make([]byte, 32<<10)
	_, _ = cryptorand.Read(junk)
	oversized := append([]byte{22, 3, 1, 0xff, 0xff}, junk...)
	inside := append([]byte{23, 3, 3, 0xff, 0xff}, junk...)
	return func(ctx context.Context, attacker int) {
		addr := t.secured(attacker)
		send := [][]byte{junk, oversized, inside, hello}[(attacker/2)%4]
		if attacker/2%4 < 2 { // in place of a handshake
			if conn := t.dial(ctx, addr); conn != nil {
				t.sendAndHear(conn, send)
			}
			return
		}
		if conn := t.handshake(ctx, addr, anybody()); conn != nil {
			t.sendAndHear(conn.NetConn(), send)
		}
	}, err
}

// sendAndHear sends something that a node must refuse, and waits until it does.
func (t *target) sendAndHear(conn net.Conn, send []byte) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(attackTimeout))
	_, _ = conn.Write(send) // who is cut off has got what it asked for
	if _, err := io.Copy(io.Discard, io.LimitReader(conn, 1<<20)); err != nil {
		t.note("cut")
		return
	}
	t.note("closed")
}

// showForeignCertificates shows a client certificate of another authority, with the name of a node.
func showForeignCertificates(_ context.Context, t *target) (strike, error) {
	pair, err := foreignCertificate()
	conf := anybody()
	conf.Certificates = []tls.Certificate{pair}
	return func(ctx context.Context, attacker int) {
		conn := t.handshake(ctx, t.secured(attacker), conf)
		if conn == nil {
			return
		}
		_, _ = conn.Write([]byte("POST / HTTP/1.1\r\n\r\n"))
		t.sendAndHear(conn.NetConn(), nil)
	}, err
}

func foreignCertificate() (pair tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
	if err != nil {
		return pair, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "node0"}, DNSNames: []string{"node0"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	made, err := x509.CreateCertificate(cryptorand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{made}, PrivateKey: key}, err
}
