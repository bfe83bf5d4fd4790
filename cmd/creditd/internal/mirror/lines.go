package mirror

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// maxLines is how many lines of the log wait for a reader of stderr.
const maxLines = 1024

// Lines hands lines to a writer that may block, such as a pipe that nobody reads. Write never waits: what does not fit is dropped, and the next
// line that fits is preceded by their number.
type Lines struct {
	queue   chan []byte
	dropped chan int // holds the number of dropped lines, below 0 after Close, and is the lock of queue
	ended   chan struct{}
}

// NewLines begins to write. Close ends it.
func NewLines(to io.Writer) *Lines {
	l := &Lines{queue: make(chan []byte, maxLines), dropped: make(chan int, 1), ended: make(chan struct{})}
	l.dropped <- 0
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
	dropped := <-l.dropped
	defer func() { l.dropped <- dropped }()
	if dropped < 0 {
		return len(line), nil
	}
	text := slices.Clone(line)
	if dropped > 0 {
		text = append(fmt.Appendf(nil, "level=WARN msg=\"%d lines were dropped\"\n", dropped), line...)
	}
	select {
	case l.queue <- text:
		dropped = 0
	default:
		dropped++
	}
	return len(line), nil
}

// Close waits for a moment until all lines are written. Later ones are dropped.
func (l *Lines) Close() {
	<-l.dropped
	close(l.queue)
	l.dropped <- -1
	select {
	case <-l.ended:
	case <-time.After(recorderGrace):
	}
}
