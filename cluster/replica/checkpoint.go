package replica

import "github.com/creditd/creditd/fsm"

// Checkpoint is the digest of the ledger once everything up to an index was applied.
type Checkpoint struct {
	Index  uint64 `json:"index"`
	Digest string `json:"digest"`
	// Definition is the number of the way in which the digest is made. Digests of different definitions say nothing about each other.
	// A node that states none uses the first.
	Definition int `json:"definition,omitempty"`
}

// Comparable is what digests of one meaning have in common.
type Comparable struct {
	Index      uint64
	Definition int
}

// Comparable returns what the checkpoint may be compared with.
func (c Checkpoint) Comparable() Comparable { return Comparable{c.Index, max(1, c.Definition)} }

// keptCheckpoints is how many a node remembers: enough for the slowest follower that still counts as one.
const keptCheckpoints = 64

// checkpoints records the digest at every multiple of step, at the same indexes on every node.
type checkpoints struct {
	step    uint64
	from    uint64 // the ledger was restored as of this index; below it nothing is known
	last    uint64 // the multiple that was considered last
	digests []Checkpoint
}

// before is called before the entry at index is applied. Some indexes never come to the ledger, so its digest at a multiple is taken
// when the first entry beyond it comes.
func (c *checkpoints) before(index uint64, s *fsm.State) {
	at := (index - 1) / c.step * c.step
	if at <= c.last || at < c.from {
		return
	}
	c.last = at
	c.digests = append(c.digests, Checkpoint{Index: at, Digest: s.Digest().String(), Definition: fsm.DigestDefinition})
	if len(c.digests) > keptCheckpoints {
		c.digests = append([]Checkpoint(nil), c.digests[1:]...)
	}
}

// restart forgets everything: the ledger was replaced by one as of index.
func (c *checkpoints) restart(index uint64) {
	*c = checkpoints{step: c.step, from: index}
}
