package migrate

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress shows a line a second. Methods of a nil Progress do nothing.
type Progress struct {
	w    io.Writer
	stop chan struct{}
	done chan struct{}

	mu       sync.Mutex
	name     string    // of the step; guarded by mu
	total    int64     // rows, 0: unknown; guarded by mu
	rows     int64     // read and written; guarded by mu
	problems int       // guarded by mu
	began    time.Time // the step; guarded by mu
}

// NewProgress starts to show. Close ends it.
func NewProgress(w io.Writer) *Progress {
	p := &Progress{w: w, stop: make(chan struct{}), done: make(chan struct{})}
	go p.show()
	return p
}

func (p *Progress) show() {
	defer close(p.done)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case now := <-ticker.C:
			if line := p.line(now); line != "" {
				_, _ = fmt.Fprintln(p.w, line)
			}
		}
	}
}

// line is what to show, empty before the first step.
func (p *Progress) line(now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name == "" {
		return ""
	}
	text := fmt.Sprintf("%s: %d", p.name, p.rows)
	if p.total > 0 {
		text += fmt.Sprintf(" of %d", p.total)
	}
	text += " rows"
	if passed := now.Sub(p.began).Seconds(); passed > 0 && p.rows > 0 {
		rate := float64(p.rows) / passed
		text += fmt.Sprintf(", %.0f/s", rate)
		if left := float64(p.total-p.rows) / rate; left > 0 {
			text += fmt.Sprintf(", %s left", (time.Duration(left) * time.Second).Round(time.Second))
		}
	}
	return text + fmt.Sprintf(", %d problems", p.problems)
}

func (p *Progress) begin(s step, total int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name, p.total, p.rows, p.began = s.String(), total, 0, time.Now()
}

func (p *Progress) add(rows, problems int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows += int64(rows)
	p.problems += problems
}

// Close ends the display.
func (p *Progress) Close() {
	if p == nil {
		return
	}
	close(p.stop)
	<-p.done
}
