package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creditd/creditd/api/openapi"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// noNode is a node that nobody asks.
type noNode struct{ Node }

func (noNode) RequestQuota(fsm.Hash) (string, int64) { return "", 0 }

func (noNode) VerdictBytes([]fsm.Hash) int64 { return 0 }

// TakeTurn: nobody waits.
func (noNode) TakeTurn(context.Context, fsm.Hash) (func(), error) { return func() {}, nil }

// bench serves one endpoint that exists only in a test, over connections without a buffer: what is written waits until it is read.
type bench struct {
	t       *testing.T
	api     *API
	log     *lockedBuffer
	connect chan net.Conn
	once    sync.Once // closes connect
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

// Accept, Close and Addr make it a net.Listener.
func (b *bench) Accept() (net.Conn, error) {
	conn, ok := <-b.connect
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (b *bench) Close() error {
	b.once.Do(func() { close(b.connect) })
	return nil
}

func (b *bench) Addr() net.Addr { return &net.TCPAddr{} }

func serveOne[Answer any](t *testing.T, timeout time.Duration, media string, handler func(*call, struct{}) (Answer, error)) *bench {
	t.Helper()
	b := &bench{t: t, log: &lockedBuffer{}, connect: make(chan net.Conn)}
	a, err := serving(Config{
		Node: noNode{}, RequestTimeout: timeout, Logger: slog.New(slog.NewTextHandler(b.log, nil)), Registry: prometheus.NewRegistry(),
	}, []*endpoint{read("test.endpoint", about{summary: "Test", media: media, example: `{}`}, handler)})
	require.NoError(t, err)
	b.api = a
	server := &http.Server{Handler: a.Handler(), ErrorLog: slog.NewLogLogger(slog.NewTextHandler(b.log, nil), slog.LevelError)}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(b) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	return b
}

// ask sends a request on a connection of its own.
func (b *bench) ask() net.Conn {
	b.t.Helper()
	here, there := net.Pipe()
	b.connect <- there
	b.t.Cleanup(func() { here.Close() })
	_, err := here.Write([]byte("POST /v2/test.endpoint HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
		"Authorization: Bearer x\r\nContent-Length: 2\r\n\r\n{}"))
	require.NoError(b.t, err)
	return here
}

// answer reads the header of the answer.
func (b *bench) answer(conn net.Conn) *http.Response {
	b.t.Helper()
	re, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { re.Body.Close() })
	return re
}

// counts requires that the metrics count one request, with this status.
func (b *bench) counts(status string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		rec := httptest.NewRecorder()
		b.api.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return strings.Contains(rec.Body.String(), `creditd_api_requests_total{endpoint="test.endpoint",status="`+status+`"} 1`)
	}, 10*time.Second, time.Millisecond)
}

const ndjson = "application/x-ndjson"

// A watcher sees what happens when it happens, and a stream may take longer than a request.
func TestStream_SendsWhatIsFlushed(t *testing.T) {
	more := make(chan struct{})
	b := serveOne(t, time.Minute, ndjson, func(c *call, _ struct{}) (stream, error) {
		c.index = 7
		return func(ctx context.Context, w *chunks) error {
			if _, limited := ctx.Deadline(); limited {
				return errors.New("a stream has no deadline")
			}
			if _, err := io.WriteString(w, "first\n"); err != nil {
				return err
			}
			if err := w.Flush(); err != nil {
				return err
			}
			<-more
			_, err := io.WriteString(w, "second\n")
			return err
		}, nil
	})
	re := b.answer(b.ask())
	require.Equal(t, 200, re.StatusCode)
	require.Equal(t, ndjson, re.Header.Get("Content-Type"))
	require.Equal(t, "7", re.Header.Get("Creditd-Index"))
	require.Equal(t, []string{"chunked"}, re.TransferEncoding)
	first := make([]byte, len("first\n"))
	_, err := io.ReadFull(re.Body, first)
	require.NoError(t, err)
	require.Equal(t, "first\n", string(first))
	close(more)
	rest, err := io.ReadAll(re.Body)
	require.NoError(t, err)
	require.Equal(t, "second\n", string(rest))
	b.counts("200")
}

// A backup is larger than memory, and its client slower than the disk.
func TestStream_WaitsForTheClientInBoundedMemory(t *testing.T) {
	const size, piece = 32 << 20, 100_000
	var written atomic.Int64
	var largest atomic.Int64
	b := serveOne(t, time.Minute, ndjson, func(*call, struct{}) (stream, error) {
		return func(_ context.Context, w *chunks) error {
			for written.Load() < size {
				n, err := w.Write(make([]byte, piece))
				if err != nil {
					return err
				}
				written.Add(int64(n))
				largest.Store(max(largest.Load(), int64(cap(w.call.out))))
			}
			return nil
		}, nil
	})
	re := b.answer(b.ask())
	read, buf := int64(0), make([]byte, 1<<20)
	for {
		n, err := re.Body.Read(buf)
		read += int64(n)
		require.LessOrEqual(t, written.Load(), read+piece+2*maxChunk, "the stream is ahead of the client")
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	require.Equal(t, written.Load(), read)
	require.LessOrEqual(t, largest.Load(), int64(2*maxChunk))
}

// Before the first byte an error is an answer like any other.
func TestStream_FailsBeforeItsFirstByte(t *testing.T) {
	for name, handler := range map[string]func(*call, struct{}) (stream, error){
		"handler": func(*call, struct{}) (stream, error) { return nil, fault.New(fault.Unavailable, "no leader") },
		"stream": func(*call, struct{}) (stream, error) {
			return func(_ context.Context, w *chunks) error {
				if _, err := io.WriteString(w, "not sent yet"); err != nil {
					return err
				}
				return fault.New(fault.Unavailable, "no leader")
			}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := serveOne(t, time.Minute, ndjson, handler)
			re := b.answer(b.ask())
			require.Equal(t, 503, re.StatusCode)
			require.Equal(t, "application/json", re.Header.Get("Content-Type"))
			require.Equal(t, "1", re.Header.Get("Retry-After"))
			var envelope struct{ Error struct{ Detail string } }
			require.NoError(t, json.NewDecoder(re.Body).Decode(&envelope))
			require.Equal(t, "no leader", envelope.Error.Detail)
			b.counts("503")
		})
	}
}

// After the first byte the client must see that the answer is not complete.
func TestStream_CutsTheConnectionWhenItFailsLater(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("disk on fire") },
		"panic": func() error { panic("disk on fire") },
	} {
		t.Run(name, func(t *testing.T) {
			b := serveOne(t, time.Minute, ndjson, func(*call, struct{}) (stream, error) {
				return func(_ context.Context, w *chunks) error {
					if _, err := io.WriteString(w, "half"); err != nil {
						return err
					}
					if err := w.Flush(); err != nil {
						return err
					}
					return fail()
				}, nil
			})
			re := b.answer(b.ask())
			require.Equal(t, 200, re.StatusCode)
			text, err := io.ReadAll(re.Body)
			require.Equal(t, "half", string(text))
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			b.counts("500")
			require.Contains(t, b.log.text(), "disk on fire")
			require.Contains(t, b.log.text(), "test.endpoint")
		})
	}
}

// A client that hangs up ends the stream, also while the stream has nothing to send.
func TestStream_EndsWithItsClient(t *testing.T) {
	ended := make(chan error, 1)
	b := serveOne(t, time.Minute, ndjson, func(*call, struct{}) (stream, error) {
		return func(ctx context.Context, w *chunks) error {
			if err := w.Flush(); err != nil {
				return err
			}
			<-ctx.Done()
			_, err := w.Write(make([]byte, maxChunk+1))
			ended <- err
			return err
		}, nil
	})
	conn := b.ask()
	b.answer(conn)
	require.NoError(t, conn.Close())
	require.ErrorIs(t, <-ended, context.Canceled)
	b.counts("499")
	require.NotContains(t, b.log.text(), "cut short", "no failure of the server")
}

// A client that takes nothing does not hold what the stream holds.
func TestStream_GivesUpAClientThatDoesNotRead(t *testing.T) {
	ended := make(chan error, 1)
	b := serveOne(t, 20*time.Millisecond, ndjson, func(*call, struct{}) (stream, error) {
		return func(_ context.Context, w *chunks) error {
			_, err := w.Write(make([]byte, 4*maxChunk))
			ended <- err
			return err
		}, nil
	})
	b.ask()
	require.ErrorIs(t, <-ended, os.ErrDeadlineExceeded)
}

// An answer need not be JSON.
func TestRaw_HasNoEnvelope(t *testing.T) {
	for name, text := range map[string]string{"short": "a,b\n1,2\n", "long": strings.Repeat("x", 2*maxUnannounced), "empty": ""} {
		t.Run(name, func(t *testing.T) {
			b := serveOne(t, time.Minute, "text/csv", func(*call, struct{}) (raw, error) { return raw(text), nil })
			re := b.answer(b.ask())
			require.Equal(t, 200, re.StatusCode)
			require.Equal(t, "text/csv", re.Header.Get("Content-Type"))
			require.EqualValues(t, len(text), re.ContentLength)
			body, err := io.ReadAll(re.Body)
			require.NoError(t, err)
			require.Equal(t, text, string(body))
			b.counts("200")
		})
	}
}

func TestRaw_FailsInTheEnvelope(t *testing.T) {
	b := serveOne(t, time.Minute, "text/csv", func(*call, struct{}) (raw, error) { return nil, invalid("No such table") })
	re := b.answer(b.ask())
	require.Equal(t, 400, re.StatusCode)
	require.Equal(t, "application/json", re.Header.Get("Content-Type"))
	body, err := io.ReadAll(re.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), `"detail":"No such table"`)
}

// The document gives the media type of such an answer, and no schema of data.
func TestDocument_DescribesAnswersWithoutEnvelope(t *testing.T) {
	streams := read("test.endpoint", about{media: ndjson, example: `{}`}, func(*call, struct{}) (stream, error) { return nil, nil })
	text, err := openapi.Document("v0", describe([]*endpoint{streams}), nil)
	require.NoError(t, err)
	var document struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct{ Content map[string]any }
		}
	}
	require.NoError(t, json.Unmarshal(text, &document))
	require.Equal(t, map[string]any{ndjson: map[string]any{}}, document.Paths["/v2/test.endpoint"]["post"].Responses["200"].Content)
	require.Contains(t, openapi.Page("", describe([]*endpoint{streams}), nil), "Result: `"+ndjson+"`, without an envelope.")
}
