package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

// unlogged is a ledger that applies each command at once.
type unlogged struct {
	api.Node
	state *fsm.State
}

func (l *unlogged) Execute(_ context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	if r, ok := l.state.Peek(&call); ok {
		return r, 0, nil
	}
	return l.state.Apply(fsm.Batch{Stamp: startTime, Calls: []fsm.Call{call}})[0], 1, nil
}

// RequestQuota: no workspace has one.
func (*unlogged) RequestQuota(fsm.Hash) (string, int64) { return "", 0 }

func (*unlogged) VerdictBytes([]fsm.Hash) int64 { return 0 }

// TakeTurn: nobody waits.
func (*unlogged) TakeTurn(context.Context, fsm.Hash) (func(), error) { return func() {}, nil }

// BenchmarkVerifyKeys is a batch of 1000 charges from the bytes of the request to those of the answer, without network and log.
func BenchmarkVerifyKeys(b *testing.B) {
	const keys, size = 10_000, 1000
	s := newServer(b)
	s.apply(b, rootKey, &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "bench"})
	name := func(n int) string { return fmt.Sprintf("3fTqXn9vkM2pWzL8rBc%04d", n) }
	for n := range keys {
		s.apply(b, rootKey, &fsm.CreateKey{
			ID: fmt.Sprintf("key_%016d", n), Hash: mint.Hash(name(n)), APIID: "api_1", Enabled: true, Expires: fsm.Never,
			Credits: fsm.NewCredits{Limited: true, Remaining: 1 << 60},
		})
	}
	items := make([]string, size)
	for i := range items {
		items[i] = `{"credits":{"cost":1},"key":"` + name(i*keys/size) + `"}`
	}
	text := `{"verifications":[` + strings.Join(items, ",") + `]}`
	a, err := api.New(api.Config{Node: &unlogged{state: s.state}})
	if err != nil {
		b.Fatal(err)
	}
	r := s.request("keys.verifyKeys", text)
	body := strings.NewReader(text)
	r.Body, r.ContentLength = io.NopCloser(body), int64(len(text))
	w := &sink{header: make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(text)
		clear(w.header)
		a.Handler().ServeHTTP(w, r)
	}
	b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "verifications/s")
}
