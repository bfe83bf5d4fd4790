package propose

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/rpc"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store/failpoint"
)

// Execute is how a follower forwards a command to the leader.
var Execute = rpc.Method[forwarded, batch.Answer]{
	Number: 1, Name: "execute", OfCluster: true, OfMembers: true,
	Request: rpc.Codec[forwarded]{Append: appendForwarded, Decode: decodeForwarded},
	Answer:  rpc.Codec[batch.Answer]{Append: appendAnswer, Decode: decodeAnswer},
}

// forwarded is a command on its way to the leader:
//
//	1 for a retransmission, else 0 | a batch of one call
type forwarded struct {
	call           fsm.Call
	retransmission bool
	size           int // of the encoded batch; set by decodeForwarded
}

// coders encode and decode what is forwarded.
var coders = sync.Pool{New: func() any { return new(codec.Coder) }}

func appendForwarded(b []byte, f forwarded) []byte {
	flag := byte(0)
	if f.retransmission {
		flag = 1
	}
	c := coders.Get().(*codec.Coder)
	defer coders.Put(c)
	return c.AppendBatch(append(b, flag), fsm.Batch{Calls: []fsm.Call{f.call}})
}

func decodeForwarded(b []byte) (f forwarded, err error) {
	if len(b) == 0 || b[0] > 1 {
		return f, errors.New("the first byte is neither 0 nor 1")
	}
	f.retransmission, f.size = b[0] == 1, len(b)-1
	c := coders.Get().(*codec.Coder)
	defer coders.Put(c)
	if f.call, err = c.DecodeCall(b[1:]); err != nil {
		return f, err
	}
	switch f.call.Command.(type) {
	case *fsm.Bootstrap, *fsm.RaiseLedgerVersion:
		return f, errors.New("only the leader itself may bootstrap the ledger or raise its version")
	}
	return f, nil
}

func appendAnswer(b []byte, a batch.Answer) []byte {
	return codec.AppendResult(binary.AppendUvarint(b, a.Index), a.Result)
}

func decodeAnswer(b []byte) (a batch.Answer, err error) {
	if a.Index, b, err = rpc.CutIndex(b); err != nil {
		return a, err
	}
	c := coders.Get().(*codec.Coder)
	defer coders.Put(c)
	a.Result, err = c.DecodeResult(b)
	return a, err
}

// ServeExecute takes a forwarded command, unless it is costly. A node that does not serve says so: it forwards nothing a second time.
func (p *Proposer) ServeExecute(c rpc.Caller, f forwarded, reply rpc.Reply[batch.Answer]) (taken bool) {
	b, err := p.acceptForwarded(c, f)
	if err != nil {
		reply(batch.Answer{}, err)
		return true
	}
	return p.admitCheap(b, f.call, f.size, f.retransmission, c.Deadline, forwardWaiter(reply))
}

// ServeCostly is ServeExecute for a costly command. What it costs here is work of the caller's workspace, so it takes a turn.
func (p *Proposer) ServeCostly(ctx context.Context, c rpc.Caller, f forwarded, reply rpc.Reply[batch.Answer]) {
	b, err := p.acceptForwarded(c, f)
	if err != nil {
		reply(batch.Answer{}, err)
		return
	}
	p.admitCostly(ctx, b, f.call, f.size, f.retransmission, c.Deadline, forwardWaiter(reply))
}

// acceptForwarded returns the batcher for a forwarded command.
func (p *Proposer) acceptForwarded(c rpc.Caller, f forwarded) (*batch.Batcher, error) {
	b := p.batcher.Load()
	if b == nil {
		return nil, notServing
	}
	return b, p.refuseForwarded(c, f)
}

// refuseForwarded returns why a forwarded command is refused before it is proposed.
func (p *Proposer) refuseForwarded(c rpc.Caller, f forwarded) error {
	if open, ok := f.call.Command.(*fsm.OpenSession); ok {
		if c.Node != "" && c.Node != open.Node {
			return sessionOfAnother
		}
		if err := p.sessions.take(open.Node, time.Now()); err != nil {
			return err
		}
	}
	return p.refuseWhenDiskFull(f.call, f.retransmission)
}

var sessionOfAnother = fault.New(fault.Internal, "A node may open sessions for itself only")

// forwardWaiter answers the follower that forwarded a command.
type forwardWaiter rpc.Reply[batch.Answer]

// Answer implements batch.Waiter.
func (w forwardWaiter) Answer(a batch.Answer) {
	failpoint.Hit(failpoint.ReplyBeforeForwarded)
	w(a, a.Err)
}
