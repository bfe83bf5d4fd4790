package membership

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
)

// What an empty node waits for.
const (
	surplusText = "more nodes than bootstrap-expect want to bootstrap the cluster: stop the surplus, or start them without bootstrap-expect"
	leaderText  = "a cluster exists, and this node waits until its leader adds it"
	quorumText  = "members that have data are seen, but they have no leader: start the other voters of their cluster with their data directories. " +
		"This node founds nothing. Keep the data of those members: where a majority is lost for good, the ledger has to be recovered from them"
	silentText = "members that have data are seen and do not answer this node at their peer addresses: open the peer port between the machines, " +
		"and compare this node's cluster secret or peer certificate with theirs"
)

// waiting is what an empty node waits for, and because of whom.
type waiting struct {
	text    string
	members []string
}

// clusterWait keeps what an empty node waits for, and says it when it changes.
type clusterWait struct {
	said  atomic.Pointer[waiting]
	asked time.Time // when the members that have data were last asked
	led   time.Time // when they last had a leader, or were first seen
}

func (w *clusterWait) say(log *slog.Logger, now waiting) {
	before := w.said.Swap(&now)
	if before != nil && before.text == now.text && slices.Equal(before.members, now.members) {
		return
	}
	level := slog.LevelWarn
	if now.text == leaderText {
		level = slog.LevelInfo
	}
	log.Log(context.Background(), level, now.text, "members", now.members)
}

const (
	// askInterval is how often the members that have data are asked whether one of them leads.
	askInterval = 500 * time.Millisecond
	// leaderlessGrace is how long they may have no leader before that is worth a warning: an election takes less.
	leaderlessGrace = 2 * time.Second
)

// awaitCluster finds out why the members that have data have not added this node yet.
func (b *Bootstrap) awaitCluster(ctx context.Context, owners []gossip.Member) {
	now := time.Now()
	if now.Sub(b.wait.asked) < askInterval {
		return
	}
	if b.wait.asked = now; b.wait.led.IsZero() {
		b.wait.led = now
	}
	addrs, names := make(map[string]string), make(map[string]string)
	for _, m := range owners {
		names[m.ID] = m.ID + " at " + m.PeerAddr + " (" + m.Health.String() + ")"
		if m.Health == gossip.Alive {
			addrs[m.ID] = m.PeerAddr
		}
	}
	answers := b.Reporter.Ask(ctx, addrs)
	for _, r := range answers {
		if r.Role == leaderRole {
			b.wait.led = now
			b.wait.say(b.Logger, waiting{leaderText, sortedValues(names)})
			return
		}
	}
	if now.Sub(b.wait.led) <= leaderlessGrace {
		return
	}
	if len(answers) == len(addrs) {
		b.wait.say(b.Logger, waiting{quorumText, sortedValues(names)})
		return
	}
	maps.DeleteFunc(names, func(id, _ string) bool { // one of the others may lead
		_, answered := answers[id]
		return answered || addrs[id] == ""
	})
	b.wait.say(b.Logger, waiting{silentText, sortedValues(names)})
}

func sortedValues(m map[string]string) []string { return slices.Sorted(maps.Values(m)) }

// forget is called when there is nothing to say: the node waits for other founders.
func (w *clusterWait) forget() { w.said.Store(nil) }

// Waits returns what this empty node waits for, nil if it is not known or over.
func (b *Bootstrap) Waits() error {
	w := b.wait.said.Load()
	if w == nil || b.Raft.LastIndex() > 0 {
		return nil
	}
	return fault.New(fault.Unavailable, w.text+": "+strings.Join(w.members, ", "))
}
