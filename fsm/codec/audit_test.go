package codec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// The registry demands a decision about each command's audit entry. Here each event has a command; the samples have every type
// (requireAllTypes).
func TestEventOf_EachEventHasACommand(t *testing.T) {
	used := map[fsm.Event]bool{}
	for _, c := range allCommands() {
		event := fsm.EventOf(c)
		require.True(t, event == fsm.Unaudited || event.Known(), "%T", c)
		used[event] = true
	}
	delete(used, fsm.Unaudited)
	require.Len(t, used, len(fsm.EventNames()), "an event is of no command")
}

// The path that must stay short pays nothing for the entries of others.
func TestAppendBatch_SpendsNothingOnAnAbsentOrigin(t *testing.T) {
	call := fsm.Call{Command: &fsm.VerifyKey{Hash: hash(1), Cost: 1}}
	plain := codec.AppendBatch(nil, fsm.Batch{Calls: []fsm.Call{call}})
	require.Len(t, plain, 1+1+1+32+1+1+1+1+1+32+1+4)
	call.Origin = &fsm.Origin{}
	require.Len(t, codec.AppendBatch(nil, fsm.Batch{Calls: []fsm.Call{call}}), len(plain)+4)
}
