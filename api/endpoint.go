package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
	"github.com/gin-gonic/gin"
)

// about is what an endpoint says of itself, beyond what its types say.
type about struct {
	summary   string
	text      string
	needs     []need            // root permissions of the caller, all of them
	needsNote string            // sentences about them
	example   string            // a body that a ledger with the example ids answers with 200
	refuses   []fsm.RefusalCode // beyond what every endpoint may answer

	// metaOnly: the answer has no data, and errors are always problem+json. Only identities.deleteIdentity.
	metaOnly bool
	// outsideLedger: the ledger does not record the effect, so there is no Idempotency-Key.
	outsideLedger bool
	// returnsSecret: only the root key and Idempotency-Key of the first call get the same answer again.
	returnsSecret bool
	// inParts: a request may have parts, each with an idempotency record of its own.
	inParts bool
	// media is the content type of an answer that is raw or a stream.
	media string
}

// endpoint is one endpoint of the contract.
type endpoint struct {
	about
	name string // "keys.verifyKey"
	path string // "/v2/keys.verifyKey"
	// run takes every step between the request line and the answer.
	run func(c *call) (answer any, err error)
	// reads: the headers that choose the consistency of a read apply.
	reads bool
	// request is the JSON Schema of the body: see schema.JSONSchema.
	request func(define func(name string, object map[string]any) map[string]any) map[string]any
	// result is the Go type of the answer.
	result reflect.Type
	paged  bool // result is a page

	needsFirst []need // see needsBeforeTheBody

	metrics endpointMetrics
}

// write describes an endpoint that changes or debits something. The types of the handler describe body and answer: an answer is the
// data of the envelope, or a page, raw or stream.
func write[Request, Answer any](name string, a about, handler func(*call, Request) (Answer, error)) *endpoint {
	body := schema.MustCompile[Request](name)
	var none Answer
	_, paged := any(none).(pager)
	_, isBulk := any((*Request)(nil)).(bulk)
	e := &endpoint{
		about: a, name: name, path: "/v2/" + name, request: body.JSONSchema, result: reflect.TypeFor[Answer](), paged: paged,
	}
	e.needsFirst = e.needsBeforeTheBody()
	e.run = func(c *call) (any, error) {
		if err := c.receive(); err != nil {
			return nil, err
		}
		request, bad, err := decode(c, body)
		if err != nil {
			return nil, err
		}
		if err := c.check(bad); err != nil {
			return nil, err
		}
		var size bulkSize
		if isBulk {
			size = bulkSizeOf(request)
		}
		if err := c.admit(size); err != nil {
			return nil, err
		}
		return handler(c, request)
	}
	return e
}

// read describes an endpoint that only asks.
func read[Request, Answer any](name string, a about, handler func(*call, Request) (Answer, error)) *endpoint {
	e := write(name, a, handler)
	e.reads = true
	return e
}

// decode decodes the body, with a turn if it is large.
func decode[Request any](c *call, body *schema.Schema[Request]) (request Request, bad *schema.Problem, err error) {
	if len(c.body) <= costlyBytes {
		request, bad = body.Decode(c.body)
		return request, bad, nil
	}
	if err := c.takeTurn(); err != nil {
		return request, nil, err
	}
	request, bad = body.DecodeInSteps(c.body, c.breathe)
	return request, bad, c.turnless
}

// check takes the steps between decoding and the handler, in the order of contract 1.2: the body, the form of the headers, the values of
// the body. The last is told only to callers who are authenticated.
func (c *call) check(bad *schema.Problem) error {
	if bad != nil && !bad.AfterAuth() {
		c.noteStranger()
		return &problem{errorType: &invalidInput, detail: bad.Detail(c.endpoint.path), violations: bad.Errors, validation: true}
	}
	if err := c.readHeaders(); err != nil {
		return err
	}
	if c.api.traces != nil {
		c.ctx, c.span = c.api.traces.Begin(c.ctx, c.gin.Request.Header, c.actor, c.endpoint.path, c.start)
	}
	if err := c.countRequest(); err != nil {
		return err
	}
	if bad == nil {
		return nil
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	return invalid(bad.Detail(c.endpoint.path))
}

// serve returns the gin handler of an endpoint.
func (a *API) serve(e *endpoint) gin.HandlerFunc {
	return func(g *gin.Context) {
		start := time.Now()
		c := a.newCall(e, g, start)
		defer func() {
			took := time.Since(start)
			e.metrics.observe(c.status(), took)
			if a.access != nil {
				c.logAccess(took)
			}
			if c.span != nil {
				c.endSpan(start.Add(took))
			}
			c.release()
		}()
		defer func() {
			if value := recover(); value != nil {
				c.recover(value)
			}
		}()
		c.handle()
	}
}

// handle serves the request up to the last byte of the answer.
func (c *call) handle() {
	ctx := c.gin.Request.Context()
	if v, ok := ctx.Value(vigilKey{}).(*vigil); ok && c.gin.Request.ProtoMajor < 2 {
		c.ctx = v.begin(ctx, c.start.Add(c.api.timeout))
		defer v.end()
	} else {
		ctx, cancel := context.WithTimeout(ctx, c.api.timeout)
		defer cancel()
		c.ctx = ctx
	}
	answer, err := c.endpoint.run(c)
	if err != nil {
		c.fail(c.problemOf(err))
		return
	}
	c.succeed(answer)
}

// receive reads the body and checks that it comes with credentials and as JSON: all that can be said before it is decoded.
func (c *call) receive() error {
	if err := c.readBody(); err != nil {
		return err
	}
	if err := checkHeader(c.gin.Request.Header); err != nil {
		return err
	}
	return c.mayAuthenticate()
}

func checkHeader(header http.Header) error {
	if header.Get("Authorization") == "" {
		return missingAuthorization()
	}
	return checkContentType(header.Get("Content-Type"))
}

// recover answers a panic. If the answer had begun, all that is left is to cut the connection.
func (c *call) recover(value any) {
	if value == http.ErrAbortHandler {
		panic(value)
	}
	c.logPanic(value)
	if c.gin.Writer.Written() {
		c.cut(http.StatusInternalServerError)
	}
	c.fail(c.crash())
}

// cut ends the connection in the middle of an answer, so that the client cannot take the part for the whole. The status is for the
// metrics.
func (c *call) cut(status int) {
	c.cutAs = status
	panic(http.ErrAbortHandler)
}

// status is how the request ended, for the metrics.
func (c *call) status() int {
	if c.cutAs != 0 {
		return c.cutAs
	}
	return c.gin.Writer.Status()
}
