package api

import (
	"errors"
	"io"
	"os"
)

// Sizes of the body buffer. It starts with at most maxAnnouncedBytes, whatever length the client announces.
const (
	minBodyBytes      = 512
	maxAnnouncedBytes = 64 << 10
)

// readBody reads the body into c.body.
func (c *call) readBody() error {
	announced, limit := c.gin.Request.ContentLength, c.api.maxBody
	if announced > limit {
		return &problem{errorType: &bodyTooLarge}
	}
	body := c.body[:0]
	// One byte more than announced, so that the end is seen without growing.
	if want := max(minBodyBytes, min(announced+1, maxAnnouncedBytes)); int64(cap(body)) < want {
		body = make([]byte, 0, want)
	}
	for {
		n, err := c.gin.Request.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return &problem{errorType: &bodyTooLarge}
		case err == io.EOF:
			c.body = body
			return nil
		case err != nil:
			return c.unreadable(err)
		case len(body) == cap(body):
			grown := make([]byte, len(body), 2*cap(body))
			copy(grown, body)
			body = grown
		}
	}
}

// unreadable says why a body did not arrive.
func (c *call) unreadable(err error) *problem {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &problem{errorType: &requestTimeout}
	case c.abandoned():
		return &problem{errorType: &clientClosedRequest}
	}
	return &problem{errorType: &bodyUnreadable}
}
