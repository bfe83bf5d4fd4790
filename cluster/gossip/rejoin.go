package gossip

import (
	"math/rand/v2"
	"time"
)

// giveUpAfter is how long a failed member is contacted. Afterwards it can still join by itself.
const giveUpAfter = 24 * time.Hour

// watch writes the log lines of callbacks, and contacts lost members, until Close.
func (g *Gossip) watch() {
	least, most := g.conf.Profile.rejoinPauses()
	pause := least
	timer := time.NewTimer(pause)
	defer timer.Stop()
	wasMissing := false
	for {
		select {
		case <-g.ctx.Done():
			g.table.flush(g.writeNotice)
			return
		case <-g.table.kicked:
			g.table.flush(g.writeNotice)
			missing := len(g.missing()) > 0
			if missing && !wasMissing {
				pause = least
				timer.Reset(pause)
			}
			wasMissing = missing
		case <-timer.C:
			targets := g.missing()
			wasMissing = len(targets) > 0
			if !wasMissing {
				pause = least
			} else {
				g.rejoin(targets)
				pause = min(2*pause, most)
			}
			// Jitter keeps nodes from contacting each other at the same time.
			timer.Reset(pause/2 + rand.N(pause/2+1))
		}
	}
}

func (g *Gossip) writeNotice(n logNotice) {
	g.lines.write(g.conf.Logger, n.level, n.text, n.text, n.args...)
}

// missing returns the addresses to contact. These are the addresses of failed members, unless another member has the address by now. While
// this node sees no other member, the join list is added.
func (g *Gossip) missing() []string {
	var targets []string
	alone := true
	members := g.Members()
	taken := make(map[string]bool, len(members))
	for _, m := range members {
		taken[m.GossipAddr] = taken[m.GossipAddr] || m.Health == Alive
	}
	for _, m := range members {
		switch {
		case m.Self:
			if m.Health != Alive {
				return nil // this node is leaving
			}
		case m.Health == Alive:
			alone = false
		case m.Health == Failed && time.Since(m.Since) < giveUpAfter && !taken[m.GossipAddr]:
			targets = append(targets, m.GossipAddr)
		}
	}
	if alone {
		g.seedMu.Lock()
		defer g.seedMu.Unlock()
		targets = append(targets, g.seeds...)
	}
	return targets
}

// rejoin contacts lost members. The table tells which of them are back.
func (g *Gossip) rejoin(targets []string) {
	if _, err := g.contact(targets); err != nil {
		g.conf.Logger.Debug("gossip looks for lost members", "targets", targets, "error", err)
	}
}
