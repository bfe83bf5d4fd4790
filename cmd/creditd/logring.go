package main

import "sync"

// logRingBytes bounds what a node remembers of its log.
const logRingBytes = 1 << 20

// logRing remembers the last lines of a log: at least half of logRingBytes, and never more than all of it. The handlers of slog write each line with
// one call.
type logRing struct {
	mu            sync.Mutex
	older, newest []byte // guarded by mu; whole lines, each at most half of the bytes
}

// Write never fails, so nothing that is written after it is lost.
func (r *logRing) Write(line []byte) (int, error) {
	const half = logRingBytes / 2
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := line
	if len(kept) > half {
		kept = append(append([]byte{}, line[:half-1]...), '\n')
	}
	if len(r.newest)+len(kept) > half {
		r.older, r.newest = r.newest, r.older[:0]
	}
	if r.newest == nil {
		r.newest = make([]byte, 0, half) // once for each half: append would make it larger
	}
	r.newest = append(r.newest, kept...)
	return len(line), nil
}

// lines returns a copy of what is remembered, oldest first.
func (r *logRing) lines() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append(make([]byte, 0, len(r.older)+len(r.newest)), r.older...), r.newest...)
}
