package store

import (
	"sync"
	"time"
)

// takers are those who are being sent the snapshot, and a while ago were. A follower that takes a whole copy needs the entries behind it
// next. A copy of a large ledger takes longer than its leader takes to write TrailingLogs entries, and if they were dropped
// meanwhile the follower would need another copy, and never catch up under load. So the log is not compacted beyond a snapshot that is
// being sent, nor for as long again as that took.
type takers struct {
	now func() time.Time // nil: time.Now

	mu     sync.Mutex
	copies map[*reader]*sentCopy // guarded by mu
}

type sentCopy struct {
	index uint64 // where the snapshot ends
	began time.Time
	until time.Time // zero while it goes on
}

// A copy is remembered between these two times. The second bounds what a log grows by for a follower that never comes.
const (
	minRemembered = time.Second
	maxRemembered = 10 * time.Minute
)

func (t *takers) time() time.Time {
	if t.now != nil {
		return t.now()
	}
	return time.Now()
}

func (t *takers) began(r *reader) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.copies == nil {
		t.copies = make(map[*reader]*sentCopy)
	}
	t.copies[r] = &sentCopy{index: r.header.Index, began: t.time()}
}

// ended is called when any reader is closed. raft closes it when the follower has the copy installed.
func (t *takers) ended(r *reader) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sent := t.copies[r]; sent != nil {
		now := t.time()
		sent.until = now.Add(min(max(now.Sub(sent.began), minRemembered), maxRemembered))
	}
}

// oldest returns the end of the oldest snapshot that a follower may be catching up from.
func (t *takers) oldest() (index uint64, any bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.time()
	for r, sent := range t.copies {
		switch {
		case !sent.until.IsZero() && now.After(sent.until):
			delete(t.copies, r)
		case !any || sent.index < index:
			index, any = sent.index, true
		}
	}
	return index, any
}
