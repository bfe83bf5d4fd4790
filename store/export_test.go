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

// PassTime lets the watchdog think that time has passed.
func (s *Store) PassTime(d time.Duration) { s.watchdog.ticks.Add(uint32(d / s.watchdog.interval)) }

// HoldWrites keeps sinks from replacing the snapshot until it is told to go on. waits reports whether one waits.
func (s *Store) HoldWrites() (waits func() bool, goOn func()) {
	s.snaps.writeMu.Lock()
	return func() bool {
		for i := range s.watchdog.slots {
			if s.watchdog.slots[i].call.Load()&mostExtraTicks == mostExtraTicks {
				return true
			}
		}
		return false
	}, s.snaps.writeMu.Unlock
}

// SetTransfersClock replaces the clock of snapshot transfers.
func (s *Store) SetTransfersClock(now func() time.Time) { s.snaps.transfers.now = now }
