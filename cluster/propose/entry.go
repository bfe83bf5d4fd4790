package propose

import (
	"bytes"
	"errors"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store/failpoint"
)

// entryLog is raft as the batcher sees it.
type entryLog struct {
	raft               Raft
	stamp              func() int64
	counts             *counts
	proposing          func(calls int)
	idempotencyMaxKeys uint64

	coder   codec.Coder
	encoded []byte // of the last entry
}

// maxKeptBytes is the largest buffer that is kept for the next entry. A full one has about as much.
const maxKeptBytes = 512 << 10

// Propose stamps, encodes and hands on one entry. raft's enqueue timeout is not used: the batcher's queue is the place to wait.
func (l *entryLog) Propose(calls []fsm.Call) batch.Pending {
	data := l.encode(fsm.Batch{Stamp: l.stamp(), IdempotencyMaxKeys: l.idempotencyMaxKeys, Calls: calls})
	l.counts.entries.Add(1)
	l.counts.calls.Add(uint64(len(calls)))
	l.counts.bytes.Add(uint64(len(data)))
	failpoint.Hit(failpoint.EntryBeforePropose)
	if l.proposing != nil {
		l.proposing(len(calls))
	}
	p := &proposal{future: l.raft.Apply(data, 0), done: make(chan struct{})}
	failpoint.Hit(failpoint.EntryAfterPropose)
	go p.wait()
	return p
}

// encode encodes an entry into exactly as many bytes as it needs: raft and the cache of its log keep them.
func (l *entryLog) encode(b fsm.Batch) []byte {
	l.encoded = l.coder.AppendBatch(l.encoded[:0], b)
	data := bytes.Clone(l.encoded)
	if cap(l.encoded) > maxKeptBytes {
		l.encoded = nil
	}
	return data
}

// Refused counts a request for which the queue had no room.
func (l *entryLog) Refused() { l.counts.refused.Add(1) }

// proposal is one entry in raft's hands.
type proposal struct {
	future raft.ApplyFuture
	done   chan struct{}
	err    error // valid once done is closed
}

// wait waits for the future in a goroutine of its own, because raft may never answer it after a shutdown. Waiters of the proposal also wait
// for the shutdown.
func (p *proposal) wait() {
	p.err = p.future.Error()
	close(p.done)
}

// Done implements batch.Pending.
func (p *proposal) Done() <-chan struct{} { return p.done }

// Results implements batch.Pending.
func (p *proposal) Results() ([]fsm.Result, uint64, error) {
	if p.err != nil {
		return nil, 0, applyFault(p.err)
	}
	return p.future.Response().([]fsm.Result), p.future.Index(), nil
}

// applyFault says what an error of raft's Apply means for the entry. raft documents the errors that leave no trace. After any other
// error the entry may be on a disk, and the next leader may commit it.
func applyFault(err error) *fault.Error {
	for _, harmless := range []error{
		raft.ErrNotLeader, raft.ErrEnqueueTimeout, raft.ErrLeadershipTransferInProgress, raft.ErrAbortedByRestore,
	} {
		if errors.Is(err, harmless) {
			return fault.Wrap(fault.Unavailable, "The leader is changing", err)
		}
	}
	return fault.Wrap(fault.Unknown, "The leader changed while the request was being committed", err)
}

// notServing is the fault of a forwarded request that reached a node which does not serve as the leader.
var notServing = fault.New(fault.Unavailable, "The leader is changing")
