package mirror

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// maxLines is how many lines of the log wait for a reader of stderr.
const maxLines = 1024

// Lines hands lines to a writer that may block, such as a pipe that nobody reads. Write never waits: what does not fit is dropped, and the next
// line that fits is preceded by their number.
type Lines struct {
	queue chan []byte // no more are sent once closed is set
	ended chan struct{}

	mu      sync.Mutex
	dropped int  // guarded by mu: lines since the last that fitted
	closed  bool // guarded by mu
}

// NewLines begins to write. Close ends it.
func NewLines(to io.Writer) *Lines {
	l := &Lines{queue: make(chan []byte, maxLines), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		for line := range l.queue {
			_, _ = to.Write(line) // nobody could be told
		}
	}()
	return l
}

// Write takes a line.
func (l *Lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return len(line), nil
	}
	text := slices.Clone(line)
	if l.dropped > 0 {
		text = append(fmt.Appendf(nil, "level=WARN msg=\"%d lines were dropped\"\n", l.dropped), line...)
	}
	select {
	case l.queue <- text:
		l.dropped = 0
	default:
		l.dropped++
	}
	return len(line), nil
}

// Close waits for a moment until all lines are written. Later ones are dropped.
func (l *Lines) Close() {
	l.mu.Lock()
	l.closed = true
	close(l.queue)
	l.mu.Unlock()
	select {
	case <-l.ended:
	case <-time.After(recorderGrace):
	}
}
