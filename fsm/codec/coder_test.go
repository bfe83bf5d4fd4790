package codec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// TestCoder_DecodesOneAfterTheOther: what an entry leaves in the memory of a coder is not in the next one.
func TestCoder_DecodesOneAfterTheOther(t *testing.T) {
	var c codec.Coder
	large, mixed := charges(), batchSample()
	small := fsm.Batch{Stamp: 1, Calls: large.Calls[:3]}
	for _, b := range []fsm.Batch{large, mixed, small, mixed, large, {Stamp: 2, Calls: []fsm.Call{}}, small} {
		data := c.AppendBatch(nil, b)
		require.Equal(t, codec.AppendBatch(nil, b), data)
		got, err := c.DecodeBatch(data)
		require.NoError(t, err)
		require.Equal(t, b, got)
		_, err = c.DecodeBatch(data[:len(data)-1])
		require.ErrorIs(t, err, codec.ErrDamaged)
	}
}

// TestCoder_GivesASingleCallAway: it goes to the batcher, and others are decoded before it is executed.
func TestCoder_GivesASingleCallAway(t *testing.T) {
	var c codec.Coder
	calls := charges().Calls[:8]
	got := make([]fsm.Call, len(calls))
	var err error
	for i := range calls {
		got[i], err = c.DecodeCall(c.AppendBatch(nil, fsm.Batch{Calls: calls[i : i+1]}))
		require.NoError(t, err)
	}
	require.Equal(t, calls, got)
	_, err = c.DecodeCall(codec.AppendBatch(nil, fsm.Batch{Calls: calls[:2]}))
	require.ErrorContains(t, err, "not one call")
}

// Every charge is decoded on every node.
func TestCoder_DecodesChargesWithoutGarbage(t *testing.T) {
	var c codec.Coder
	data := codec.AppendBatch(nil, charges())
	require.Less(t, testing.AllocsPerRun(20, func() {
		if _, err := c.DecodeBatch(data); err != nil {
			t.Error(err)
		}
	}), 3.0)
}
