package turns

import (
	"context"
	"time"
)

// How long work rests at least, as a multiple of what it took. Patient work is for somebody who can wait: a backup, an export.
const (
	LeastRest   = 1.0
	PatientRest = 8.0
)

const (
	// pacedPiece is how long work goes on before it looks whether it owes a rest.
	pacedPiece = 100 * time.Microsecond
	// longestPiece is what counts of a piece of work. A piece may have waited for the disk.
	longestPiece = 100 * time.Millisecond
	// mostExtra is how much of the pause of slots is added: the log grows until a snapshot ends, and a client waits for a backup.
	mostExtra = 4.0
)

// Pace is for work on the whole ledger, which takes long: snapshots, backups, exports, a copy for another node. The work may hold turns or not. Again
// and again it sleeps for a multiple of the time that it worked, even while the machine has CPU to spare: what comes meanwhile would wait for the
// end of a piece. The multiple grows as the rest of a slot does, up to mostExtra. Rests that are too short for a timer add up. One goroutine uses it.
type Pace struct {
	turns *Turns
	least func() float64
	began time.Time // the present piece; see Breathe
	owed  time.Duration
}

// Pace returns the pace of work that begins now. It is told at each rest how long that is at least, as a multiple.
func (t *Turns) Pace(least func() float64) *Pace {
	return &Pace{turns: t, least: least, began: time.Now()}
}

// Breathe is called again and again by work that holds nothing others wait for. It rests if that is due. Its errors are those of ctx.
func (p *Pace) Breathe(ctx context.Context) error {
	worked := time.Since(p.began)
	if worked < pacedPiece {
		return nil
	}
	err := p.Rest(ctx, worked)
	p.began = time.Now()
	return err
}

// Rest is called after a piece of work, with the time that it took without its waiting.
func (p *Pace) Rest(ctx context.Context, worked time.Duration) error {
	t := p.turns
	least := p.least()
	t.mu.Lock()
	p.owed += time.Duration(float64(min(worked, longestPiece)) * (least + min(t.pause, mostExtra)))
	if p.owed < minPause {
		t.probeLocked()
		t.mu.Unlock()
		return ctx.Err()
	}
	t.mu.Unlock()
	rest := p.owed
	p.owed = 0
	rested := make(chan struct{})
	t.after(rest, func() { close(rested) })
	select {
	case <-rested:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
