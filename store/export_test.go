package store

import (
	"time"

	"github.com/hashicorp/raft"
)

// TestHooks let tests replace the stores.
type TestHooks struct {
	Log    func(raft.LogStore) raft.LogStore
	Stable func(raft.StableStore) raft.StableStore
	Spill  int
}

// OpenWithHooks is Open with them.
func OpenWithHooks(o Options, s TestHooks) (*Store, error) {
	return open(o, testHooks{log: s.Log, stable: s.Stable, spill: s.Spill})
}

// SealIdentity returns the file meta.json with a content.
func SealIdentity(content []byte) []byte { return encodeChecked(content) }

// VerifyState checks a file without opening it.
func VerifyState(path string) error {
	reads, err := Versions{}.withDefaults()
	if err == nil {
		_, err = verifyState(path, reads)
	}
	return err
}

// SetTransfersClock replaces the clock of snapshot transfers.
func (s *Store) SetTransfersClock(now func() time.Time) { s.snaps.transfers.now = now }
