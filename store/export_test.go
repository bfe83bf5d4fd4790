package store

import (
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

// Seams is what tests may put under the watchdog.
type Seams struct {
	Log    func(raft.LogStore) raft.LogStore
	Stable func(raft.StableStore) raft.StableStore
	Spill  int
}

// OpenWithSeams is Open with them.
func OpenWithSeams(o Options, s Seams) (*Store, error) {
	return open(o, seams{log: s.Log, stable: s.Stable, spill: s.Spill})
}

// SealIdentity makes the file meta.json around a content.
func SealIdentity(content []byte) []byte {
	return fmt.Appendf(nil, "{\"content\":%s,\"crc32c\":\"%08x\"}\n", content, checksum(content))
}

// VerifyState is the check of a whole file without opening it.
func VerifyState(path string) error {
	_, err := verifyState(path)
	return err
}

// SetTakersClock replaces the clock by which a store remembers to whom it sent snapshots.
func (s *Store) SetTakersClock(now func() time.Time) { s.snaps.takers.now = now }
