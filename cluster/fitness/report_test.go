package fitness

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFitness_RoundTrip(t *testing.T) {
	for _, now := range []int64{0, -1, 1_700_000_000_000} {
		want := peerFitness{nodeID: "node_1", time: now, impairments: impairedTime | impairedDiskFull}
		got, err := decodeFitness(appendFitness(nil, want))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, data := range [][]byte{nil, {0x80}, {0}} {
		_, err := decodeFitness(data)
		require.Error(t, err)
	}
}

// Three of five must agree: two nodes that are alike do not outvote two that differ and one that is down.
func TestMajority_CountsAllVoters(t *testing.T) {
	five := voters{"a", "b", "c", "d", "e"}.Servers()
	require.Equal(t, "x", majority(map[string]string{"a": "x", "b": "x", "c": "x", "d": "y"}, five))
	require.Empty(t, majority(map[string]string{"a": "x", "b": "x", "c": "y"}, five))
	require.Empty(t, majority(map[string]string{}, five))
	d := Divergence{Index: 7, Digests: map[string]string{"a": "x", "b": "y"}, Right: "x"}
	require.True(t, d.accuses("b"))
	require.False(t, d.accuses("a"))
	require.False(t, d.accuses("c"), "it was not compared")
	require.Equal(t, "at index 7 the ledgers differ: a has x (majority); b has y", d.String())
}
