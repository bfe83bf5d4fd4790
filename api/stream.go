package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// raw is an answer without the envelope: the body itself, of the endpoint's media type.
type raw []byte

// stream is an answer without the envelope that is written piece by piece, of the endpoint's media type. It may take longer than a
// request may. ctx ends when the client hangs up. An error before the first bytes are sent is answered like any other; later, it cuts
// the connection.
type stream func(ctx context.Context, w *chunks) error

// succeedBare sends an answer without the envelope.
func (c *call) succeedBare(answer any) {
	switch answer := answer.(type) {
	case raw:
		c.send(http.StatusOK, []string{c.endpoint.media}, answer)
	case stream:
		answer.send(c)
	default:
		panic("api: an answer with a media type is raw or a stream")
	}
}

// maxChunk is how many bytes of a stream wait to be sent.
const maxChunk = 32 << 10

// chunks is what a stream writes to. It sends what it has when it is full, and on Flush. A client that does not take a chunk
// within the request timeout is given up, and one that takes the whole more slowly than Config.MinRate.
type chunks struct {
	call   *call
	ctx    context.Context
	sent   bool          // the answer has begun
	bytes  int           // sent, or to be sent next
	waited time.Duration // for the client
}

// Write implements io.Writer.
func (w *chunks) Write(p []byte) (int, error) {
	written := 0
	for {
		n := min(len(p), maxChunk-len(w.call.out))
		w.call.out = append(w.call.out, p[:n]...)
		p, written = p[n:], written+n
		if len(p) == 0 {
			return written, nil
		}
		if err := w.Flush(); err != nil {
			return written, err
		}
	}
}

// Flush sends what was written so far.
func (w *chunks) Flush() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	c := w.call
	control := http.NewResponseController(c.gin.Writer)
	began := time.Now()
	defer func() { w.waited += time.Since(began) }()
	w.bytes += len(c.out)
	until := w.deadline(began)
	if err := control.SetWriteDeadline(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if !w.sent {
		w.sent = true
		c.begin(http.StatusOK, []string{c.endpoint.media})
	}
	_, err := c.gin.Writer.Write(c.out)
	c.out = c.out[:0]
	if err == nil {
		err = control.Flush()
	}
	if !time.Now().Before(until) {
		err = os.ErrDeadlineExceeded // gin's writer does not tell that a flush failed, and HTTP/2 names another error
	}
	return err
}

// deadline is when the client must have taken what is sent now. Only the time counts in which the stream waited for the client.
func (w *chunks) deadline(now time.Time) time.Time {
	a := w.call.api
	until := now.Add(min(a.timeout, a.ratePatience+a.earned(w.bytes)-w.waited))
	if end, limited := w.ctx.Deadline(); limited && end.Before(until) {
		return end
	}
	return until
}

// send sends all of a stream.
func (s stream) send(c *call) {
	c.ctx = c.gin.Request.Context()   // without the deadline of a request
	c.out = make([]byte, 0, maxChunk) // rather than a buffer that a large answer has left
	w := &chunks{call: c, ctx: c.ctx}
	err := s(c.ctx, w)
	if err == nil {
		err = w.Flush()
	}
	switch {
	case err == nil:
	case !w.sent:
		c.fail(c.problemOf(err))
	case errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded):
		c.api.metrics.slowStreams.Inc()
		c.cut(statusClientClosedRequest)
	case c.abandoned() && !errors.Is(err, context.DeadlineExceeded):
		c.cut(statusClientClosedRequest)
	default:
		c.logFailure("stream cut short", "cause", err.Error())
		c.cut(http.StatusInternalServerError)
	}
}

// exportTime bounds how long an export keeps the pages of the snapshot that it reads on the disk.
const exportTime = time.Hour

var errExportTooLong = fmt.Errorf("an export may take %s", exportTime)

// within lets write write the whole of a stream within a time.
func (w *chunks) within(ctx context.Context, limit time.Duration, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer func(outer context.Context) { w.ctx = outer }(w.ctx)
	w.ctx = ctx
	err := write(ctx)
	if err == nil {
		err = w.Flush()
	}
	if end, _ := ctx.Deadline(); err != nil && !time.Now().Before(end) {
		return fmt.Errorf("%w: %w", errExportTooLong, context.DeadlineExceeded)
	}
	return err
}
