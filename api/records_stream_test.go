package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/fsm"
)

// namespaces are records that visit decides on: it is asked before each, with its number.
type namespaces func(n int) error

func (namespaces) Index() uint64                          { return 7 }
func (namespaces) Clock() int64                           { return 8 }
func (namespaces) Close() error                           { return nil }
func (namespaces) Find(fsm.RecordKey) (fsm.Record, error) { return nil, nil }

func (namespaces) Rest(ctx context.Context, _ time.Duration) error { return ctx.Err() }

var errNoMore = errors.New("no more")

func (s namespaces) Each(kind fsm.Kind, visit func(fsm.Record) error) error {
	if kind != fsm.NamespaceKind {
		return nil
	}
	for n := 0; ; n++ {
		switch err := s(n); {
		case errors.Is(err, errNoMore):
			return nil
		case err != nil:
			return err
		}
		if err := visit(&fsm.NamespaceRecord{ID: fmt.Sprintf("rlns_%08d", n), WorkspaceID: "ws_1", Name: strings.Repeat("n", 500)}); err != nil {
			return err
		}
	}
}

// exportNode answers exports from the list of records, one for each request.
type exportNode struct {
	noNode
	next chan Records
}

func (n *exportNode) Answer(context.Context, fsm.Hash, fsm.Query) (fsm.Result, uint64, error) {
	return &fsm.ExportScope{WorkspaceID: "ws_1"}, 7, nil
}

func (n *exportNode) Records(context.Context, uint64) (Records, error) { return <-n.next, nil }

// serveExports serves records.exportRecords. post returns the status, what came before the end, and how it ended.
func serveExports(t *testing.T) (a *API, node *exportNode, post func(body string) (*http.Response, string, error)) {
	node = &exportNode{next: make(chan Records, 1)}
	a, err := serving(Config{Node: node, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()}, []*endpoint{exportRecords()})
	require.NoError(t, err)
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	return a, node, func(body string) (*http.Response, string, error) {
		request, err := http.NewRequest(http.MethodPost, server.URL+"/v2/records.exportRecords", strings.NewReader(body))
		if err != nil {
			return nil, "", err
		}
		request.Header.Set("Authorization", "Bearer x")
		request.Header.Set("Content-Type", "application/json")
		re, err := server.Client().Do(request)
		if err != nil {
			return nil, "", err
		}
		defer func() { _ = re.Body.Close() }()
		text, err := io.ReadAll(re.Body)
		return re, string(text), err
	}
}

func metricsOf(a *API) string {
	rec := httptest.NewRecorder()
	a.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return rec.Body.String()
}

func whole(text string) error {
	r, err := records.NewReader(strings.NewReader(text))
	for err == nil {
		_, err = r.Next()
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// One export at a time, and one more of everything: no tenant keeps the operator from a backup.
func TestExport_OneAtATime(t *testing.T) {
	_, node, post := serveExports(t)
	began, release := make(chan struct{}), make(chan struct{})
	node.next <- namespaces(func(n int) error {
		if n > 0 {
			return errNoMore
		}
		close(began)
		<-release
		return nil
	})
	first := make(chan error, 1)
	go func() {
		_, text, err := post(`{}`)
		first <- errors.Join(err, whole(text))
	}()
	<-began
	for _, body := range []string{`{}`, `{"workspaceId":"ws_1"}`} {
		re, text, err := post(body)
		require.NoError(t, err)
		require.Equal(t, 429, re.StatusCode, text)
		require.Equal(t, "5", re.Header.Get("Retry-After"))
	}
	few := namespaces(func(n int) error {
		if n == 3 {
			return errNoMore
		}
		return nil
	})
	node.next <- few
	re, text, err := post(`{"all":true}`)
	require.NoError(t, err)
	require.Equal(t, 200, re.StatusCode)
	require.NoError(t, whole(text))
	close(release)
	require.NoError(t, <-first)
	node.next <- few
	re, _, err = post(`{}`)
	require.NoError(t, err)
	require.Equal(t, 200, re.StatusCode)
}

// A workspace that owes too much waits, as the node says. The operator does not, and neither does who owes little.
func TestExport_RestsAfterALongOne(t *testing.T) {
	a, node, post := serveExports(t)
	a.exportRests.note("ws_1", time.Hour, time.Now())
	for _, body := range []string{`{}`, `{"workspaceId":"ws_1"}`} {
		re, text, err := post(body)
		require.NoError(t, err)
		require.Equal(t, 429, re.StatusCode, text)
		after, err := strconv.Atoi(re.Header.Get("Retry-After"))
		require.NoError(t, err)
		require.InDelta(t, 4*3600-10, after, 60)
	}
	empty := namespaces(func(int) error { return errNoMore })
	node.next <- empty
	re, _, err := post(`{"all":true}`)
	require.NoError(t, err)
	require.Equal(t, 200, re.StatusCode)
	a.exportRests = exportRests{}
	node.next <- empty
	re, _, err = post(`{}`)
	require.NoError(t, err)
	require.Equal(t, 200, re.StatusCode)
	require.NotEmpty(t, a.exportRests.until["ws_1"], "it was charged")
}

// An export that fails on its way is cut, is counted, and leaves its place to the next one.
func TestExport_IsCutWhenItFails(t *testing.T) {
	a, node, post := serveExports(t)
	node.next <- namespaces(func(n int) error {
		if n == 1000 {
			return errors.New("disk on fire")
		}
		return nil
	})
	re, text, err := post(`{}`)
	require.Equal(t, 200, re.StatusCode)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, whole(text), records.ErrIncomplete)
	require.True(t, strings.Contains(metricsOf(a), "creditd_api_exports_cut_total 1\n"))
	node.next <- namespaces(func(int) error { return errNoMore })
	_, text, err = post(`{}`)
	require.NoError(t, err)
	require.NoError(t, whole(text))
	require.True(t, strings.Contains(metricsOf(a), "creditd_api_exports_cut_total 1\n"))
}

// An export keeps pages on the disk, so its time is bounded whatever its client does.
func TestExport_EndsAfterItsTime(t *testing.T) {
	ended := make(chan error, 1)
	b := serveOne(t, time.Minute, ndjson, func(*call, struct{}) (stream, error) {
		return func(ctx context.Context, w *chunks) error {
			x := &exporter{view: namespaces(func(int) error { return nil }), workspace: "ws_1"}
			err := x.send(ctx, w, 50*time.Millisecond)
			ended <- err
			return err
		}, nil
	})
	_, err := io.Copy(io.Discard, b.answer(b.ask()).Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, <-ended, errExportTooLong)
	b.counts("500")
	require.True(t, strings.Contains(metricsOf(b.api), `creditd_api_slow_clients_total{what="stream"} 0`))
}

// resting are records whose reader rests.
type resting struct {
	namespaces
	rest func(worked time.Duration)
}

func (r resting) Rest(ctx context.Context, worked time.Duration) error {
	r.rest(worked)
	return ctx.Err()
}

// An export rests after each short piece of work. The time in which it waits for its client is no work.
func TestExport_RestsAfterItsWork(t *testing.T) {
	const size = 40_000
	rested, worked := 0, time.Duration(0)
	began := time.Now()
	b := serveOne(t, time.Minute, ndjson, func(*call, struct{}) (stream, error) {
		return func(ctx context.Context, w *chunks) error {
			x := &exporter{workspace: "ws_1", view: resting{namespaces(func(n int) error {
				if n == size {
					return errNoMore
				}
				return nil
			}), func(piece time.Duration) {
				if piece < exportWork {
					t.Errorf("a piece of %v", piece)
				}
				rested, worked = rested+1, worked+piece
			}}}
			err := x.send(ctx, w, time.Minute)
			if all := time.Since(began); err == nil && worked > all-w.waited {
				t.Errorf("%v of work in %v, of which %v waited for the client", worked, all, w.waited)
			}
			return err
		}, nil
	})
	answer := b.answer(b.ask())
	_, err := io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	b.counts("200")
	require.Greater(t, rested, 10)
}

// A client that takes a little now and then is given up when the whole is too slow, although it takes each chunk in time.
func TestStream_GivesUpAClientThatIsTooSlow(t *testing.T) {
	ended := make(chan error, 1)
	b := serveOne(t, time.Minute, ndjson, func(*call, struct{}) (stream, error) {
		return func(_ context.Context, w *chunks) error {
			for {
				if _, err := w.Write(make([]byte, maxChunk)); err != nil {
					ended <- err
					return err
				}
			}
		}, nil
	})
	b.api.ratePatience, b.api.minRate = 100*time.Millisecond, 64<<20
	body := b.answer(b.ask()).Body
	read, pace := 0, time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for buffer := make([]byte, 2<<10); ; <-pace.C { // at most 2 MiB/s
		n, err := body.Read(buffer)
		if read += n; err != nil {
			break
		}
	}
	require.Greater(t, read, maxChunk, "it took whole chunks")
	require.ErrorIs(t, <-ended, os.ErrDeadlineExceeded)
	b.counts("499")
	require.True(t, strings.Contains(metricsOf(b.api), `creditd_api_slow_clients_total{what="stream"} 1`))
}
