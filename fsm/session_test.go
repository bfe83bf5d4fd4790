package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

const hourMillis = 3_600_000

// openSession opens a session of a node and returns its id.
func openSession(t testing.TB, s *fsm.State, node string) uint64 {
	t.Helper()
	return apply(t, s, &fsm.OpenSession{Node: node}).(*fsm.Opened).Session
}

// A copy of an OpenSession may arrive long after its session has ended, and then a copy of a call. The call must not be executed again: its
// call id belongs to the ended session only. This also holds on a node that was restarted in between.
func TestSession_NeverComesBack(t *testing.T) {
	s := newChargeable(t)
	call := fsm.Call{
		Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: 1}, ID: fsm.CallID{Session: openSession(t, s, "node"), Seq: 1, AckedBelow: 1},
	}
	require.IsType(t, &fsm.Verdict{}, s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{call}})[0])
	refused := &fsm.Refusal{Code: fsm.SessionExpired}
	require.Equal(t, refused, s.Apply(fsm.Batch{Stamp: s.Clock() + hourMillis + 1, Calls: []fsm.Call{call}})[0])
	s = reload(t, s)
	late := openSession(t, s, "node")
	require.NotEqual(t, call.ID.Session, late)
	require.Equal(t, refused, s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{call}})[0])
	require.Equal(t, uint64(1), s.Stats().Totals.Debited)

	_, ok := s.Peek(&fsm.Call{Command: &fsm.OpenSession{Node: "node"}})
	require.False(t, ok)
}

// A node whose answers get lost opens session after session. They must not pile up, and none that is in use may go for them.
func TestSession_BoundsUnusedOnes(t *testing.T) {
	s := newChargeable(t)
	send := func(session, seq uint64) fsm.Result {
		return s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{{
			Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: 1}, ID: fsm.CallID{Session: session, Seq: seq, AckedBelow: seq},
		}}})[0]
	}
	used, foreign := openSession(t, s, "node"), openSession(t, s, "other")
	require.IsType(t, &fsm.Verdict{}, send(used, 1))
	unused := openSession(t, s, "node")
	for range 100 {
		openSession(t, s, "node")
	}
	require.Equal(t, 18, s.Stats().Sessions)
	require.IsType(t, &fsm.Verdict{}, send(used, 2))
	require.IsType(t, &fsm.Verdict{}, send(foreign, 1))
	require.Equal(t, &fsm.Refusal{Code: fsm.SessionExpired}, send(unused, 1))
}
