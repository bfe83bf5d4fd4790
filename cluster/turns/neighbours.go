package turns

import (
	"iter"
	"slices"
	"sync/atomic"
	"time"
)

// Actor is the hash of a root key.
type Actor = [32]byte

// Neighbours notes whether several workspaces use this node or, by its entries, the cluster. Each request and entry is seen, so seeing mostly
// compares a hash.
type Neighbours struct {
	workspace func(actor Actor) string
	origin    time.Time
	seen      atomic.Pointer[sighting]
	shared    atomic.Int64 // when two workspaces were last seen, in ns after origin; 0: never
}

// sighting is who was seen within a while. It is replaced, never changed.
type sighting struct {
	began     time.Duration
	workspace string
	actors    []Actor // root keys of the workspace, at most maxActors
	several   bool    // another workspace was seen as well
}

const (
	sightingTime = 500 * time.Millisecond
	sharedTime   = time.Second // how long a neighbour that was seen counts
	maxActors    = 4
)

// NewNeighbours returns neighbours that find the workspace of a root key with a function; "": it is unknown, and nobody's neighbour.
func NewNeighbours(workspace func(actor Actor) string) *Neighbours {
	return &Neighbours{workspace: workspace, origin: time.Now()}
}

// See notes a request of a root key.
func (n *Neighbours) See(actor Actor) { n.see(actor, time.Since(n.origin)) }

// SeeAll notes those who made the calls of an entry.
func (n *Neighbours) SeeAll(actors iter.Seq[Actor]) {
	now := time.Since(n.origin)
	for actor := range actors {
		n.see(actor, now)
	}
}

func (n *Neighbours) see(actor Actor, now time.Duration) {
	s := n.seen.Load()
	fresh := s == nil || now-s.began >= sightingTime
	if !fresh && (s.several || slices.Contains(s.actors, actor)) {
		return
	}
	w := n.workspace(actor)
	switch {
	case w == "", !fresh && w == s.workspace && len(s.actors) == maxActors:
	case fresh:
		n.seen.Store(&sighting{began: now, workspace: w, actors: []Actor{actor}})
	case w == s.workspace:
		n.seen.Store(&sighting{began: s.began, workspace: w, actors: append(slices.Clone(s.actors), actor)})
	default:
		n.seen.Store(&sighting{began: s.began, several: true})
		n.shared.Store(int64(now) + 1)
	}
}

// Shared reports whether several workspaces use this node now.
func (n *Neighbours) Shared() bool {
	last := n.shared.Load()
	return last != 0 && int64(time.Since(n.origin))-last < int64(sharedTime)
}
