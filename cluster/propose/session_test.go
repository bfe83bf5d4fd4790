package propose

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

func openSessions(ids ...uint64) *clientSession {
	return &clientSession{open: func(context.Context) (id uint64, err error) {
		id, ids = ids[0], ids[1:]
		return id, nil
	}}
}

// The ledger drops a result once every number below it was acknowledged, so the mark may pass no number that is still waited for.
func TestClientSession_AcknowledgesInOrder(t *testing.T) {
	s := openSessions(70)
	next := func() fsm.CallID {
		id, err := s.next(t.Context())
		require.NoError(t, err)
		return id
	}
	first, second, third := next(), next(), next()
	require.Equal(t, []fsm.CallID{{Session: 70, Seq: 1, AckedBelow: 1}, {Session: 70, Seq: 2, AckedBelow: 1}, {Session: 70, Seq: 3, AckedBelow: 1}},
		[]fsm.CallID{first, second, third})
	s.acknowledge(third)
	s.acknowledge(second)
	require.Equal(t, fsm.CallID{Session: 70, Seq: 4, AckedBelow: 1}, next(), "the first is waited for")
	s.acknowledge(first)
	require.Equal(t, fsm.CallID{Session: 70, Seq: 5, AckedBelow: 4}, next())
}

func TestClientSession_OpensAnotherOneAndForgetsTheOld(t *testing.T) {
	s := openSessions(70, 90)
	old, err := s.next(t.Context())
	require.NoError(t, err)
	s.forget(old.Session)
	now, err := s.next(t.Context())
	require.NoError(t, err)
	require.Equal(t, fsm.CallID{Session: 90, Seq: 1, AckedBelow: 1}, now)
	s.acknowledge(old)
	s.forget(old.Session)
	after, err := s.next(t.Context())
	require.NoError(t, err)
	require.Equal(t, fsm.CallID{Session: 90, Seq: 2, AckedBelow: 1}, after, "what belongs to the old one changes nothing")
}

func TestClientSession_IsBounded(t *testing.T) {
	s := openSessions(1)
	for range maxUnacknowledged {
		_, err := s.next(t.Context())
		require.NoError(t, err)
	}
	_, err := s.next(t.Context())
	require.Equal(t, fault.Overloaded, fault.KindOf(err))
}
