package store

import (
	"io"
	"time"
)

// PacedCopy is a snapshot that may be copied while others want the machine. The reader that SnapshotStore.Open returns implements it.
type PacedCopy interface {
	// Pace sets what a copy of the file calls again and again, with the time that it worked. It may sleep.
	Pace(rest func(worked time.Duration))
}

// A copy rests after each copyPiece. Its receiver may be slow, and that is no work: what sending takes is estimated.
const (
	copyPiece   = 256 << 10
	sendingCost = 250 * time.Microsecond // copied to the kernel, and encrypted
)

// copying is where a copy goes. It ends when the store closes, and rests.
type copying struct {
	w      io.Writer
	store  *snapshots
	rest   func(worked time.Duration) // nil: it does not
	began  time.Time                  // the work after the last write
	worked time.Duration
	piece  int
}

// Write implements io.Writer.
func (c *copying) Write(p []byte) (int, error) {
	if c.store.closing.Load() {
		return 0, errClosed
	}
	c.worked += time.Since(c.began)
	n, err := c.w.Write(p)
	if c.piece += n; c.piece >= copyPiece && c.rest != nil {
		c.rest(c.worked + sendingCost)
		c.piece, c.worked = 0, 0
	}
	c.began = time.Now()
	return n, err
}

// resting is a file that rests after each write. An error of the rest ends the writing.
type resting struct {
	w    io.Writer
	rest func() error
}

// Write implements io.Writer.
func (r *resting) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if err != nil {
		return n, err
	}
	return n, r.rest()
}
