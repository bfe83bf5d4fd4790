package api

import (
	"context"
	"errors"
	"net/http"
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
// within the request timeout is given up.
type chunks struct {
	call *call
	ctx  context.Context
	sent bool // the answer has begun
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
	if err := control.SetWriteDeadline(time.Now().Add(c.api.timeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if !w.sent {
		w.sent = true
		c.begin(http.StatusOK, []string{c.endpoint.media})
	}
	_, err := c.gin.Writer.Write(c.out)
	c.out = c.out[:0]
	if err != nil {
		return err
	}
	return control.Flush()
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
	case c.abandoned():
		c.cut(statusClientClosedRequest)
	default:
		c.logFailure("stream cut short", "cause", err.Error())
		c.cut(http.StatusInternalServerError)
	}
}
