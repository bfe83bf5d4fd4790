package propose

import (
	"sync"
	"time"

	"github.com/creditd/creditd/cluster/fault"
)

// A node opens a session when it starts, after an hour of silence, and when an answer is lost. So a node that opens many does something
// else, and each costs every node memory for an hour. One that restarts again and again stays below these limits.
const (
	sessionBurst    = 64
	sessionInterval = 2 * time.Second // for each further one
	// maxSessionNodes bounds the nodes that are remembered: more than a cluster has.
	maxSessionNodes = 64
)

var tooManySessions = fault.New(fault.Overloaded, "This node opens too many sessions")

// sessionLimit bounds the sessions that other nodes open through this one while it leads. The zero value is ready for use.
type sessionLimit struct {
	mu    sync.Mutex
	spent map[string]time.Time // guarded by mu: when a node will have all of its burst again
}

// take counts a session that a node opens.
func (l *sessionLimit) take(node string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.spent[node]
	if at.Before(now) {
		at = now
	}
	if at.Sub(now) > (sessionBurst-1)*sessionInterval {
		return tooManySessions
	}
	if _, known := l.spent[node]; !known && len(l.spent) >= maxSessionNodes {
		l.forgetLocked(now)
		if len(l.spent) >= maxSessionNodes {
			return tooManySessions
		}
	}
	if l.spent == nil {
		l.spent = make(map[string]time.Time)
	}
	l.spent[node] = at.Add(sessionInterval)
	return nil
}

func (l *sessionLimit) forgetLocked(now time.Time) {
	for node, at := range l.spent {
		if !at.After(now) {
			delete(l.spent, node)
		}
	}
}
