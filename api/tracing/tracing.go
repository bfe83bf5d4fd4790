// Package tracing decides which requests leave a trace, and makes the span of each.
//
// A request that brings no decision is drawn by lot. One with a traceparent follows it, if this node knows the caller: a stranger must not be
// able to make the node work. Of those that ask for a trace, a node follows a bounded number in each second. No attribute is a key or a hash.
package tracing

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/creditd/creditd/fsm"
)

// MaxFollowed is how many requests in a second leave a trace because their traceparent asks for it.
const MaxFollowed = 100

// Config says which requests leave a trace.
type Config struct {
	// Tracer starts spans, and records every one.
	Tracer trace.Tracer
	// Ratio is the part of the requests without a decision of their own that leaves a trace, 0 to 1.
	Ratio float64
	// Caller names the workspace and the id of a root key; both are empty if it is not known.
	Caller func(actor fsm.Hash) (workspaceID, rootKeyID string)
}

// Requests makes spans of requests.
type Requests struct {
	conf     Config
	followed perSecond
}

// New returns nothing that must be closed.
func New(conf Config) *Requests { return &Requests{conf: conf} }

// Begin starts the span of a request that has been under way since start, and returns a context with it. The span is nil if there is none.
func (r *Requests) Begin(ctx context.Context, header http.Header, actor fsm.Hash, path string, start time.Time) (context.Context, trace.Span) {
	parent := r.parent(header, actor)
	switch {
	case !parent.IsValid():
		if rand.Float64() >= r.conf.Ratio {
			return ctx, nil
		}
	case !parent.IsSampled() || !r.followed.take(time.Now()):
		return ctx, nil
	default:
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
	}
	return r.conf.Tracer.Start(ctx, http.MethodPost+" "+path, trace.WithTimestamp(start), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", http.MethodPost), attribute.String("http.route", path)))
}

// parent is what the header of a known caller names.
func (r *Requests) parent(header http.Header, actor fsm.Hash) (none trace.SpanContext) {
	values := header["Traceparent"]
	if len(values) != 1 {
		return none
	}
	parent := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), traceparent(values[0])))
	if !parent.IsValid() {
		return none
	}
	if workspaceID, _ := r.conf.Caller(actor); workspaceID == "" {
		return none
	}
	return parent
}

// traceparent is the only header that is read. The tracestate of a client is for those whom the request is sent on to.
type traceparent string

// Get implements propagation.TextMapCarrier.
func (t traceparent) Get(key string) string {
	if key == "traceparent" {
		return string(t)
	}
	return ""
}

// Set implements propagation.TextMapCarrier.
func (traceparent) Set(string, string) {}

// Keys implements propagation.TextMapCarrier.
func (traceparent) Keys() []string { return []string{"traceparent"} }

// Outcome is how a request ended.
type Outcome struct {
	At        time.Time
	Status    int
	Code      string // the verdict, or the type of the error
	RequestID string
	Actor     fsm.Hash
}

// End ends the span of a request.
func (r *Requests) End(span trace.Span, o Outcome) {
	workspaceID, rootKeyID := r.conf.Caller(o.Actor)
	span.SetAttributes(
		attribute.Int("http.response.status_code", o.Status), attribute.String("creditd.code", o.Code), attribute.String("creditd.request_id", o.RequestID),
		attribute.String("creditd.workspace_id", workspaceID), attribute.String("creditd.root_key_id", rootKeyID))
	if o.Status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(o.At))
}

// perSecond lets MaxFollowed pass in each second.
type perSecond struct {
	mu     sync.Mutex
	second int64 // guarded by mu
	taken  int   // guarded by mu
}

func (p *perSecond) take(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if second := now.Unix(); second != p.second {
		p.second, p.taken = second, 0
	}
	if p.taken >= MaxFollowed {
		return false
	}
	p.taken++
	return true
}
