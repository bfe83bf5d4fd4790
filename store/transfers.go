package store

import (
	"sync"
	"time"
)

// snapshotTransfers tracks the snapshots that are being sent or were sent recently. A follower that installs a snapshot next needs the log
// entries behind it. So compaction keeps them during a transfer and for the same time again. See DESIGN.md.
type snapshotTransfers struct {
	now func() time.Time // nil: time.Now

	mu       sync.Mutex
	byReader map[*reader]*transfer // guarded by mu
}

type transfer struct {
	index uint64 // of the last entry in the snapshot
	began time.Time
	until time.Time // when the entries may be compacted; zero during the transfer
}

// The time that the entries are kept after a transfer lies between these. The maximum bounds how much the log can grow.
const (
	minHold = time.Second
	maxHold = 10 * time.Minute
)

func (t *snapshotTransfers) time() time.Time {
	if t.now != nil {
		return t.now()
	}
	return time.Now()
}

func (t *snapshotTransfers) began(r *reader) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byReader == nil {
		t.byReader = make(map[*reader]*transfer)
	}
	t.byReader[r] = &transfer{index: r.header.Index, began: t.time()}
}

// ended is called when a reader is closed. Most readers never began a transfer. raft closes the reader of a transfer after the follower has
// installed the snapshot.
func (t *snapshotTransfers) ended(r *reader) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sent := t.byReader[r]; sent != nil {
		now := t.time()
		sent.until = now.Add(min(max(now.Sub(sent.began), minHold), maxHold))
	}
}

// oldest returns the index of the oldest snapshot that a follower may be catching up from.
func (t *snapshotTransfers) oldest() (index uint64, any bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.time()
	for r, sent := range t.byReader {
		switch {
		case !sent.until.IsZero() && now.After(sent.until):
			delete(t.byReader, r)
		case !any || sent.index < index:
			index, any = sent.index, true
		}
	}
	return index, any
}
