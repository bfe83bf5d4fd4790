package leader

import (
	"context"
	"errors"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/cluster/rpc"
)

// Call sends one request to the present leader. An error is a *fault.Error: the leader's own, or what a failed call means.
func Call[Q, A any](ctx context.Context, f *Finder, m *rpc.Method[Q, A], request Q) (answer A, err error) {
	addr, id := f.conf.Raft.LeaderWithID()
	if addr == "" || id == f.conf.NodeID {
		return answer, ErrNone
	}
	answer, err = m.Call(ctx, f.conf.Client, f.conf.Addresses.AddressOf(id, addr), request)
	if err != nil {
		return answer, faultOf(err)
	}
	return answer, nil
}

// faultOf says what a failed call to the leader means for the request.
func faultOf(err error) *fault.Error {
	var answered *fault.Error
	switch {
	case errors.As(err, &answered):
		return answered
	case errors.Is(err, peer.ErrTooLarge) && peer.NotSent(err):
		return fault.Wrap(fault.TooLarge, "The request is too large to be sent to the leader", err)
	case errors.Is(err, peer.ErrOverloaded):
		return fault.Wrap(fault.Overloaded, "Too many requests are waiting for the leader", err)
	case peer.NotSent(err) && errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.TimedOut, "The deadline passed before the request reached the leader", err)
	case peer.NotSent(err):
		return fault.Wrap(fault.Unavailable, "The leader could not be reached", err)
	default:
		return fault.Wrap(fault.Unknown, "The leader did not answer", err)
	}
}
