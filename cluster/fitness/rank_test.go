package fitness

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Leadership goes to a node that is fitter in what matters more, and never between two that are alike.
func TestFitter_PrefersTheLesserImpairment(t *testing.T) {
	const none = impairments(0)
	type peers = map[string]impairments
	for _, c := range []struct {
		own   impairments
		peers peers
		want  string
	}{
		{own: none, peers: peers{"a": none}},
		{own: impairedWallClock, peers: peers{"a": impairedWallClock, "b": none, "c": none}, want: "b"},
		{own: impairedWallClock, peers: peers{"a": impairedDiskFull, "b": impairedTime, "c": impairedWallClock}},
		{own: impairedDiskFull, peers: peers{"a": impairedDiskFull | impairedWallClock, "b": impairedWallClock}, want: "b"},
		{own: impairedDiskFull | impairedWallClock, peers: peers{"a": impairedDiskFull}},
		{own: impairedTime, peers: peers{"a": impairedTime | impairedDiskFull, "b": impairedDiskFull, "c": impairedWallClock}, want: "c"},
		{own: impairedTime | impairedWallClock},
		{own: impairedWallClock, peers: peers{"a": 1 << 7}, want: "a"}, // a bit of a newer build
	} {
		found := map[string]peerFitness{}
		for id, i := range c.peers {
			found[id] = peerFitness{nodeID: id, impairments: i}
		}
		require.Equal(t, c.want, fitter(c.own, found), "%+v", c)
	}
}
