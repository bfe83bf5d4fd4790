package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/creditd/creditd/fsm"
)

// Sizes of bodies. A body is counted with what is decoded from it.
const (
	minBodyBytes = 512
	// freeBodyBytes is up to what a body is not counted: the buffers of a connection hold about as much.
	freeBodyBytes = 4 << 10
	// smallBodyBytes is up to what a body is received from anybody.
	smallBodyBytes = 64 << 10
	bodyWeight     = 4
	// smallBodyShare is the part of the budget that small bodies have for themselves.
	smallBodyShare = 2
)

// RatePatience is how long a client may be slower than Config.MinRate. A server that sets ReadTimeout to it cuts off bodies that never begin.
const RatePatience = 5 * time.Second

// readBody reads the body into c.body.
func (c *call) readBody() error {
	announced, limit := c.gin.Request.ContentLength, c.api.maxBody
	c.unread = true
	if announced > limit {
		return &problem{errorType: &bodyTooLarge}
	}
	if err := c.holdBody(announced); err != nil {
		return err
	}
	body := c.body[:0]
	// One byte more than announced, so that the end is seen without growing.
	if want := max(minBodyBytes, min(announced, smallBodyBytes)+1); int64(cap(body)) < want {
		body = make([]byte, 0, want)
	}
	for {
		n, err := c.gin.Request.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return &problem{errorType: &bodyTooLarge}
		case err == io.EOF:
			c.body, c.unread = body, false
			return c.setReadDeadline(time.Time{})
		case err != nil:
			return c.unreadable(err)
		case len(body) == cap(body):
			next := nextCapacity(int64(cap(body)), announced, limit)
			if err := c.holdBody(next - 1); err != nil {
				return err
			}
			grown := make([]byte, len(body), next)
			copy(grown, body)
			body = grown
		}
		if err := c.expectMore(len(body)); err != nil {
			return err
		}
	}
}

// nextCapacity is how large a full buffer grows. The bounds are the end of the body, and the sizes up to which bodies are counted alike.
func nextCapacity(capacity, announced, limit int64) int64 {
	next := 2 * capacity
	if capacity > smallBodyBytes {
		next *= 2 // the earlier buffers are a third of the last one; with twofold they would be as much as it
	}
	for _, edge := range []int64{freeBodyBytes, smallBodyBytes, announced, limit} {
		if capacity <= edge {
			next = min(next, edge+1)
		}
	}
	return next
}

// holdBody makes room for a body of up to n bytes. Without a known root key nobody gets much: a large body needs one that has the endpoint's
// permissions, and a small one needs one while half of the room is taken.
func (c *call) holdBody(n int64) error {
	if n <= freeBodyBytes {
		return nil
	}
	room, large := c.api.smallBodies, n > smallBodyBytes
	if large {
		room = c.api.largeBodies
	}
	if large || room.scarce() {
		if err := c.recognize(large); err != nil {
			return err
		}
	} else if token, ok := bearerToken(c.gin.Request.Header); ok {
		c.hashActor(token)
	}
	if large && c.api.memoryShort() {
		return c.api.memoryFull()
	}
	if !c.received.grow(room, c.actor, n*bodyWeight) {
		return c.api.bodiesFull()
	}
	return nil
}

// recognize returns nil if the caller is authenticated and, for a large body, may have the endpoint's permissions.
func (c *call) recognize(large bool) error {
	if c.mayBeAble || c.recognized && !large {
		return nil
	}
	header := c.gin.Request.Header
	if err := checkHeader(header); err != nil {
		return err
	}
	token, ok := bearerToken(header)
	if !ok {
		return &problem{errorType: &malformedAuthorization}
	}
	c.hashActor(token)
	if err := c.mayAuthenticate(); err != nil {
		return err
	}
	err := c.takingOwnYes(c.authenticate)
	if err == nil && large {
		err = c.refuseUnable()
	}
	if err == nil {
		c.recognized, c.mayBeAble, c.index = true, large, 0
	}
	return err
}

// takingOwnYes asks this node's own state. A yes is enough, because the ledger decides again. A no may be out of date, so the cluster is asked.
func (c *call) takingOwnYes(ask func() error) error {
	c.consistency.stale = true
	err := ask()
	c.consistency.stale = false
	if err != nil {
		err = ask()
	}
	return err
}

// refuseUnable refuses a request that can only get a 403, whatever its body says. Where permissions are for single resources, one for any of them
// lets the body in. A repetition needs no permission: docs/contract.md 7.1.
func (c *call) refuseUnable() error {
	for _, n := range c.endpoint.needsFirst {
		err := c.takingOwnYes(func() error {
			_, err := answer[*fsm.Done](c, &fsm.Authorize{Permission: string(n.permission), OnSome: n.id != ""})
			return err
		})
		lacks, ok := err.(*refused)
		if ok && lacks.Code == fsm.InsufficientPermissions {
			if repeats, err := c.mayBeRepetition(); repeats || err != nil {
				return err
			}
			if err := c.countRequest(); err != nil {
				return err
			}
			return &refused{Code: fsm.InsufficientPermissions, Accepted: n.accepted()}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// expectMore gives the client time for more, as much as what it has sent so far earns.
func (c *call) expectMore(received int) error {
	until := c.start.Add(min(c.api.ratePatience+c.api.earned(received), c.api.timeout))
	const worthwhile = 100 * time.Millisecond // spares a client that sends byte by byte a system call for each
	if until.Sub(c.bodyUntil) < worthwhile {
		return nil
	}
	c.bodyUntil = until
	return c.setReadDeadline(until)
}

// setReadDeadline ends the wait for the client's bytes.
func (c *call) setReadDeadline(at time.Time) error {
	if conn := connectionOf(c.gin.Writer); conn != nil {
		if err := conn.SetReadDeadline(at); err != nil {
			return c.unreadable(err)
		}
	}
	return nil
}

// connection is what a writer with deadlines has.
type connection interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// connectionOf finds the connection behind a writer; nil: there is none. Unlike http.ResponseController it allocates nothing.
func connectionOf(w http.ResponseWriter) connection {
	for {
		switch inner := w.(type) {
		case connection:
			return inner
		case interface{ Unwrap() http.ResponseWriter }:
			w = inner.Unwrap()
		default:
			return nil
		}
	}
}

// unreadable says why a body did not arrive.
func (c *call) unreadable(err error) *problem {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.api.metrics.slowSenders.Inc()
		return &problem{errorType: &requestTimeout, detail: fmt.Sprintf(
			"The request body arrived too slowly: at most %d s plus 1 s for every %d bytes, and %d s in all. It was not executed",
			int(c.api.ratePatience.Seconds()), c.api.minRate, int(c.api.timeout.Seconds()))}
	case c.abandoned():
		return &problem{errorType: &clientClosedRequest}
	}
	return &problem{errorType: &bodyUnreadable}
}
