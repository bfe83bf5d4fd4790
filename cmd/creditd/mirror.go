package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cmd/creditd/internal/mirror"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/fsm"
)

var _ = register(registration{use: "mirror", short: "forward requests to another system, and record or copy its verifications",
	long: `Forwards every request to --primary and answers with its answer. In the background it writes each
verification and the primary's answer to --record, as 'creditd shadow' reads them, with the hash
of the key in its place. It also sends each verification to creditd: with --copy preview as a
question without a debit, with --copy verify as a real one, after the primary admitted it.

Nothing in the background delays or fails the primary's answers: what does not fit is dropped and
counted, and a copy is sent once. The counts go to stderr.`,
	make: func() command {
		return &mirrorCommand{listen: "127.0.0.1:7080", copies: copyNothing, concurrency: 64, requests: 1024, queue: 64 << 20, drain: 30 * time.Second}
	}})

// What is sent to creditd.
const (
	copyNothing = "none"
	copyPreview = "preview"
	copyVerify  = "verify"
)

type mirrorCommand struct {
	operator
	listen, primary, record string
	copies                  string
	concurrency, requests   int
	queue                   uint64
	drain                   time.Duration
	primaryURL              *url.URL
}

func (m *mirrorCommand) bind(s *settings.Set) {
	s.Group("Requests")
	settings.Value(s, &m.listen, "listen", "HOST:PORT", "address for clients", parseAddress)
	s.Text(&m.primary, "primary", "URL", "the system that answers; required")
	settings.Number(s, &m.requests, "requests", 1, 65536, "requests at once; others are answered with 503")
	s.Duration(&m.drain, "drain", 0, "how long to wait at the end for requests under way, and for copies")
	s.Group("Background")
	s.Text(&m.record, "record", "FILE", "append a line per verification to FILE; -: stdout")
	settings.Choice(s, &m.copies, "copy", "what to send to --addr", copyNothing, copyPreview, copyVerify)
	settings.Number(s, &m.concurrency, "copies", 1, 4096, "copies at once")
	s.Size(&m.queue, "queue-memory", "memory for verifications that wait to be recorded or copied")
	m.operator.bind(s)
}

func (m *mirrorCommand) check(in invocation, s *settings.Set) {
	var err error
	switch m.primaryURL, err = url.Parse(m.primary); {
	case m.primary == "":
		s.Refuse("primary", "missing; name the system that answers, for example https://api.unkey.com")
	case err != nil || m.primaryURL.Host == "" || m.primaryURL.Scheme != "http" && m.primaryURL.Scheme != "https" || m.primaryURL.RawQuery != "":
		s.Refuse("primary", "%q: not an http or https URL", m.primary)
	case m.primaryURL.User != nil || m.primaryURL.Fragment != "":
		s.Refuse("primary", "%q: a user, a password or a fragment would not be sent", m.primaryURL.Redacted())
	}
	if m.copies != copyNothing {
		m.operator.check(in, s)
	}
	if m.copies == copyVerify && m.primaryURL != nil {
		for _, addr := range m.addrs {
			second, err := url.Parse(withScheme(addr))
			if err == nil && (hostPort(second) == hostPort(m.primaryURL) || second.Host == m.listen) {
				s.Refuse("addr", "%s: is the primary or the mirror itself, and copies would be debited there once more", addr)
			}
		}
	}
	if m.copies == copyNothing && m.record == "" {
		s.Refuse("record", "missing; without --copy there is nothing else to do")
	}
}

// hostPort is where a URL leads to.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(port, "80"))
}

func (m *mirrorCommand) run(in invocation) (err error) {
	record, closeRecord, err := m.openRecord(in.stdout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeRecord()) }()
	if err := m.mayCopy(in.stderr); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGPIPE) // a reader of stdout or stderr that goes away must not end the way to the primary
	listener, err := net.Listen("tcp", m.listen)
	if err != nil {
		return err
	}
	lines := mirror.NewLines(in.stderr)
	defer lines.Close()
	logger := slog.New(slog.NewTextHandler(lines, nil))
	mirrored := mirror.New(mirror.Config{
		Primary: m.primaryURL, Record: record, Copy: m.copier(), OnlyValid: m.copies == copyVerify, CopyTimeout: m.timeout, Copies: m.concurrency,
		QueueBytes: int64(m.queue), Requests: m.requests, Logger: logger,
	})
	server := &http.Server{Handler: mirrored, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn)}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger.Info("mirroring", "listen", listener.Addr().String(), "primary", m.primaryURL.Redacted(), "record", m.record, "copy", m.copies)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	err = m.watch(ctx, mirrored, served, logger)
	stop() // another signal ends the process
	draining, cancel := context.WithTimeout(context.Background(), m.drain)
	defer cancel()
	if failed := server.Shutdown(draining); failed != nil {
		err = errors.Join(err, fmt.Errorf("requests were under way after --drain: %w", failed), server.Close())
		return err // a request may still offer something, so the queue stays open
	}
	err = errors.Join(err, mirrored.Close(draining))
	tell(logger, mirrored.Counts())
	return err
}

// watch tells the counts until the end. A server that ends by itself is an error.
func (m *mirrorCommand) watch(ctx context.Context, mirrored *mirror.Mirror, served <-chan error, logger *slog.Logger) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	var told mirror.Counts
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-served:
			return err
		case <-tick.C:
			if now := mirrored.Counts(); now != told {
				told = now
				tell(logger, now)
			}
		}
	}
}

func tell(logger *slog.Logger, c mirror.Counts) {
	logger.Info("counts", "forwarded", c.Forwarded, "failed", c.Failed, "verifications", c.Seen, "recorded", c.Recorded, "unreadable", c.Unreadable,
		"dropped", c.Dropped, "copied", c.Copied, "copyFailed", c.CopyFailed, "copyUnknown", c.CopyUnknown, "copyDiffers", c.CopyDiffers, "repeated", c.Repeated, "refused", c.Refused)
}

// openRecord opens the recording; nil: there is none.
func (m *mirrorCommand) openRecord(stdout io.Writer) (io.Writer, func() error, error) {
	nothing := func() error { return nil }
	switch m.record {
	case "":
		return nil, nothing, nil
	case "-":
		return stdout, nothing, nil
	}
	file, err := os.OpenFile(m.record, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("--record: %w", err)
	}
	return file, file.Close, nil
}

// mayCopy asks whether the root key may verify keys, where the copies go to creditd. A system that does not answer may be another one, or come
// later.
func (m *mirrorCommand) mayCopy(stderr io.Writer) error {
	if m.copies == copyNothing {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	var own rootKeyShown
	answer, _ := m.reach(ctx, ownRootKey, struct{}{}, &own)
	if answer.Err != nil {
		fmt.Fprintf(stderr, "nobody says whether the root key may verify keys at --addr; if it may not, each copy is another answer: %v\n", answer.Err)
		return nil
	}
	return own.holds(fsm.VerifyKeyPermission, stderr)
}

// copier sends each copy to the first node that can be reached; nil: there are no copies.
func (m *mirrorCommand) copier() func(context.Context, []byte) (bool, error) {
	endpoint := map[string]string{copyPreview: "keys.previewVerification", copyVerify: "keys.verifyKey"}[m.copies]
	if endpoint == "" {
		return nil
	}
	return func(ctx context.Context, body []byte) (bool, error) {
		var v struct{ Valid bool }
		answer, _ := m.reach(ctx, endpoint, json.RawMessage(body), &v, client.Header{Name: mirror.CopyHeader, Value: "1"})
		if answer.Outcome == client.Unknown {
			return false, fmt.Errorf("%w: %w", mirror.ErrUnknown, answer.Err)
		}
		return v.Valid, answer.Err
	}
}
