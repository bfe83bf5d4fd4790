package mirror

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Config says where requests go. New trusts it.
type Config struct {
	Primary *url.URL
	Record  io.Writer // gets a line per verification; nil: none
	// Copy sends the body of a verification to the second system and returns whether the key is valid there; nil: no copies. An error is
	// ErrUnknown where the second system may have executed it.
	Copy        func(ctx context.Context, body []byte) (valid bool, err error)
	OnlyValid   bool          // copies are debits, so only what the primary debited is copied
	CopyTimeout time.Duration // of one copy
	Copies      int           // at once
	QueueBytes  int64         // what may wait for the recorder and the copies
	Requests    int           // under way at once; others are answered with 503
	Logger      *slog.Logger
}

// CopyHeader marks a copy. A mirror that gets one forwards it and no more: two mirrors that copy to each other would never end.
const CopyHeader = "Creditd-Mirror-Copy"

// ErrUnknown is a copy without an answer that may have been executed.
var ErrUnknown = errors.New("it may have been executed")

// Counts are what happened so far.
type Counts struct {
	Forwarded   int64 `json:"forwarded"`   // requests of any kind
	Failed      int64 `json:"failed"`      // the primary could not be reached: 502
	Refused     int64 `json:"refused"`     // too many were under way: 503
	Seen        int64 `json:"seen"`        // verifications that the primary answered with 200
	Recorded    int64 `json:"recorded"`    // lines
	Unreadable  int64 `json:"unreadable"`  // verifications whose request or answer is not as expected, or too large
	Dropped     int64 `json:"dropped"`     // the queue was full
	Copied      int64 `json:"copied"`      // copies that were answered
	CopyFailed  int64 `json:"copyFailed"`  // copies that were not, and that the second system did not execute or refused
	CopyUnknown int64 `json:"copyUnknown"` // copies that were not, and that it may have executed
	CopyDiffers int64 `json:"copyDiffers"` // copies that were answered with another valid
	Repeated    int64 `json:"repeated"`    // verifications that the primary had answered before, and did not debit again
}

// Mirror is an http.Handler. Close it after its server.
type Mirror struct {
	conf   Config
	proxy  *httputil.ReverseProxy
	queue  chan *exchange
	copies chan *exchange
	queued atomic.Int64 // bytes in queue and copies
	active atomic.Int64 // requests under way

	failureTold atomic.Int64 // when the reason of a failed copy was told last, in Unix ns

	ended chan struct{}

	copying   context.Context // of all copies
	endCopies context.CancelFunc

	count struct {
		forwarded, failed, refused, seen, recorded, unreadable, dropped, copied, copyFailed, copyUnknown, copyDiffers, repeated atomic.Int64
	}
}

// exchange is one verification: the body, and the primary's answer once it is complete.
type exchange struct {
	request  []byte
	answer   bytes.Buffer
	encoding string
	at       time.Time // of the answer
	valid    bool
	tooLarge bool
}

// maxBody is the largest request and the largest answer that is copied. Larger ones are forwarded only.
const maxBody = 64 << 10

// maxQueued bounds the number of exchanges that wait. Most are far below maxBody, so QueueBytes is the bound that counts.
const maxQueued = 1 << 16

// New starts the background work.
func New(conf Config) *Mirror {
	m := &Mirror{conf: conf, queue: make(chan *exchange, maxQueued), copies: make(chan *exchange, maxQueued), ended: make(chan struct{})}
	m.copying, m.endCopies = context.WithCancel(context.Background())
	m.proxy = &httputil.ReverseProxy{
		Rewrite:        m.rewrite,
		Transport:      newTransport(),
		ModifyResponse: m.watch,
		ErrorHandler:   m.fail,
		ErrorLog:       slog.NewLogLogger(conf.Logger.Handler(), slog.LevelWarn),
	}
	go m.work()
	return m
}

// newTransport keeps connections for less time than servers usually do: a request on one that the server is closing fails. It adds no
// compression, so the client gets the primary's bytes.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 256, IdleConnTimeout: 20 * time.Second, DisableCompression: true,
	}
}

func (m *Mirror) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(m.conf.Primary)
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, ok := r.In.Header[name]; ok { // the request stays as the client sent it
			r.Out.Header[name] = values
		}
	}
}

type exchangeKey struct{}

// ServeHTTP forwards a request, unless too many are under way: each holds up to 128 KiB and two connections.
func (m *Mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer m.active.Add(-1)
	if m.active.Add(1) > int64(m.conf.Requests) {
		m.count.refused.Add(1)
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	m.count.forwarded.Add(1)
	if r.Method == http.MethodPost && r.Header.Get(CopyHeader) == "" && strings.HasSuffix(r.URL.Path, "/v2/keys.verifyKey") {
		r = keep(r)
	}
	m.proxy.ServeHTTP(w, r)
}

// keep reads the body of a verification, so that it can be copied, and be sent again if a connection broke before anything was written. A
// request with an Idempotency-Key would be sent again in other cases, too, so it is not.
func keep(r *http.Request) *http.Request {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		rest := io.Reader(r.Body)
		if err != nil {
			rest = failing{err}
		}
		r.Body = readCloser{io.MultiReader(bytes.NewReader(body), rest), r.Body}
		return r.WithContext(context.WithValue(r.Context(), exchangeKey{}, &exchange{tooLarge: true}))
	}
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, &exchange{request: body}))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if r.Header.Get("Idempotency-Key") == "" && r.Header.Get("X-Idempotency-Key") == "" {
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	return r
}

type readCloser struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// watch reads along while the answer of a verification goes to the client. An answer that repeats an earlier one debited nothing, so a copy of
// it would be a second debit.
func (m *Mirror) watch(response *http.Response) error {
	e, verification := response.Request.Context().Value(exchangeKey{}).(*exchange)
	if !verification || response.StatusCode != http.StatusOK {
		return nil
	}
	m.count.seen.Add(1)
	if response.Header.Get("Idempotency-Replayed") == "true" {
		m.count.repeated.Add(1)
		return nil
	}
	e.encoding = response.Header.Get("Content-Encoding")
	response.Body = &tap{from: response.Body, e: e, m: m}
	return nil
}

func (m *Mirror) fail(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, context.Canceled) { // the client hung up
		m.count.failed.Add(1)
		m.conf.Logger.Warn("the primary did not answer", "path", r.URL.Path, "error", err)
	}
	w.WriteHeader(http.StatusBadGateway)
}

// tap keeps a copy of an answer.
type tap struct {
	from io.ReadCloser
	e    *exchange
	m    *Mirror
	done bool
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if !t.e.tooLarge {
		if t.e.answer.Len()+n > maxBody {
			t.e.tooLarge = true
		} else {
			t.e.answer.Write(p[:n])
		}
	}
	if err == io.EOF {
		t.finish(true)
	}
	return n, err
}

func (t *tap) Close() error {
	t.finish(false)
	return t.from.Close()
}

func (t *tap) finish(complete bool) {
	if t.done {
		return
	}
	t.done = true
	if !complete || t.e.tooLarge {
		t.m.count.unreadable.Add(1)
		return
	}
	t.e.at = time.Now()
	t.m.offer(t.e)
}

// Counts returns what happened so far.
func (m *Mirror) Counts() Counts {
	c := &m.count
	return Counts{
		Forwarded: c.forwarded.Load(), Failed: c.failed.Load(), Refused: c.refused.Load(), Seen: c.seen.Load(), Recorded: c.recorded.Load(), Unreadable: c.unreadable.Load(),
		Dropped: c.dropped.Load(), Copied: c.copied.Load(), CopyFailed: c.copyFailed.Load(), CopyUnknown: c.copyUnknown.Load(), CopyDiffers: c.copyDiffers.Load(),
		Repeated: c.repeated.Load(),
	}
}
