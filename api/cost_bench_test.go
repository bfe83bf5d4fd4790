//go:build unix

package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/fsm"
)

// leading is a ledger that takes the steps of a leader: it looks whether a call can be answered as a read before it carries it out.
type leading struct{ *ledger }

func (l leading) Execute(ctx context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	l.mu.Lock()
	r, ok := l.state.Peek(&call)
	l.mu.Unlock()
	if ok {
		return r, l.index, nil
	}
	return l.ledger.Execute(ctx, call)
}

// The cost of a verification with 25 permissions and three rate limits, beside one with neither: from the bytes of the request to those of
// the answer. The two take turns, and what counts is CPU time.
func BenchmarkVerifyKey_WithEverything(b *testing.B) {
	s := newServer(b)
	apiID := s.get("apiId", "apis.createApi", `{"name":"payments"}`)
	var slugs []string
	for i := range 25 {
		slugs = append(slugs, fmt.Sprintf("resource_%02d.action", i))
	}
	key := func(rest string) string {
		return s.get("key", "keys.createKey", `{"apiId":"`+apiID+`","credits":{"remaining":1000000000000}`+rest+`}`)
	}
	const limit = `{"name":%q,"limit":1000000000000,"duration":%d,"autoApply":true}`
	bodies := [2]string{
		`{"key":"` + key("") + `"}`,
		`{"key":"` + key(`,"permissions":["`+strings.Join(slugs, `","`)+`"],"ratelimits":[`+fmt.Sprintf(limit, "second", 1000)+","+
			fmt.Sprintf(limit, "minute", 60_000)+","+fmt.Sprintf(limit, "month", 2_592_000_000)+"]") +
			`","permissions":"` + strings.Join(slugs, " AND ") + `"}`,
	}
	first := s.ledger
	s = newServer(b, func(c *api.Config) { c.Node = leading{first} })

	b.Run("handler", func(b *testing.B) {
		w := &sink{header: make(http.Header)}
		var requests [2]*http.Request
		var sent [2]*strings.Reader
		for kind, body := range bodies {
			requests[kind], sent[kind] = s.request("keys.verifyKey", body), strings.NewReader(body)
			requests[kind].Body = io.NopCloser(sent[kind])
		}
		compare(b, func(kind int) {
			sent[kind].Reset(bodies[kind])
			clear(w.header)
			s.handler.ServeHTTP(w, requests[kind])
		})
	})
	b.Run("http", func(b *testing.B) { // with net/http and the kernel, the client's part included
		server := httptest.NewServer(s.handler)
		defer server.Close()
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		var requests [2]bytes.Buffer
		for kind, body := range bodies {
			r := s.request("keys.verifyKey", body)
			if err := r.Write(&requests[kind]); err != nil {
				b.Fatal(err)
			}
		}
		answer := make([]byte, 16<<10)
		compare(b, func(kind int) {
			if _, err := conn.Write(requests[kind].Bytes()); err != nil {
				b.Fatal(err)
			}
			n, err := conn.Read(answer)
			if err != nil || !bytes.Contains(answer[:n], []byte(`"valid":true`)) {
				b.Fatalf("%v: %s", err, answer[:n])
			}
		})
	})
}

// compare reports the CPU time of both kinds of requests and their ratio.
func compare(b *testing.B, serve func(kind int)) {
	const requests = 5000
	var took [2]time.Duration
	for b.Loop() {
		for kind := range took {
			runtime.GC()
			start := cpuTime(b)
			for range requests {
				serve(kind)
			}
			runtime.GC() // what was left behind is part of the cost
			took[kind] += cpuTime(b) - start
		}
	}
	perRequest := func(kind int) float64 { return float64(took[kind].Nanoseconds()) / float64(b.N*requests) }
	b.ReportMetric(perRequest(0), "ns/plain")
	b.ReportMetric(perRequest(1), "ns/demanding")
	b.ReportMetric(perRequest(1)/perRequest(0), "ratio")
}

// cpuTime is the time that the process has used of any core: a busy machine does not change it much.
func cpuTime(tb testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
