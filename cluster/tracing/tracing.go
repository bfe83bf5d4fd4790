// Package tracing makes spans of what a command passes in the cluster: the hop to the leader, the queue, replication, and the ledger.
//
// The leader notes for each of its entries when it passed a stage, once and not for each command. When a traced command has its answer, the
// index of the answer says which entry it was in. Only nodes that deliver traces have a Tracer. Its methods never wait for a collector.
package tracing

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// remembered is of how many entries the stages are known. A command looks as soon as it has its answer, and entries take a tenth of a
// millisecond each at least.
const remembered = 256

// Tracer makes spans. It may be used from any goroutine.
type Tracer struct {
	tracer trace.Tracer

	mu     sync.Mutex
	next   passage             // guarded by mu: the entry that this node proposed last; zero: it was applied
	recent [remembered]passage // guarded by mu: by index
}

// passage is when an entry passed its stages.
type passage struct {
	index                               uint64
	proposed, stored, applying, applied time.Time
}

// New returns a Tracer, nil if there is nothing to make spans with.
func New(tracer trace.Tracer) *Tracer {
	if tracer == nil {
		return nil
	}
	return &Tracer{tracer: tracer}
}

// Proposing notes that an entry is about to be handed to raft.
func (t *Tracer) Proposing() {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = passage{proposed: now}
}

// Stored notes when the entry under way was on this node's disk.
func (t *Tracer) Stored(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next.stored = at
}

// Applied notes that the ledger has just executed an entry, and how long that took.
func (t *Tracer) Applied(index uint64, took time.Duration) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next.proposed.IsZero() {
		return // another node's
	}
	p := t.next
	p.index, p.applying, p.applied = index, now.Add(-took), now
	t.recent[index%remembered], t.next = p, passage{}
}

// passageOf returns the stages of an entry that a command was in which began to wait at began.
func (t *Tracer) passageOf(index uint64, began time.Time) (passage, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.recent[index%remembered]
	return p, p.index == index && !p.proposed.Before(began)
}

// Parent returns the span of a traced request. ok is false for the others.
func (t *Tracer) Parent(ctx context.Context) (parent trace.SpanContext, ok bool) {
	parent = trace.SpanContextFromContext(ctx)
	return parent, parent.IsSampled()
}

// Forwarding starts the span of a command on its way to the leader and back.
func (t *Tracer) Forwarding(ctx context.Context) trace.Span {
	_, span := t.tracer.Start(ctx, "forward", trace.WithSpanKind(trace.SpanKindClient))
	return span
}

// Stages makes the spans of a command that waited since began and was in the entry at index. It makes none for an entry of before: the answer
// was remembered.
func (t *Tracer) Stages(parent trace.SpanContext, began time.Time, index uint64) {
	p, ok := t.passageOf(index, began)
	if !ok {
		return
	}
	ctx := trace.ContextWithSpanContext(context.Background(), parent)
	t.begin(ctx, "queue", began).End(trace.WithTimestamp(p.proposed))
	replicate := t.begin(ctx, "replicate", p.proposed)
	replicate.SetAttributes(attribute.Int64("creditd.log_index", int64(index)))
	if p.stored.After(p.proposed) && p.stored.Before(p.applying) {
		replicate.AddEvent("on the disk of the leader", trace.WithTimestamp(p.stored))
	}
	replicate.End(trace.WithTimestamp(p.applying))
	t.begin(ctx, "apply", p.applying).End(trace.WithTimestamp(p.applied))
}

func (t *Tracer) begin(ctx context.Context, name string, at time.Time) trace.Span {
	_, span := t.tracer.Start(ctx, name, trace.WithTimestamp(at))
	return span
}
