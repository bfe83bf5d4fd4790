package membership

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// cast is a configuration in a test: who has a vote, and which of them are there.
type cast struct {
	servers fixed
	up      map[raft.ServerID]bool
	fit     map[raft.ServerID]fit
}

func (c *cast) votes() (voters, alive int) {
	for _, s := range c.servers {
		if s.Suffrage == raft.Voter {
			voters++
			if c.up[s.ID] {
				alive++
			}
		}
	}
	return voters, alive
}

// newCast has n voters, of which some lost their data and have successors without a vote.
func newCast(n, lost int) *cast {
	c := &cast{up: map[raft.ServerID]bool{}, fit: map[raft.ServerID]fit{}}
	for i := range n {
		id, place := raft.ServerID(fmt.Sprint("old", i)), fmt.Sprint("host", i)
		if i >= lost {
			c.up[id] = true
			c.servers = append(c.servers, raft.Server{ID: id, Address: raft.ServerAddress(place), Suffrage: raft.Voter})
			continue
		}
		successor := raft.ServerID(fmt.Sprint("new", i))
		c.up[successor] = true
		c.servers = append(c.servers, raft.Server{ID: id, Address: displacedAddr(place, id), Suffrage: raft.Voter},
			raft.Server{ID: successor, Address: raft.ServerAddress(place), Suffrage: raft.Nonvoter})
	}
	return c
}

func (c *cast) next() change {
	return nextChange(c.servers, func(id raft.ServerID) fit { return c.fit[id] }, func(s raft.Server) bool { return !c.up[s.ID] })
}

// settle makes all changes and looks at the configuration after each.
func (c *cast) settle(t *testing.T, check func()) {
	t.Helper()
	for range 20 {
		next := c.next()
		if next == (change{}) {
			return
		}
		c.servers = slices.Clone(c.servers)
		if next.remove != nil {
			c.servers = slices.DeleteFunc(c.servers, func(s raft.Server) bool { return s.ID == next.remove.ID })
		} else {
			c.servers[slices.IndexFunc(c.servers, func(s raft.Server) bool { return s.ID == next.promote.ID })].Suffrage = raft.Voter
		}
		check()
	}
	t.Fatal("the changes do not end")
}

// However many nodes are replaced at once, and in whichever order they catch up, a charge needs as many voters as before, and those that
// are left are enough for it without any newcomer.
func TestNextChange_KeepsTheQuorum(t *testing.T) {
	for n := 1; n <= 7; n++ {
		for lost := 0; n-lost > n/2; lost++ {
			for _, order := range permutations(lost) {
				c := newCast(n, lost)
				quorum := n/2 + 1
				for _, i := range order {
					c.fit[raft.ServerID(fmt.Sprint("new", i))] = fit{caughtUp: true}
					c.settle(t, func() {
						voters, alive := c.votes()
						require.Equal(t, quorum, voters/2+1, "%d voters, %d lost, order %v: %v", n, lost, order, c.servers)
						require.GreaterOrEqual(t, alive, quorum, "%d voters, %d lost, order %v: %v", n, lost, order, c.servers)
						old := 0
						for _, s := range c.servers {
							if s.Suffrage == raft.Voter && c.up[s.ID] && s.ID[:3] == "old" {
								old++
							}
						}
						require.Equal(t, n-lost, old, "a voter that has its data was given up")
					})
				}
				voters, alive := c.votes()
				require.Equal(t, []int{n, n, n}, []int{voters, alive, len(c.servers)}, "%d voters, %d lost, order %v: %v", n, lost, order, c.servers)
			}
		}
	}
}

func permutations(n int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, p := range permutations(n - 1) {
		for i := range n {
			all = append(all, slices.Insert(slices.Clone(p), i, n-1))
		}
	}
	return all
}

// A vote that raises the quorum is given late, one that does not at once; and nobody is given up for a successor that has not caught up.
func TestNextChange_WaitsForWhatCosts(t *testing.T) {
	more := raft.Server{ID: "more", Address: "more:1", Suffrage: raft.Nonvoter}
	for name, test := range map[string]struct {
		servers fixed
		fit     map[raft.ServerID]fit
		up      map[raft.ServerID]bool
		want    string
	}{
		"a fourth node that has caught up": {append(slices.Clone(three), more), map[raft.ServerID]fit{"more": {caughtUp: true}}, nil, ""},
		"a fourth node that is stable":     {append(slices.Clone(three), more), map[raft.ServerID]fit{"more": {caughtUp: true, stable: true}}, nil, "promote more"},
		"a third node that has caught up":  {append(slices.Clone(three[:2]), more), map[raft.ServerID]fit{"more": {caughtUp: true}}, nil, "promote more"},
		"a third node that has not":        {append(slices.Clone(three[:2]), more), nil, nil, ""},
		"a successor that has not":         {newCast(3, 1).servers, nil, nil, ""},
		"a successor that has":             {newCast(3, 1).servers, map[raft.ServerID]fit{"new0": {caughtUp: true}}, nil, "remove old0"},
		"one of four, then its successor":  {newCast(4, 1).servers, map[raft.ServerID]fit{"new0": {caughtUp: true}}, nil, "promote new0"},
		"the old node came back elsewhere": {newCast(3, 1).servers, map[raft.ServerID]fit{"new0": {caughtUp: true}}, map[raft.ServerID]bool{"old0": true}, ""},
	} {
		got := ""
		next := nextChange(test.servers, func(id raft.ServerID) fit { return test.fit[id] }, func(s raft.Server) bool { return !test.up[s.ID] })
		switch {
		case next.remove != nil:
			got = "remove " + string(next.remove.ID)
		case next.promote != nil:
			got = "promote " + string(next.promote.ID)
		}
		require.Equal(t, test.want, got, name)
	}
}
