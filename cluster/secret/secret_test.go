package secret

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func parse(t testing.TB, text string) Secret {
	t.Helper()
	s, err := Parse(text)
	require.NoError(t, err)
	return s
}

func TestParse_WantsRandomBytes(t *testing.T) {
	parse(t, New())
	random := make([]byte, 48)
	_, _ = rand.Read(random)
	parse(t, hex.EncodeToString(random[:32]))
	text := base64.StdEncoding.EncodeToString(random)
	require.Equal(t, parse(t, text), parse(t, text+"\n"), "a variable may end in a line feed")
	for text, says := range map[string]string{
		"": "stands for 0 bytes", "correct-horse-battery-staple": "neither base64 nor hexadecimal",
		"correct horse battery staple":                      "white space inside",
		hex.EncodeToString(random[:31]):                     "stands for 31 bytes",
		base64.StdEncoding.EncodeToString(random[:24]):      "stands for 24 bytes",
		strings.Repeat("a", 64):                             "can be guessed",
		base64.StdEncoding.EncodeToString(make([]byte, 32)): "can be guessed",
	} {
		_, err := Parse(text)
		require.ErrorContains(t, err, says, text)
		if text != "" {
			require.NotContains(t, err.Error(), text)
		}
	}
}

// Nodes of two builds must derive the same: these bytes never change.
func TestDerive_NeverChanges(t *testing.T) {
	s := parse(t, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	gossip, err := s.GossipKey()
	require.NoError(t, err)
	require.Equal(t, "38a019cf2490daac62e0a4f9dd4f532d866fadadc342d6fb59c7a2ab5a6fb25f", hex.EncodeToString(gossip))
	conf, err := s.PeerTLS()
	require.NoError(t, err)
	key, _ := conf.Certificates[0].PrivateKey.(ed25519.PrivateKey)
	require.Equal(t, "7ab9f0ee0c4d232c9697fb71f754cf391b7e4eaa9dc5715461cd60b71749bbdd", hex.EncodeToString(key.Seed()))
}

// handshake connects two ends over loopback and returns what each of them says.
func handshake(t *testing.T, server, client *tls.Config) (serverErr, clientErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	done := make(chan error, 1)
	go func() {
		raw, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		defer func() { _ = raw.Close() }()
		conn := tls.Server(raw, server)
		if err := conn.Handshake(); err != nil {
			done <- err
			return
		}
		_, err = conn.Write([]byte("hello"))
		done <- err
	}()
	raw, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer func() { _ = raw.Close() }()
	conn := tls.Client(raw, client)
	if clientErr = conn.Handshake(); clientErr == nil {
		_, clientErr = conn.Read(make([]byte, 5))
	}
	return <-done, clientErr
}

func TestPeerTLS_LetsOnlyHoldersOfTheSecretTalk(t *testing.T) {
	text := New()
	ours, err := parse(t, text).PeerTLS()
	require.NoError(t, err)
	again, err := parse(t, text).PeerTLS()
	require.NoError(t, err)
	theirs, err := parse(t, New()).PeerTLS()
	require.NoError(t, err)

	serverErr, clientErr := handshake(t, ours, again)
	require.NoError(t, serverErr)
	require.NoError(t, clientErr)

	serverErr, clientErr = handshake(t, ours, theirs)
	require.Error(t, serverErr)
	require.ErrorIs(t, clientErr, errOtherSecret)

	// A stranger that accepts everybody is refused by the other end, and without a certificate too.
	lax := &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, Certificates: theirs.Certificates}
	serverErr, _ = handshake(t, ours, lax)
	require.ErrorIs(t, serverErr, errOtherSecret)
	serverErr, _ = handshake(t, ours, &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true})
	require.ErrorContains(t, serverErr, "certificate")
	_, clientErr = handshake(t, lax, ours)
	require.ErrorIs(t, clientErr, errOtherSecret)

	// The certificate is public to whoever connects. Without its key it proves nothing.
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	copied := &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, Certificates: []tls.Certificate{
		{Certificate: ours.Certificates[0].Certificate, PrivateKey: stranger},
	}}
	serverErr, _ = handshake(t, ours, copied)
	require.ErrorContains(t, serverErr, "signature")
	require.False(t, bytes.Contains(ours.Certificates[0].Certificate[0], []byte(text)))
}
