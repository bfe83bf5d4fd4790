package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Leadership goes to a node that is better off in what matters more, and never between two that are alike.
func TestClock_BetterLeader(t *testing.T) {
	const right = byte(0)
	for _, c := range []struct {
		own   byte
		peers map[string]byte
		want  string
	}{
		{own: right, peers: map[string]byte{"a": right}},
		{own: clockWallOff, peers: map[string]byte{"a": clockWallOff, "b": right, "c": right}, want: "b"},
		{own: clockWallOff, peers: map[string]byte{"a": diskNoRoom, "b": clockFar, "c": clockWallOff}},
		{own: diskNoRoom, peers: map[string]byte{"a": diskNoRoom | clockWallOff, "b": clockWallOff}, want: "b"},
		{own: diskNoRoom | clockWallOff, peers: map[string]byte{"a": diskNoRoom}},
		{own: clockFar, peers: map[string]byte{"a": clockFar | diskNoRoom, "b": diskNoRoom, "c": clockWallOff}, want: "c"},
		{own: clockFar | clockWallOff},
	} {
		peers := map[string]clockAnswer{}
		for id, wrong := range c.peers {
			peers[id] = clockAnswer{nodeID: id, wrong: wrong}
		}
		require.Equal(t, c.want, better(c.own, peers), "%+v", c)
	}
}
