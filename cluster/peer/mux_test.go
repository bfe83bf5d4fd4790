package peer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

func TestMux_SilentConnectionsDoNotDelayOthers(t *testing.T) {
	m := startMux(t, MuxConfig{PreambleTimeout: 200 * time.Millisecond}, echo)
	var silent []net.Conn
	for range 20 {
		conn, err := net.Dial("tcp", m.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		silent = append(silent, conn)
	}
	_, err := silent[0].Write([]byte{preambleMagic0}) // slow rather than silent
	require.NoError(t, err)
	_, err = newTestClient(t, m.Addr().String(), ClientConfig{}).Call(testContext(t), 1, nil)
	require.NoError(t, err)
	for _, conn := range silent {
		_ = conn.SetReadDeadline(time.Now().Add(deadline))
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "closed after its preamble deadline")
	}
}

func TestMux_BoundsConnectionsWithoutPreamble(t *testing.T) {
	m := startMux(t, MuxConfig{MaxPreambles: 1, PreambleTimeout: time.Minute}, echo)
	first, err := net.Dial("tcp", m.Addr().String())
	require.NoError(t, err)
	defer first.Close()
	eventually(t, func() bool { return m.lobby.Len() == 1 }, "the first occupies the slot")
	second, err := net.Dial("tcp", m.Addr().String())
	require.NoError(t, err)
	defer second.Close()
	_ = first.SetReadDeadline(time.Now().Add(deadline))
	_, err = first.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "the oldest goes")
	_, err = second.Write(protocolCall.preamble())
	require.NoError(t, err)
	eventually(t, func() bool { return m.lobby.Len() == 0 }, "the second has said what it is")
	require.EqualValues(t, 1, m.Refused())
}

func TestMux_RefusesForeignPreambles(t *testing.T) {
	m := startMux(t, MuxConfig{}, echo)
	for _, preamble := range [][]byte{
		[]byte("GET "),
		{preambleMagic0, preambleMagic1, preambleVersion + 1, byte(protocolCall)},
		{preambleMagic0, preambleMagic1, preambleVersion, 'x'},
	} {
		conn, err := net.Dial("tcp", m.Addr().String())
		require.NoError(t, err)
		_, err = conn.Write(preamble)
		require.NoError(t, err)
		_ = conn.SetReadDeadline(time.Now().Add(deadline))
		_, err = conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, conn.Close())
	}
}

func TestMux_CarriesRaftAndCallsOverOnePort(t *testing.T) {
	m := startMux(t, MuxConfig{Advertise: "node-a.example:7071"}, echo)
	layer := m.RaftLayer()
	require.Equal(t, "node-a.example:7071", layer.Addr().String())

	out, err := layer.Dial(raftAddress(m), time.Second)
	require.NoError(t, err)
	in, err := layer.Accept()
	require.NoError(t, err)
	_, err = out.Write([]byte("entry"))
	require.NoError(t, err)
	got := make([]byte, 5)
	_, err = io.ReadFull(in, got)
	require.NoError(t, err)
	require.Equal(t, "entry", string(got))

	c := newTestClient(t, m.Addr().String(), ClientConfig{})
	_, err = c.Call(testContext(t), 1, nil)
	require.NoError(t, err)

	// Closing raft's share ends its connections and leaves the calls alone.
	require.NoError(t, layer.Close())
	_, err = layer.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = out.Read(got)
	require.Error(t, err)
	_, err = layer.Dial(raftAddress(m), time.Second)
	require.Error(t, err)
	_, err = c.Call(testContext(t), 1, nil)
	require.NoError(t, err)
}

// A node that came back without its data at the same address must not be taken for the old node.
func TestMux_RefusesRaftForAnotherNode(t *testing.T) {
	m := startMux(t, MuxConfig{NodeID: "new"}, nil)
	address := raft.ServerAddress(m.Addr().String())
	for _, id := range []raft.ServerID{"old", "ne", "new1"} {
		conn, err := m.RaftLayer().Dial(RaftAddress(id, address), time.Second)
		require.NoError(t, err)
		_ = conn.SetReadDeadline(time.Now().Add(deadline))
		_, err = conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "%s", id)
		require.NoError(t, conn.Close())
	}
	_, err := m.RaftLayer().Dial(address, time.Second)
	require.ErrorContains(t, err, "which server")
	conn, err := m.RaftLayer().Dial(RaftAddress("new", address), time.Second)
	require.NoError(t, err)
	defer conn.Close()
	in, err := m.RaftLayer().Accept()
	require.NoError(t, err)
	require.NoError(t, in.Close())
}

func TestMux_CloseEndsEverythingTwice(t *testing.T) {
	m := startMux(t, MuxConfig{}, Handler(func(Request, Reply) {}))
	silent, err := net.Dial("tcp", m.Addr().String())
	require.NoError(t, err)
	defer silent.Close()
	unaccepted, err := m.RaftLayer().Dial(raftAddress(m), time.Second)
	require.NoError(t, err)
	defer unaccepted.Close()
	c := newTestClient(t, m.Addr().String(), ClientConfig{})
	ch := goCall(context.Background(), c, nil)
	eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.link != nil && c.link.writing > 1
	}, "the call is sent")
	require.NoError(t, m.Close())
	require.True(t, mayHaveActed(await(t, ch).err))
	require.NoError(t, m.Close())
}

func TestMux_CallsWithoutAHandlerLoseTheirConnection(t *testing.T) {
	m := startMux(t, MuxConfig{}, nil)
	_, err := newTestClient(t, m.Addr().String(), ClientConfig{}).Call(testContext(t), 1, nil)
	require.Error(t, err)
	require.ErrorIs(t, err, ErrConnectionLost)
}

func TestMux_RequiresAClientCertificate(t *testing.T) {
	server, client := tlsPair(t)
	m := startMux(t, MuxConfig{TLS: server, Dialer: Dialer{TLS: fixed(client)}}, echo)
	addr := m.Addr().String()

	c := newTestClient(t, addr, ClientConfig{Dialer: Dialer{TLS: fixed(client)}})
	want := make([]byte, 10<<20)
	got, err := c.Call(testContext(t), 1, want)
	require.NoError(t, err)
	require.Len(t, got, len(want))

	conn, err := m.RaftLayer().Dial(raftAddress(m), time.Second)
	require.NoError(t, err)
	in, err := m.RaftLayer().Accept()
	require.NoError(t, err)
	_ = in.Close()
	_ = conn.Close()

	anonymous := client.Clone()
	anonymous.Certificates = nil
	for name, d := range map[string]Dialer{"no TLS": {}, "no certificate": {TLS: fixed(anonymous)}} {
		c := newTestClient(t, addr, ClientConfig{Dialer: d})
		_, err := c.Call(testContext(t), 1, nil)
		var call *CallError
		require.True(t, errors.As(err, &call), "%s: %v", name, err)
	}
}

// tlsPair returns configurations for both ends that trust one certificate.
func tlsPair(tb testing.TB) (server, client *tls.Config) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "node"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(tb, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(tb, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	cert := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return &tls.Config{
			Certificates: []tls.Certificate{cert},
			ClientCAs:    roots,
			ClientAuth:   tls.RequireAndVerifyClientCert,
			MinVersion:   tls.VersionTLS13,
		}, &tls.Config{
			Certificates: []tls.Certificate{cert},
			RootCAs:      roots,
			MinVersion:   tls.VersionTLS13,
		}
}

func fixed(conf *tls.Config) func() *tls.Config { return func() *tls.Config { return conf } }
