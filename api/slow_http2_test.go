package api_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// impatientHTTP2 is impatient over TLS and HTTP/2, and returns a connection that speaks it frame by frame.
func impatientHTTP2(t *testing.T, rate int64) (*server, *http2.Framer) {
	t.Helper()
	aloneOnly(t)
	s := newServer(t, func(c *api.Config) { c.MinRate, c.RatePatience = rate, testPatience })
	web := httptest.NewUnstartedServer(s.handler)
	web.EnableHTTP2, web.Config.ReadTimeout, web.Config.IdleTimeout = true, testPatience, time.Minute
	web.StartTLS()
	t.Cleanup(web.Close)
	conn, err := tls.Dial("tcp", web.Listener.Addr().String(), &tls.Config{
		RootCAs: web.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com", NextProtos: []string{"h2"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, http2.ClientPreface)
	require.NoError(t, err)
	f := http2.NewFramer(conn, conn)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	require.NoError(t, f.WriteSettings())
	return s, f
}

// begin sends the head of a request with a body of n bytes.
func begin(t *testing.T, s *server, f *http2.Framer, endpoint string, n int) {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/v2/" + endpoint},
		{"content-type", "application/json"}, {"authorization", "Bearer " + s.token}, {"content-length", strconv.Itoa(n)},
	} {
		require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}))
	}
	require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true}))
}

// A client of HTTP/2 that sends its body too slowly is cut off like any other.
func TestBody_SlowSendersAreCutOffOverHTTP2(t *testing.T) {
	for _, size := range []int{100, 1 << 20} {
		s, f := impatientHTTP2(t, 1<<20)
		begin(t, s, f, "identities.createIdentity", size)
		require.NoError(t, f.WriteData(1, false, []byte("{")))
		for {
			frame, err := f.ReadFrame()
			require.NoError(t, err)
			if head, ok := frame.(*http2.MetaHeadersFrame); ok {
				require.Equal(t, "408", head.PseudoValue("status"))
				break
			}
		}
		require.NotContains(t, s.calls, "Execute")
	}
}

// A client of HTTP/2 that opens no window for its answer is cut off, and the room is free again.
func TestAnswers_SlowReadersAreCutOffOverHTTP2(t *testing.T) {
	s, f := impatientHTTP2(t, 1<<30)
	s.must("identities.createIdentity", identityBody("fat", 1<<20-100))
	k := s.newKey(s.fixture(), `,"externalId":"fat"`)
	body := k.in(`{"verifications":[{"key":"SECRET"}]}`)
	begin(t, s, f, "keys.verifyKeys", len(body))
	require.NoError(t, f.WriteData(1, true, []byte(body)))
	for {
		frame, err := f.ReadFrame()
		require.NoError(t, err)
		if _, ok := frame.(*http2.RSTStreamFrame); ok {
			break
		}
	}
	require.Eventually(t, func() bool { return s.gauge("answer") == "0" }, 5*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool {
		return strings.Contains(s.visit(http.MethodGet, "/metrics").Body.String(), `creditd_api_slow_clients_total{what="answer"} 1`)
	}, 5*time.Second, 5*time.Millisecond)
}
