package propose

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/rpc"
	"github.com/creditd/creditd/fsm"
)

// ExecuteTraced is Execute for a command whose spans at the leader belong to a trace. An older build does not know it, and gets Execute.
var ExecuteTraced = rpc.Method[traced, batch.Answer]{
	Number: 15, Name: "execute traced", OfCluster: true, OfMembers: true,
	Request: rpc.Codec[traced]{Append: appendTraced, Decode: decodeTraced},
	Answer:  Execute.Answer,
}

// traced is a command on its way to the leader, and the span of that way:
//
//	16 bytes of the trace | 8 bytes of the span | as forwarded
type traced struct {
	span trace.SpanContext
	forwarded
}

const spanBytes = len(trace.TraceID{}) + len(trace.SpanID{})

func appendTraced(b []byte, t traced) []byte {
	traceID, spanID := t.span.TraceID(), t.span.SpanID()
	return appendForwarded(append(append(b, traceID[:]...), spanID[:]...), t.forwarded)
}

func decodeTraced(b []byte) (t traced, err error) {
	if len(b) < spanBytes {
		return t, errors.New("the ids of the trace are cut short")
	}
	conf := trace.SpanContextConfig{TraceFlags: trace.FlagsSampled, Remote: true}
	copy(conf.SpanID[:], b[copy(conf.TraceID[:], b):])
	if t.span = trace.NewSpanContext(conf); !t.span.IsValid() {
		return t, errors.New("the ids of the trace are zero")
	}
	t.forwarded, err = decodeForwarded(b[spanBytes:])
	return t, err
}

// tryTraced is try with spans.
func (p *Proposer) tryTraced(ctx context.Context, parent trace.SpanContext, call fsm.Call, retransmission bool) batch.Answer {
	if b := p.batcher.Load(); b != nil {
		began := time.Now()
		a := p.executeHere(ctx, b, call, retransmission)
		if a.Err == nil {
			p.conf.Traces.Stages(parent, began, a.Index)
		}
		return a
	}
	span := p.conf.Traces.Forwarding(ctx)
	defer span.End()
	f := forwarded{call: call, retransmission: retransmission}
	a, err := leader.Call(ctx, p.conf.Leader, &ExecuteTraced, traced{span: span.SpanContext(), forwarded: f})
	if err != nil && fault.KindOf(err) == fault.Unsupported {
		a, err = leader.Call(ctx, p.conf.Leader, &Execute, f)
	}
	if err != nil {
		return batch.Answer{Err: err}
	}
	return a
}

// ServeTraced is ServeExecute for a command of a trace.
func (p *Proposer) ServeTraced(c rpc.Caller, t traced, reply rpc.Reply[batch.Answer]) (taken bool) {
	return p.ServeExecute(c, t.forwarded, p.tracing(t.span, reply))
}

// ServeCostlyTraced is ServeCostly for a command of a trace.
func (p *Proposer) ServeCostlyTraced(ctx context.Context, c rpc.Caller, t traced, reply rpc.Reply[batch.Answer]) {
	p.ServeCostly(ctx, c, t.forwarded, p.tracing(t.span, reply))
}

// tracing makes the spans of a forwarded command once it is answered. They have a goroutine of their own: others wait for the one that answers.
func (p *Proposer) tracing(parent trace.SpanContext, reply rpc.Reply[batch.Answer]) rpc.Reply[batch.Answer] {
	if p.conf.Traces == nil {
		return reply
	}
	began := time.Now()
	return func(a batch.Answer, err error) {
		reply(a, err)
		if err == nil {
			go p.conf.Traces.Stages(parent, began, a.Index)
		}
	}
}
