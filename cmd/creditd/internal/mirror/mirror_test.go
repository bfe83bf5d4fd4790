package mirror

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cmd/creditd/internal/shadow"
)

const patience = 30 * time.Second

// buffer is a recording that several goroutines may look at.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) records(t *testing.T) (list []shadow.Record) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := bufio.NewScanner(bytes.NewReader(b.text.Bytes())); s.Scan(); {
		var r shadow.Record
		require.NoError(t, json.Unmarshal(s.Bytes(), &r))
		list = append(list, r)
	}
	return list
}

const answer = `{"meta":{"requestId":"req_1"},"data":{"valid":true,"code":"VALID","credits":7}}`

// primary is a system that answers verifications.
func primary(t *testing.T, handler http.HandlerFunc) *url.URL {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	parsed, err := url.Parse(server.URL + "/base")
	require.NoError(t, err)
	return parsed
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, text)
	}
}

// start serves a mirror. stop closes it as the command does.
func start(t *testing.T, conf Config) (m *Mirror, address string, stop func()) {
	t.Helper()
	if conf.Logger == nil {
		conf.Logger = slog.New(slog.DiscardHandler)
	}
	conf.CopyTimeout, conf.Copies = patience, max(conf.Copies, 2)
	if conf.Requests == 0 {
		conf.Requests = 1000
	}
	if conf.QueueBytes == 0 {
		conf.QueueBytes = 1 << 20
	}
	m = New(conf)
	server := httptest.NewServer(m)
	var once sync.Once
	stop = func() {
		once.Do(func() {
			server.Close()
			require.NoError(t, m.Close(context.Background()))
		})
	}
	t.Cleanup(stop)
	return m, server.URL, stop
}

func post(t *testing.T, address, body string, headers ...string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/v2/keys.verifyKey", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer client")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(got)
}

// The primary gets what the client sent, and the client what the primary answered. The recording has the hash in place of the key.
func TestMirror_ForwardsAndRecords(t *testing.T) {
	var got []string
	to := primary(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("X-Forwarded-For"), string(body)}, " "))
		w.Header().Set("X-Own", "yes")
		w.WriteHeader(map[bool]int{true: 200, false: 404}[strings.HasSuffix(r.URL.Path, "verifyKey")])
		_, _ = io.WriteString(w, answer)
	})
	record := &buffer{}
	m, address, stop := start(t, Config{Primary: to, Record: record})
	body := `{"key":"secret_1","credits":{"cost":3},"permissions":"a","ratelimits":[{"name":"abc"}],"tags":["x"],"migrationId":"old"}`
	status, text := post(t, address, body, "X-Forwarded-For", "10.0.0.9")
	require.Equal(t, 200, status)
	require.Equal(t, answer, text)
	require.Equal(t, "POST /base/v2/keys.verifyKey Bearer client 10.0.0.9 "+body, got[0])

	response, err := http.Get(address + "/v2/liveness")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, 404, response.StatusCode)
	require.Equal(t, "yes", response.Header.Get("X-Own"))
	stop()
	records := record.records(t)
	require.Len(t, records, 1)
	r := records[0]
	require.WithinDuration(t, time.Now(), time.UnixMilli(r.Time), patience)
	r.Time = 0
	yes, cost, left := true, int64(3), int64(7)
	require.Equal(t, shadow.Record{
		KeyHash: shadow.HashOf("secret_1"), Cost: &cost, Permissions: "a", Ratelimits: json.RawMessage(`[{"name":"abc"}]`),
		Valid: &yes, Code: "VALID", Remaining: &left,
	}, r)
	require.NotContains(t, record.text.String(), "secret_1")
	require.Equal(t, Counts{Forwarded: 2, Seen: 1, Recorded: 1}, m.Counts())
}

// A second system that is slow, fails or is gone is not noticed by clients.
func TestMirror_CopiesNeverTouchTheAnswers(t *testing.T) {
	hung := make(chan struct{})
	defer close(hung)
	for name, copier := range map[string]func(context.Context, []byte) (bool, error){
		"hangs": func(ctx context.Context, _ []byte) (bool, error) {
			select {
			case <-hung:
			case <-ctx.Done():
			}
			return false, ctx.Err()
		},
		"fails":   func(context.Context, []byte) (bool, error) { return false, errors.New("gone") },
		"differs": func(context.Context, []byte) (bool, error) { return false, nil },
	} {
		t.Run(name, func(t *testing.T) {
			conf := Config{
				Primary: primary(t, says(answer)), Copy: copier, CopyTimeout: time.Second, Copies: 1, QueueBytes: 8 << 10, Requests: 1000, Logger: slog.New(slog.DiscardHandler),
			}
			m := New(conf)
			server := httptest.NewServer(m)
			const requests = 100
			for i := range requests {
				status, text := post(t, server.URL, fmt.Sprintf(`{"key":"k%d"}`, i))
				require.Equal(t, 200, status)
				require.Equal(t, answer, text)
			}
			server.Close()
			counts := m.Counts()
			require.EqualValues(t, requests, counts.Seen)
			if name == "hangs" {
				require.Positive(t, counts.Dropped, "what does not fit is dropped and counted")
				require.LessOrEqual(t, m.queued.Load(), int64(8<<10))
				return
			}
			require.NoError(t, m.Close(t.Context()))
			counts = m.Counts()
			require.EqualValues(t, requests, counts.Copied+counts.CopyFailed+counts.Dropped)
			require.Equal(t, counts.Copied, counts.CopyDiffers)
			require.Zero(t, m.queued.Load())
		})
	}
}

// Where copies are debits, only what the primary admitted is copied.
func TestMirror_CopiesOnlyDebits(t *testing.T) {
	var copied atomic.Int64
	to := primary(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "poor") {
			_, _ = io.WriteString(w, `{"data":{"valid":false,"code":"USAGE_EXCEEDED","credits":0}}`)
			return
		}
		_, _ = io.WriteString(w, answer)
	})
	_, address, stop := start(t, Config{Primary: to, OnlyValid: true, Copy: func(_ context.Context, body []byte) (bool, error) {
		copied.Add(1)
		require.Contains(t, string(body), "rich")
		return true, nil
	}})
	for _, key := range []string{"rich", "poor", "rich"} {
		post(t, address, fmt.Sprintf(`{"key":%q}`, key))
	}
	stop()
	require.EqualValues(t, 2, copied.Load())
}

// A client that repeats a request under its Idempotency-Key is debited once, so the second system must not be debited twice.
func TestMirror_CopiesNoRepetition(t *testing.T) {
	to := primary(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Idempotency-Key") == "again" {
			w.Header().Set("Idempotency-Replayed", "true")
		}
		_, _ = io.WriteString(w, answer)
	})
	record, copied := &buffer{}, atomic.Int64{}
	m, address, stop := start(t, Config{Primary: to, Record: record, Copy: func(context.Context, []byte) (bool, error) {
		copied.Add(1)
		return true, nil
	}})
	for _, name := range []string{"first", "again"} {
		_, text := post(t, address, `{"key":"k"}`, "Idempotency-Key", name)
		require.Equal(t, answer, text)
	}
	stop()
	require.EqualValues(t, 1, copied.Load())
	require.Equal(t, Counts{Forwarded: 2, Seen: 2, Recorded: 1, Copied: 1, Repeated: 1}, m.Counts())
	require.Len(t, record.records(t), 1)
}

// A copy that comes to a mirror is forwarded, and not copied again: it could go round for ever.
func TestMirror_CopiesNoCopy(t *testing.T) {
	copied := atomic.Int64{}
	m, address, stop := start(t, Config{Primary: primary(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }),
		Copy: func(context.Context, []byte) (bool, error) {
			copied.Add(1)
			return true, nil
		}})
	_, text := post(t, address, `{"key":"k"}`, CopyHeader, "1")
	require.Equal(t, answer, text)
	stop()
	require.Zero(t, copied.Load())
	require.Equal(t, Counts{Forwarded: 1}, m.Counts())
}

// The end is bounded: neither a second system that hangs nor a recording that nobody takes keeps the process.
func TestMirror_CloseIsBounded(t *testing.T) {
	hanging := func(ctx context.Context, _ []byte) (bool, error) {
		<-ctx.Done()
		return false, ctx.Err()
	}
	unread, writer := io.Pipe()
	defer func() { _ = unread.Close() }()
	ended, end := context.WithCancel(t.Context())
	end()
	for says, conf := range map[string]Config{"no time for all copies": {Copy: hanging}, "nobody takes the recording": {Record: writer}} {
		conf.Primary, conf.CopyTimeout, conf.Copies, conf.QueueBytes, conf.Logger = primary(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, answer)
		}), time.Hour, 1, 1<<20, slog.New(slog.DiscardHandler)
		conf.Requests = 1000
		m := New(conf)
		server := httptest.NewServer(m)
		for range 10 {
			post(t, server.URL, `{"key":"k"}`)
		}
		server.Close()
		require.ErrorContains(t, m.Close(ended), says)
		if conf.Copy != nil {
			counts := m.Counts()
			require.EqualValues(t, 10, counts.CopyFailed+counts.Dropped)
			require.Zero(t, m.queued.Load())
		}
	}
}

// What cannot be recorded is forwarded all the same.
func TestMirror_ForwardsWhatItCannotRead(t *testing.T) {
	large := strings.Repeat("x", maxBody)
	packed := &bytes.Buffer{}
	z := gzip.NewWriter(packed)
	_, _ = io.WriteString(z, answer)
	require.NoError(t, z.Close())
	for name, test := range map[string]struct {
		body, answer, encoding string
		recorded               int64
	}{
		"no JSON":            {body: `{`, answer: answer},
		"no key":             {body: `{}`, answer: answer},
		"large request":      {body: `{"key":"k","tags":["` + large + `"]}`, answer: answer},
		"large answer":       {body: `{"key":"k"}`, answer: `{"data":{"valid":true,"code":"VALID","name":"` + large + `"}}`},
		"other answer":       {body: `{"key":"k"}`, answer: `<html>`},
		"gzip":               {body: `{"key":"k"}`, answer: packed.String(), encoding: "gzip", recorded: 1},
		"gzip that is none":  {body: `{"key":"k"}`, answer: answer, encoding: "gzip"},
		"unknown encoding":   {body: `{"key":"k"}`, answer: answer, encoding: "br"},
		"an answer in order": {body: `{"key":"k"}`, answer: answer, recorded: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			to := primary(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = string(body)
				if test.encoding != "" {
					w.Header().Set("Content-Encoding", test.encoding)
				}
				_, _ = io.WriteString(w, test.answer)
			})
			record := &buffer{}
			m, address, stop := start(t, Config{Primary: to, Record: record})
			_, text := post(t, address, test.body, "Accept-Encoding", "gzip, br")
			require.Equal(t, test.body, got)
			require.Equal(t, test.answer, text, "byte for byte")
			stop()
			require.Len(t, record.records(t), int(test.recorded))
			require.Equal(t, test.recorded, m.Counts().Recorded)
			require.Equal(t, 1-test.recorded, m.Counts().Unreadable)
		})
	}
}

// A recording that cannot be written, or that nobody reads, is not noticed by clients.
func TestMirror_ARecordingThatFailsIsToldOnce(t *testing.T) {
	var log buffer
	m, address, stop := start(t, Config{Primary: primary(t, says(answer)), Record: brokenWriter{}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 5 {
		_, text := post(t, address, `{"key":"k"}`)
		require.Equal(t, answer, text)
	}
	stop()
	require.Equal(t, 1, strings.Count(log.text.String(), "cannot be written"))
	require.EqualValues(t, 5, m.Counts().Seen)

	reader, writer := io.Pipe() // a pipe that nobody reads
	m, address, stop = start(t, Config{Primary: primary(t, says(answer)), Record: writer, QueueBytes: 2 << 10})
	for range 50 {
		_, text := post(t, address, `{"key":"k"}`)
		require.Equal(t, answer, text)
	}
	require.Positive(t, m.Counts().Dropped)
	require.NoError(t, reader.Close())
	stop()
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestMirror_AnswersForADeadPrimary(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	to, err := url.Parse(dead.URL)
	require.NoError(t, err)
	record := &buffer{}
	m, address, stop := start(t, Config{Primary: to, Record: record})
	status, _ := post(t, address, `{"key":"k"}`)
	require.Equal(t, http.StatusBadGateway, status)
	stop()
	require.Empty(t, record.records(t))
	require.EqualValues(t, 1, m.Counts().Failed)
}

// A request that names itself is never sent twice by the mirror: the primary may not know what the name means.
func TestKeep_RepeatsOnlyWhatWasNotWritten(t *testing.T) {
	plain := httptest.NewRequest(http.MethodPost, "/v2/keys.verifyKey", strings.NewReader(`{"key":"k"}`))
	require.NotNil(t, keep(plain).GetBody)
	named := httptest.NewRequest(http.MethodPost, "/v2/keys.verifyKey", strings.NewReader(`{"key":"k"}`))
	named.Header.Set("Idempotency-Key", "a")
	require.Nil(t, keep(named).GetBody)
}

// A flood of requests takes bounded memory: beyond the bound they are refused, and afterwards served again.
func TestMirror_BoundsRequests(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	to := primary(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-leave
		says(answer)(w, r)
	})
	m, address, stop := start(t, Config{Primary: to, Record: &buffer{}, Requests: 2})
	var done sync.WaitGroup
	for range 2 {
		done.Go(func() {
			response, err := http.Post(address+"/v2/keys.verifyKey", "application/json", strings.NewReader(`{"key":"a"}`))
			if err == nil {
				err = response.Body.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
		<-entered
	}
	status, _ := post(t, address, `{"key":"b"}`)
	require.Equal(t, http.StatusServiceUnavailable, status)
	close(leave)
	done.Wait()
	require.Eventually(t, func() bool { return m.active.Load() == 0 }, patience, time.Millisecond)
	go func() { <-entered }()
	status, _ = post(t, address, `{"key":"b"}`)
	require.Equal(t, http.StatusOK, status)
	stop()
	require.EqualValues(t, 1, m.Counts().Refused)
	require.EqualValues(t, 3, m.Counts().Forwarded)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A reader of the log that stops reading holds up nobody. Afterwards it learns how many lines it missed.
func TestLines_NeverWait(t *testing.T) {
	from, to := io.Pipe()
	entered := make(chan struct{}, 2*maxLines)
	l := NewLines(writerFunc(func(line []byte) (int, error) {
		entered <- struct{}{}
		return to.Write(line)
	}))
	_, err := l.Write([]byte("first\n"))
	require.NoError(t, err)
	<-entered // and waits for a reader
	for range maxLines + 10 {
		n, err := l.Write([]byte("line\n"))
		require.NoError(t, err)
		require.Equal(t, 5, n)
	}
	read := bufio.NewScanner(from)
	for range maxLines / 2 {
		require.True(t, read.Scan())
	}
	_, err = l.Write([]byte("last\n"))
	require.NoError(t, err)
	rest := make(chan []string, 1)
	go func() {
		var lines []string
		for read.Scan() {
			lines = append(lines, read.Text())
		}
		rest <- lines
	}()
	l.Close()
	require.NoError(t, to.Close())
	lines := <-rest
	require.Equal(t, "last", lines[len(lines)-1])
	require.Equal(t, `level=WARN msg="10 lines were dropped"`, lines[len(lines)-2])
	n, err := l.Write([]byte("after\n"))
	require.NoError(t, err)
	require.Equal(t, 6, n)
}
