package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/stretchr/testify/require"
)

const testPatience = 100 * time.Millisecond

// impatient serves with the given minimum rate, and returns how to connect.
func impatient(t *testing.T, rate int64) (s *server, dial func() *net.TCPConn) {
	t.Helper()
	aloneOnly(t)
	s = newServer(t, func(c *api.Config) { c.MinRate, c.RatePatience = rate, testPatience })
	web := httptest.NewUnstartedServer(s.handler)
	web.Config.ReadTimeout = testPatience
	web.Start()
	t.Cleanup(web.Close)
	return s, func() *net.TCPConn {
		conn, err := net.Dial("tcp", web.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		return conn.(*net.TCPConn)
	}
}

// head is the head of a request with a body of n bytes.
func (s *server) head(endpoint string, n int) string {
	return fmt.Sprintf("POST /v2/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n",
		endpoint, s.token, n)
}

// status reads an answer.
func status(t *testing.T, conn net.Conn) (int, string) {
	t.Helper()
	re, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer re.Body.Close()
	text, err := io.ReadAll(re.Body)
	require.NoError(t, err)
	return re.StatusCode, string(text)
}

// A client that sends its body too slowly is cut off, however many bytes it has promised. docs/contract.md 1.1.
func TestBody_SlowSendersAreCutOff(t *testing.T) {
	for name, pause := range map[string]time.Duration{"silent": time.Hour, "trickling": 10 * time.Millisecond} {
		for _, size := range []int{100, 1000, 1 << 20} {
			t.Run(fmt.Sprintf("%s %d", name, size), func(t *testing.T) {
				s, dial := impatient(t, 1<<20)
				conn := dial()
				_, err := io.WriteString(conn, s.head("identities.createIdentity", size)+`{`)
				require.NoError(t, err)
				stop := make(chan struct{})
				defer close(stop)
				go func() {
					for tick := time.NewTicker(pause); ; {
						select {
						case <-tick.C:
							_, _ = io.WriteString(conn, ` `)
						case <-stop:
							return
						}
					}
				}()
				code, text := status(t, conn)
				require.Equal(t, 408, code, text)
				require.Contains(t, text, "too slowly")
				require.NotContains(t, s.calls, "Execute")
			})
		}
	}
}

// A client that is fast enough may take longer than the patience lasts.
func TestBody_SteadySendersAreNotCutOff(t *testing.T) {
	s, dial := impatient(t, 64<<10)
	conn := dial()
	body := identityBody("x", 200<<10)
	_, err := io.WriteString(conn, s.head("identities.createIdentity", len(body)))
	require.NoError(t, err)
	for tick := time.NewTicker(testPatience / 4); len(body) > 0; <-tick.C {
		n := min(len(body), 20<<10)
		_, err := io.WriteString(conn, body[:n])
		require.NoError(t, err)
		body = body[n:]
	}
	code, text := status(t, conn)
	require.Equal(t, 200, code, text)
}

// The time for the body ends with the body: a ledger that takes longer is waited for.
func TestBody_TheLedgerMayTakeLonger(t *testing.T) {
	s, dial := impatient(t, 1<<20)
	s.hook = func(ctx context.Context) error {
		select {
		case <-time.After(3 * testPatience):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	conn := dial()
	body := identityBody("x", 1000)
	_, err := io.WriteString(conn, s.head("identities.createIdentity", len(body))+body)
	require.NoError(t, err)
	code, text := status(t, conn)
	require.Equal(t, 200, code, text)
}

// A client that does not take its answer is cut off, and the room is free again.
func TestAnswers_SlowReadersAreCutOff(t *testing.T) {
	s, dial := impatient(t, 1<<30)
	s.must("identities.createIdentity", identityBody("fat", 1<<20-100))
	k := s.newKey(s.fixture(), `,"externalId":"fat"`)
	body := k.in(`{"verifications":[` + strings.Repeat(`{"key":"SECRET"},`, 13) + `{"key":"SECRET"}]}`) // 14 MiB fit into no buffer of a connection
	conn := dial()
	require.NoError(t, conn.SetReadBuffer(4<<10))
	_, err := io.WriteString(conn, s.head("keys.verifyKeys", len(body))+body)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.gauge("answer") != "0" }, 5*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return s.gauge("answer") == "0" }, 5*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool {
		return strings.Contains(s.visit(http.MethodGet, "/metrics").Body.String(), `creditd_api_slow_clients_total{what="answer"} 1`)
	}, 5*time.Second, 5*time.Millisecond)
}
