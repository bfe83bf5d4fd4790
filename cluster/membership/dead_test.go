package membership

import (
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/gossip"
)

// A cluster never shrinks below three voters, and not while a second one is down or may come back.
func TestDeadVoter_IsOneThatTheClusterCanDoWithout(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	const after = time.Hour
	voters := func(ids ...string) (servers []raft.Server) {
		for _, id := range ids {
			servers = append(servers, raft.Server{ID: raft.ServerID(id), Address: raft.ServerAddress(id + ":1")})
		}
		return servers
	}
	alive := func(ids ...string) (members []gossip.Member) {
		for _, id := range ids {
			members = append(members, gossip.Member{ID: id, Health: gossip.Alive})
		}
		return members
	}
	down := func(members []gossip.Member, id string, health gossip.Health, since time.Duration) []gossip.Member {
		return append(members, gossip.Member{ID: id, Health: health, Since: now.Add(-since)})
	}
	four, five := voters("a", "b", "c", "d"), voters("a", "b", "c", "d", "e")
	for name, c := range map[string]struct {
		servers []raft.Server
		members []gossip.Member
		want    string
	}{
		"one of four":           {four, down(alive("a", "b", "c"), "d", gossip.Failed, after), "d"},
		"one of five":           {five, down(alive("a", "b", "c", "d"), "e", gossip.Failed, 2*after), "e"},
		"one of three":          {voters("a", "b", "c"), down(alive("a", "b"), "c", gossip.Failed, 2*after), ""},
		"not for long enough":   {five, down(alive("a", "b", "c", "d"), "e", gossip.Failed, after-time.Second), ""},
		"stopped in good order": {five, down(alive("a", "b", "c", "d"), "e", gossip.Left, 2*after), ""},
		"never seen":            {five, alive("a", "b", "c", "d"), ""},
		"two of five":           {five, down(down(alive("a", "b", "c"), "d", gossip.Failed, 2*after), "e", gossip.Failed, 2*after), ""},
		"nobody":                {five, alive("a", "b", "c", "d", "e"), ""},
		"one that is being replaced": {append(voters("a", "b", "c", "d"), raft.Server{ID: "e", Address: displacedAddr("f:1", "e")}),
			down(alive("a", "b", "c", "d"), "e", gossip.Failed, 2*after), ""},
	} {
		require.Equal(t, c.want, deadVoter(c.servers, c.members, "a", after, now), name)
	}
	withOther := append(five, raft.Server{ID: "n", Address: "n:1", Suffrage: raft.Nonvoter})
	require.Equal(t, "e", deadVoter(withOther, down(alive("a", "b", "c", "d"), "e", gossip.Failed, after), "a", after, now), "a non-voter does not matter")
}
