package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cmd/creditd/internal/certs"
)

// issued makes an authority in a new directory, and certificates from it with the command.
func issued(t testing.TB, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	made(t, dir, "init")
	for _, name := range names {
		kind, _, _ := strings.Cut(name, "-")
		more := []string{}
		if kind == "node" {
			more = []string{"--host", "127.0.0.1,localhost"}
		}
		made(t, dir, kind, append([]string{"--name", name, "--ca", filepath.Join(dir, "ca.crt"), "--ca-key", filepath.Join(dir, "ca.key")}, more...)...)
	}
	return dir
}

func made(t testing.TB, dir, kind string, args ...string) {
	t.Helper()
	code, _, stderr := outputOf(nil, append([]string{"tls", kind, "--dir", dir}, args...)...)
	require.Equal(t, exitDone, code, stderr)
}

// trust is a client's view of an authority.
func trust(t testing.TB, dir string) *tls.Config {
	t.Helper()
	pool, err := certs.ReadAuthorities(filepath.Join(dir, "ca.crt"))
	require.NoError(t, err)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func httpTLS(dir, name string) []string {
	return []string{"--http-tls-cert", filepath.Join(dir, name+".crt"), "--http-tls-key", filepath.Join(dir, name+".key")}
}

// The files work as they are, nobody else can read them, and none is overwritten.
func TestTLS_MakesCertificates(t *testing.T) {
	dir := issued(t, "node-1", "client-1")
	for _, name := range []string{"ca", "node-1", "client-1"} {
		for _, kind := range []string{".crt", ".key"} {
			info, err := os.Stat(filepath.Join(dir, name+kind))
			require.NoError(t, err)
			require.EqualValues(t, 0o600, info.Mode().Perm())
		}
	}
	ca := []string{"--ca", filepath.Join(dir, "ca.crt"), "--ca-key", filepath.Join(dir, "ca.key"), "--dir", dir}
	load := func(name string) *certs.Loaded {
		l, err := certs.Load(certs.Files{Cert: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key"), CA: filepath.Join(dir, "ca.crt")})
		require.NoError(t, err)
		return l
	}
	node := load("node-1")
	require.NoError(t, node.CheckPeer("localhost:1", time.Now()))
	require.NoError(t, node.CheckPeer("127.0.0.1:1", time.Now()))
	require.True(t, certs.Marked(node.Pair.Leaf))
	require.WithinDuration(t, time.Now().Add(defaultCertificateLife), node.Pair.Leaf.NotAfter, time.Minute)
	client := load("client-1")
	require.False(t, certs.Marked(client.Pair.Leaf))
	require.ErrorContains(t, client.CheckPeer("", time.Now()), "as a server")
	before, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	require.NoError(t, err)
	for says, args := range map[string][]string{
		"ca.key exists and is not overwritten":     {"tls", "init", "--dir", dir},
		"node-1.key exists and is not overwritten": append([]string{"tls", "node", "--name", "node-1", "--host", "a"}, ca...),
		"--host: missing":                          append([]string{"tls", "node"}, ca...),
		"neither a host name nor an IP address":    append([]string{"tls", "node", "--host", "a:1"}, ca...),
		"not the beginning of a file name":         append([]string{"tls", "client", "--name", "../x"}, ca...),
		"the authority ends at":                    append([]string{"tls", "client", "--name", "long", "--valid", "200000h"}, ca...),
		"is no authority":                          {"tls", "client", "--ca", filepath.Join(dir, "node-1.crt"), "--ca-key", filepath.Join(dir, "node-1.key")},
	} {
		_, _, stderr := outputOf(nil, args...)
		require.Contains(t, stderr, says, args)
	}
	after, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	require.NoError(t, err)
	require.Equal(t, before, after)
	// Half a pair is never left behind.
	require.NoError(t, os.Remove(filepath.Join(dir, "client-1.key")))
	_, _, stderr := outputOf(nil, append([]string{"tls", "client", "--name", "client-1"}, ca...)...)
	require.Contains(t, stderr, "client-1.crt exists")
	require.NoFileExists(t, filepath.Join(dir, "client-1.key"))
}

// get makes one request and returns the protocol and the body.
func get(t testing.TB, conf *tls.Config, http2 bool, url string) (proto, text string, err error) {
	t.Helper()
	var protocols http.Protocols
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	transport := &http.Transport{TLSClientConfig: conf.Clone(), Protocols: &protocols}
	defer transport.CloseIdleConnections()
	re, err := (&http.Client{Transport: transport, Timeout: patience}).Get(url)
	if err != nil {
		return "", "", err
	}
	defer re.Body.Close()
	body, err := io.ReadAll(re.Body)
	return re.Proto, string(body), err
}

// A node with a certificate speaks TLS with every client and every command; HTTP/2 included. The status shows the scheme.
func TestTLS_ClientsConnectWithIt(t *testing.T) {
	t.Parallel()
	dir := issued(t, "node", "node-new", "client")
	ca, key := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "node.key")
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, filepath.Join(dir, "data"), httpTLS(dir, "node")...)...)
	url := p.await(p.stderr, `msg=started .*http=(https://\S+)`)[1]
	p.await(p.stderr, `msg=ready`)
	conf := trust(t, dir)

	for http2, proto := range map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"} {
		got, text, err := get(t, conf, http2, url+"/readyz")
		require.NoError(t, err)
		require.Equal(t, proto, got)
		require.Equal(t, "ready\n", text)
	}
	old := conf.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
	_, _, err := get(t, old, false, url+"/readyz")
	require.ErrorContains(t, err, "protocol version")

	env := map[string]string{"CREDITD_ROOT_KEY": testRootKey}
	address := strings.TrimPrefix(url, "https://")
	code, text, stderr := outputOf(env, "cluster", "status", "--addr", address, "--ca-file", ca, "-o", "json")
	require.Equal(t, exitDone, code, stderr)
	var status api.Status
	require.NoError(t, json.Unmarshal([]byte(text), &status))
	require.Equal(t, url, status.Nodes[0].HTTPAddr)
	code, _, stderr = outputOf(env, "cluster", "status", "--addr", url, "--tls-skip-verify")
	require.Equal(t, exitDone, code, stderr)
	_, _, stderr = outputOf(env, "cluster", "status", "--addr", url)
	require.Contains(t, stderr, "name the authority of the nodes' certificates with --ca-file")
	_, _, stderr = outputOf(env, "cluster", "status", "--addr", address)
	require.Contains(t, stderr, "does it begin with https://")
	code, text, stderr = outputOf(env, "bench", "--addr", url, "--ca-file", ca, "--connections", "2", "--keys", "2", "--duration", "50ms", "--warmup", "0s", "-o", "json")
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, text, `"failures": 0`)

	// A broken file is loud and changes nothing. A whole one counts from the next connection on.
	serial := func() string {
		conn, err := tls.Dial("tcp", address, conf)
		require.NoError(t, err)
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	write(t, key, "half a fi")
	p.signal(syscall.SIGHUP)
	p.await(p.stderr, `level=ERROR msg="the certificate files were changed and cannot be used: .* port=http`)
	require.Equal(t, first, serial())
	_, metrics, err := get(t, conf, true, url+"/metrics")
	require.NoError(t, err)
	require.Contains(t, metrics, "\ncreditd_certificate_files_unusable{port=\"http\"} 1\n")
	require.Contains(t, metrics, "\ncreditd_certificate_not_after_seconds{certificate=\"http\"} ")
	require.NoError(t, os.Rename(filepath.Join(dir, "node-new.key"), key))
	require.NoError(t, os.Rename(filepath.Join(dir, "node-new.crt"), filepath.Join(dir, "node.crt")))
	p.await(p.stderr, `msg="certificate loaded" port=http`) // without a signal
	require.NotEqual(t, first, serial())
	p.terminate()
}

// With an authority for clients, only a client with its certificate gets to say anything.
func TestTLS_DemandsAClientCertificate(t *testing.T) {
	t.Parallel()
	dir, other := issued(t, "node", "client"), issued(t, "client")
	args := append(httpTLS(dir, "node"), "--http-tls-client-ca", filepath.Join(dir, "ca.crt"))
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, filepath.Join(dir, "data"), args...)...)
	url := p.await(p.stderr, `msg=started .*http=(https://\S+)`)[1]
	p.await(p.stderr, `msg=ready`)
	run := func(from string) (int, string) {
		args := []string{"cluster", "status", "--addr", url, "--ca-file", filepath.Join(dir, "ca.crt")}
		if from != "" {
			args = append(args, "--cert-file", filepath.Join(from, "client.crt"), "--key-file", filepath.Join(from, "client.key"))
		}
		code, _, stderr := outputOf(map[string]string{"CREDITD_ROOT_KEY": testRootKey}, args...)
		return code, stderr
	}
	code, stderr := run(dir)
	require.Equal(t, exitDone, code, stderr)
	for _, from := range []string{"", other} {
		code, stderr = run(from)
		require.Equal(t, exitFailed, code)
		require.Contains(t, stderr, "do the nodes demand a certificate of their clients (--cert-file, --key-file)?")
	}
	p.await(p.stderr, `level=WARN msg="http: TLS handshake error`)
	p.terminate()
}

// secured is limited with TLS.
func secured(t *testing.T, limit int, handler http.Handler) (conns *connections, address string, conf *tls.Config) {
	t.Helper()
	return securedBy(t, limit, &streams{limit: int64(limit), patience: patience}, handler, io.Discard)
}

func securedBy(t *testing.T, limit int, bound *streams, handler http.Handler, errorLog io.Writer, tune ...func(*connections)) (conns *connections, address string, conf *tls.Config) {
	t.Helper()
	dir := issued(t, "node")
	keeper, err := certs.Keep("http", certs.Files{Cert: filepath.Join(dir, "node.crt"), Key: filepath.Join(dir, "node.key")}, func(*certs.Loaded) error { return nil })
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conns = limitConnections(l, limit, 0)
	for _, f := range tune {
		f(conns)
	}
	server := &http.Server{ConnState: conns.observe, ConnContext: contextOf, Handler: bound.bound(handler), TLSConfig: certs.HTTPServer(keeper), HTTP2: http2Limits, ReadHeaderTimeout: patience,
		ErrorLog: stdlog.New(errorLog, "", 0)}
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(conns, "", "") }()
	t.Cleanup(func() {
		_ = server.Close()
		require.Error(t, <-served)
	})
	return conns, l.Addr().String(), trust(t, dir)
}

// A handshake that is not completed counts as a connection, and gives way to one that is.
func TestConnections_UnfinishedHandshakesGiveWay(t *testing.T) {
	conns, address, conf := secured(t, 2, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }))
	var silent []net.Conn
	for range 2 {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		defer conn.Close()
		silent = append(silent, conn)
		await(t, func() bool { _, waiting := conns.now(); return waiting == len(silent) })
	}
	for _, http2 := range []bool{false, true} {
		_, text, err := get(t, conf, http2, "https://"+address)
		require.NoError(t, err)
		require.Equal(t, "x", text)
	}
	require.NoError(t, silent[0].SetReadDeadline(time.Now().Add(patience)))
	_, err := silent[0].Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	await(t, func() bool { open, _ := conns.now(); return open <= 2 })
}

// A connection of HTTP/2 waits for a request while it has no stream, so it gives way; with a stream it is busy and stays.
func TestConnections_CountStreams(t *testing.T) {
	release := make(chan struct{})
	conns, address, conf := secured(t, 1, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-release
		}
	}))
	first := h2(t, address, conf)
	await(t, func() bool { open, waiting := conns.now(); return open == 1 && waiting == 1 })
	first.open(t, 1, "/wait")
	await(t, func() bool { open, waiting := conns.now(); return open == 1 && waiting == 0 })
	close(release)
	require.Equal(t, "200", first.status(t, 1))
	await(t, func() bool { _, waiting := conns.now(); return waiting == 1 })
	_, _, err := get(t, conf, true, "https://"+address)
	require.NoError(t, err, "the idle connection made room")
}

// A client may open many streams on one connection. Those beyond the bound are refused, and those beyond the bound of all connections, too.
func TestHTTP2_BoundsStreams(t *testing.T) {
	release, entered := make(chan struct{}), make(chan struct{}, 1000)
	const limit = 150
	_, address, conf := secured(t, limit, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-release
	}))
	defer close(release)
	one, two := h2(t, address, conf), h2(t, address, conf)
	most := uint32(http2Limits.MaxConcurrentStreams)
	for i := range most {
		one.open(t, 2*i+1, "/")
	}
	for range most {
		<-entered
	}
	one.open(t, 2*most+1, "/")
	require.Equal(t, http2.ErrCodeRefusedStream, one.reset(t, 2*most+1))
	for i := range most {
		two.open(t, 2*i+1, "/")
	}
	for range limit - most {
		<-entered
	}
	require.Equal(t, "429", two.anyStatus(t))
}

// A client of HTTP/2 may ask for much and take nothing of the answers. What it does not take counts as under way, and not for long.
func TestHTTP2_BoundsAnswersThatNobodyTakes(t *testing.T) {
	const limit = 10
	bound := &streams{limit: limit, patience: 300 * time.Millisecond}
	_, address, conf := securedBy(t, limit, bound, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }), io.Discard)
	one := h2(t, address, conf, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	for i := range uint32(2 * limit) {
		one.open(t, 2*i+1, "/")
	}
	statuses := map[string]int{}
	one.await(t, func(f http2.Frame) bool {
		if headers, ok := f.(*http2.MetaHeadersFrame); ok {
			statuses[headers.PseudoValue("status")]++
			require.Equal(t, headers.PseudoValue("status") == "429", headers.StreamEnded(), "a refusal waits for nobody")
		}
		return statuses["200"]+statuses["429"] == 2*limit
	})
	require.Equal(t, map[string]int{"200": limit, "429": limit}, statuses)
	cut := 0
	one.await(t, func(f http2.Frame) bool {
		if _, ok := f.(*http2.RSTStreamFrame); ok {
			cut++
		}
		return cut == limit
	})
	await(t, func() bool { return bound.open.Load() == 0 })
}

// Whoever speaks no HTTP/2 where he announced it makes net/http write a line for each connection.
func TestHTTP2_StrangersDoNotFillTheLog(t *testing.T) {
	var lines lockedBuffer
	errorLog := &serverLog{log: slog.New(slog.NewTextHandler(&lines, nil))}
	_, address, conf := securedBy(t, 100, &streams{limit: 100, patience: time.Second}, http.NotFoundHandler(), errorLog)
	conf.NextProtos = []string{"h2"}
	const strangers = 20
	for range strangers {
		conn, err := tls.Dial("tcp", address, conf)
		require.NoError(t, err)
		_, err = io.WriteString(conn, strings.Repeat("no preface ", 10))
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, err = io.Copy(io.Discard, conn)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		conn.Close()
	}
	await(t, func() bool { return errorLog.connections.Total() >= strangers })
	require.Equal(t, 1, strings.Count(lines.String(), "\n"), lines.String())
}

// lockedBuffer may be written by several goroutines.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// rawH2 speaks HTTP/2 frame by frame.
type rawH2 struct {
	*http2.Framer
	conn net.Conn
}

func h2(t *testing.T, address string, conf *tls.Config, settings ...http2.Setting) *rawH2 {
	t.Helper()
	conf = conf.Clone()
	conf.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", address, conf)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, http2.ClientPreface)
	require.NoError(t, err)
	framer := http2.NewFramer(conn, bufio.NewReader(conn))
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	require.NoError(t, framer.WriteSettings(settings...))
	return &rawH2{framer, conn}
}

// open sends a whole GET.
func (c *rawH2) open(t *testing.T, id uint32, path string) {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", path}} {
		require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}))
	}
	require.NoError(t, c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true}))
}

func (c *rawH2) await(t *testing.T, wanted func(http2.Frame) bool) http2.Frame {
	t.Helper()
	for {
		frame, err := c.ReadFrame()
		require.NoError(t, err)
		if wanted(frame) {
			return frame
		}
	}
}

func (c *rawH2) status(t *testing.T, id uint32) string {
	t.Helper()
	frame := c.await(t, func(f http2.Frame) bool { _, ok := f.(*http2.MetaHeadersFrame); return ok && f.Header().StreamID == id })
	return frame.(*http2.MetaHeadersFrame).PseudoValue("status")
}

func (c *rawH2) anyStatus(t *testing.T) string {
	t.Helper()
	frame := c.await(t, func(f http2.Frame) bool { _, ok := f.(*http2.MetaHeadersFrame); return ok })
	return frame.(*http2.MetaHeadersFrame).PseudoValue("status")
}

func (c *rawH2) reset(t *testing.T, id uint32) http2.ErrCode {
	t.Helper()
	frame := c.await(t, func(f http2.Frame) bool { _, ok := f.(*http2.RSTStreamFrame); return ok && f.Header().StreamID == id })
	return frame.(*http2.RSTStreamFrame).ErrCode
}

// Of two certificates of one authority, the one without the mark makes no node. The node that refuses says why.
func TestTLS_BindsPeers(t *testing.T) {
	t.Parallel()
	dir := issued(t, "node", "node-2")
	peer := freeAddress(t)
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, "server", "--data-dir", filepath.Join(dir, "data"), "--bootstrap-expect", "1",
		"--http-addr", "127.0.0.1:0", "--peer-addr", peer, "--gossip-addr", freeAddress(t), "--peer-tls-cert", filepath.Join(dir, "node.crt"),
		"--peer-tls-key", filepath.Join(dir, "node.key"), "--peer-tls-ca", filepath.Join(dir, "ca.crt"))
	p.await(p.stderr, `msg=ready`)
	dial := func(name string) error {
		loaded, err := certs.Load(certs.Files{Cert: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key"), CA: filepath.Join(dir, "ca.crt")})
		require.NoError(t, err)
		dialing, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		conn, err := (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: loaded.Authorities, Certificates: []tls.Certificate{loaded.Pair}}}).DialContext(dialing, "tcp", peer)
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
		_, err = conn.Read(make([]byte, 1))
		return err
	}
	require.ErrorIs(t, dial("node-2"), os.ErrDeadlineExceeded, "the node waits for what the connection is for")
	made(t, dir, "client", "--name", "service", "--ca", filepath.Join(dir, "ca.crt"), "--ca-key", filepath.Join(dir, "ca.key"))
	require.ErrorContains(t, dial("service"), "bad certificate")
	p.await(p.stderr, `level=WARN msg="a certificate of the right authority was refused: it is none of a node" subject="CN=service" .*it has no URI creditd://node`)
	require.Contains(t, metricsOf(t, p.client(testRootKey)), "\ncreditd_peer_certificates_refused_total 1\n")
	p.terminate()
}

// TestPeers_Rule: which certificates of the authority make a node. docs/operating.md.
func TestPeers_Rule(t *testing.T) {
	dir := t.TempDir()
	a := newAuthority(t, dir)
	mark := func(c *x509.Certificate) { c.URIs = append(c.URIs, parsedURL(t, certs.NodeMark)) }
	load := func(cert, key string) *certs.Keeper {
		k, err := certs.Keep("peer", certs.Files{Cert: cert, Key: key, CA: a.file}, func(l *certs.Loaded) error { return l.CheckPeer("", time.Now()) })
		require.NoError(t, err)
		return k
	}
	plain, marked := load(a.issue(t, "plain", "db1.example")), load(a.issue(t, "marked", "n1.example", mark))
	for name, test := range map[string]struct {
		own                 *certs.Keeper
		names               []string
		plain, marks, bound bool
	}{
		"as before: without marks everything of the authority": {own: plain, plain: true, marks: true},
		"marks":             {own: marked, marks: true, bound: true},
		"names, own PKI":    {own: plain, names: []string{"n1.example", "db1.example"}, plain: true, marks: true, bound: true},
		"other names":       {own: plain, names: []string{"x.example"}, marks: true, bound: true},
		"a domain":          {own: marked, names: []string{"*.example"}, plain: true, marks: true, bound: true},
		"a deeper domain":   {own: marked, names: []string{"*.db1.example"}, marks: true, bound: true},
		"while marks begin": {own: marked, names: []string{"*"}, plain: true, marks: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := &certs.Peers{Keeper: test.own, Names: test.names}
			require.Equal(t, test.bound, p.Bound())
			for of, want := range map[*certs.Keeper]bool{plain: test.plain, marked: test.marks} {
				err := p.Client().VerifyConnection(tls.ConnectionState{PeerCertificates: []*x509.Certificate{of.Current().Pair.Leaf}})
				require.Equal(t, want, err == nil, "%v", err)
			}
		})
	}
}

func parsedURL(t testing.TB, raw string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(raw)
	require.NoError(t, err)
	return parsed
}
