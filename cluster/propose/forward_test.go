package propose

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/fsm"
)

var debit = fsm.Call{Actor: fsm.Hash{1}, ID: fsm.CallID{Session: 7, Seq: 9, AckedBelow: 8}, Command: &fsm.VerifyKey{Hash: fsm.Hash{2}, Cost: 3}}

func TestForwarded_RoundTrip(t *testing.T) {
	for _, retransmission := range []bool{false, true} {
		data := appendForwarded([]byte{0xff}, forwarded{call: debit, retransmission: retransmission})[1:]
		f, err := decodeForwarded(data)
		require.NoError(t, err)
		require.Equal(t, forwarded{call: debit, retransmission: retransmission, size: len(data) - 1}, f)
		require.LessOrEqual(t, f.size, verifySize+2*32+16, hex.EncodeToString(data))
	}
}

func TestForwarded_RefusesWhatIsNoCommand(t *testing.T) {
	good := appendForwarded(nil, forwarded{call: debit})
	for name, data := range map[string][]byte{
		"nothing":             nil,
		"an unknown flag":     append([]byte{2}, good[1:]...),
		"no batch":            good[:1],
		"a cut batch":         good[:len(good)-1],
		"more than a command": append(good[:len(good):len(good)], 0),
		"a bootstrap":         appendForwarded(nil, forwarded{call: fsm.Call{Command: &fsm.Bootstrap{ClusterID: "x"}}}),
	} {
		_, err := decodeForwarded(data)
		require.Error(t, err, name)
	}
}

func TestAnswer_RoundTrip(t *testing.T) {
	want := batch.Answer{Index: 300, Result: &fsm.Refusal{Code: fsm.KeyNotFound, Detail: "why", RetryAfter: 5}}
	got, err := decodeAnswer(appendAnswer(nil, want))
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = decodeAnswer(nil)
	require.Error(t, err)
}
