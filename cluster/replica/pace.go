package replica

import "time"

// Pace makes long work rest. One goroutine uses it.
type Pace interface {
	// Breathe is called again and again, and may sleep.
	Breathe()
	// Rest is called after a piece of work, with the time that it took, and may sleep.
	Rest(worked time.Duration)
}

type noPace struct{}

func (noPace) Breathe()           {}
func (noPace) Rest(time.Duration) {}
