package api

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"
)

// call is one request while it is served: what the steps of endpoint.go share, and what a handler may use.
type call struct {
	api      *API
	endpoint *endpoint
	gin      *gin.Context
	id       [mint.RequestIDLength]byte
	start    time.Time

	ctx         context.Context // ends when the client hangs up or the deadline passes
	actor       fsm.Hash        // the caller's root key
	consistency consistency     // of the answers to queries
	key         idempotencyHeader

	proposed bool       // a command went to the ledger: from now on a failure does not prove that it had no effect
	index    uint64     // raft index of the answer, 0: none
	replayed bool       // the answer is that of an earlier call
	code     string     // of the verdict or the error, for the access log
	span     trace.Span // nil: the request leaves no trace
	cutAs    int        // the status in the metrics of an answer that was cut short, 0: it was not

	unread     bool      // the rest of the body is on its way, so the connection ends with the answer
	recognized bool      // the caller was authenticated before the body was received
	mayBeAble  bool      // and is not known to lack the endpoint's permissions
	bodyUntil  time.Time // when the client must have sent more of the body; zero: the server says

	endTurn  func() // ends the turn that the request has; nil: it has none
	breathed int    // bytes at which the turn began: see breathe
	turnless error  // why there was no further turn, nil if there was

	received share // of the room for bodies
	answer   share // of the room for answers
	items    int64 // of a bulk request, on which the size of its answer depends

	body []byte // as received
	out  []byte // the answer, or the part of it that is not sent yet
}

// consistency is how a caller wants a read to be answered. See docs/contract.md 7.1.
type consistency struct {
	stale    bool
	minIndex uint64
}

var calls = sync.Pool{New: func() any { return new(call) }}

// maxPooledBytes is the largest buffer that is kept for the next request. The answer to 1000 verifications has half of it.
const maxPooledBytes = 256 << 10

func (a *API) newCall(e *endpoint, g *gin.Context, start time.Time) *call {
	c := calls.Get().(*call)
	c.api, c.endpoint, c.gin, c.start = a, e, g, start
	mint.RequestID(&c.id)
	return c
}

// release makes the call ready for another request.
func (c *call) release() {
	c.pauseTurn()
	c.received.release()
	c.answer.release()
	body, out := c.body[:0], c.out[:0]
	if cap(body) > maxPooledBytes {
		body = nil
	}
	if cap(out) > maxPooledBytes {
		out = nil
	}
	*c = call{body: body, out: out}
	calls.Put(c)
}

// execute executes a command. A refusal comes back as an error.
func execute[R fsm.Result](c *call, command fsm.Command) (R, error) {
	c.pauseTurn()
	c.proposed = true
	r, index, err := c.api.node.Execute(c.ctx, fsm.Call{
		Actor: c.actor, Command: command, Origin: c.origin(command), Idempotency: c.idempotency(),
	})
	return resultOf[R](c, r, index, err)
}

// maxIDAttempts bounds the attempts to draw new ids. More can only mean that the source of randomness is broken.
const maxIDAttempts = 4

// executeNew is execute for a command with new ids. If one of them is taken, it makes the command again with other ids.
func executeNew[R fsm.Result](c *call, command func() fsm.Command) (R, error) {
	for attempt := 1; ; attempt++ {
		r, err := execute[R](c, command())
		if refusal, ok := err.(*refused); ok && refusal.Code == fsm.IDTaken {
			if attempt < maxIDAttempts {
				continue
			}
			c.logFailure("every new id was taken")
		}
		return r, err
	}
}

// answer asks the ledger, with the consistency that the caller wants. A refusal comes back as an error.
func answer[R fsm.Result](c *call, q fsm.Query) (R, error) {
	c.pauseTurn()
	if _, cheap := q.(*fsm.Authorize); c.endpoint.paged && !cheap {
		return answerCostly[R](c, q)
	}
	if c.consistency.stale {
		r, index, err := c.api.node.AnswerStale(c.ctx, c.actor, q, c.consistency.minIndex)
		return resultOf[R](c, r, index, err)
	}
	r, index, err := c.api.node.Answer(c.ctx, c.actor, q)
	return resultOf[R](c, r, index, err)
}

// change executes a command and shows its result.
func change[R fsm.Result, Answer any](c *call, command fsm.Command, show func(R) Answer) (Answer, error) {
	r, err := execute[R](c, command)
	return shown(r, err, show)
}

// create executes a command with new ids and shows its result.
func create[R fsm.Result, Answer any](c *call, command func() fsm.Command, show func(R) Answer) (Answer, error) {
	r, err := executeNew[R](c, command)
	return shown(r, err, show)
}

// ask asks the ledger and shows the result.
func ask[R fsm.Result, Answer any](c *call, q fsm.Query, show func(R) Answer) (Answer, error) {
	r, err := answer[R](c, q)
	return shown(r, err, show)
}

func shown[R, Answer any](r R, err error, show func(R) Answer) (a Answer, _ error) {
	if err != nil {
		return a, err
	}
	return show(r), nil
}

// resultOf sorts what a node returned. A result of another type than the command's is a defect.
func resultOf[R fsm.Result](c *call, r fsm.Result, index uint64, err error) (R, error) {
	var none R
	if err != nil {
		return none, err
	}
	if repeated, ok := r.(*fsm.IdempotentReplay); ok {
		r, index, c.replayed = repeated.Result, repeated.Index, true
	}
	c.index = index
	if answer, ok := r.(R); ok {
		return answer, nil
	}
	if refusal, ok := r.(*fsm.Refusal); ok {
		return none, (*refused)(refusal)
	}
	panic(fmt.Sprintf("api: the ledger answered %T instead of %T", r, none))
}

// authorize returns nil if the caller is authenticated and has the permission for all resources.
func (c *call) authorize(p fsm.RootPermission) error {
	_, err := answer[*fsm.Done](c, &fsm.Authorize{Permission: string(p)})
	return err
}

// authenticate returns nil if the caller is authenticated. The ledger authenticates every command and query; this is for requests that
// are refused before that.
func (c *call) authenticate() error {
	_, err := answer[*fsm.Done](c, &fsm.Authorize{})
	if refusal, ok := err.(*refused); ok && refusal.Code == fsm.InsufficientPermissions {
		return nil
	}
	return err
}

// logFailure logs a failure whose cause the client does not see.
func (c *call) logFailure(message string, attributes ...any) {
	c.api.logger.Error(message, append(attributes, "endpoint", c.endpoint.name, "requestId", string(c.id[:]))...)
}

// logPanic logs a panic with its stack. Call it from the function that recovered.
func (c *call) logPanic(value any) {
	c.logFailure("panic while serving a request", "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
}
