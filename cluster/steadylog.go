package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
)

// The limits of a steadyHandler.
const (
	// quietGap is how long a line must not have come for it to be news again. The slowest loop that repeats a line runs once a minute.
	quietGap = 90 * time.Second
	// remindAfter is when a line that keeps coming is written once more, with the number of times that it came.
	remindAfter = 10 * time.Minute
	// infoBurst is how often a line of level Info passes before it counts as repeated. Such lines report changes, and changes may recur
	// within a moment.
	infoBurst = 3
	// maxSteadyKeys bounds the memory of lines.
	maxSteadyKeys = 1024
)

// steadyHandler writes a line when something changes, and not again while it lasts. raft alone repeats "failed to heartbeat to" four times
// a second for each dead voter. Two lines are the same if message, level and attributes agree; numbers and durations do not count.
type steadyHandler struct {
	slog.Handler
	bound string // the attributes of WithAttrs and WithGroup
	lines *steadyLines
}

// steadyLines is what all loggers of one node have written lately.
type steadyLines struct {
	now func() time.Time

	mu   sync.Mutex
	seen map[string]*steadyLine // guarded by mu
}

// steadyLine is a line that came at least once.
type steadyLine struct {
	last, written time.Time
	passed        int // since it was news
	held          int // since it was written
}

func newSteadyHandler(inner slog.Handler, now func() time.Time) *steadyHandler {
	return &steadyHandler{Handler: inner, lines: &steadyLines{now: now, seen: make(map[string]*steadyLine)}}
}

// Handle implements slog.Handler.
func (h *steadyHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo {
		var key strings.Builder
		fmt.Fprintf(&key, "%d %s%s", r.Level, r.Message, h.bound)
		r.Attrs(func(a slog.Attr) bool {
			appendSteadyAttr(&key, a)
			return true
		})
		burst := 1
		if r.Level == slog.LevelInfo {
			burst = infoBurst
		}
		passes, held := h.lines.came(key.String(), burst)
		if !passes {
			return nil
		}
		if held > 0 {
			r = r.Clone()
			r.AddAttrs(slog.Int("repeated", held))
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *steadyHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var bound strings.Builder
	bound.WriteString(h.bound)
	for _, a := range attrs {
		appendSteadyAttr(&bound, a)
	}
	return &steadyHandler{Handler: h.Handler.WithAttrs(attrs), bound: bound.String(), lines: h.lines}
}

// WithGroup implements slog.Handler.
func (h *steadyHandler) WithGroup(name string) slog.Handler {
	return &steadyHandler{Handler: h.Handler.WithGroup(name), bound: h.bound + " " + name + ".", lines: h.lines}
}

// appendSteadyAttr writes what of an attribute tells two lines apart. The text of an error may name the port of one attempt, so its digits do not
// count.
func appendSteadyAttr(key *strings.Builder, a slog.Attr) {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindDuration, slog.KindTime:
		return
	}
	text := v.String()
	if a.Key == "err" || a.Key == "error" {
		text = strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return -1
			}
			return r
		}, text)
	}
	key.WriteString(" ")
	key.WriteString(a.Key)
	key.WriteString("=")
	key.WriteString(text)
}

// came notes a line. It reports whether the line is to be written, and how often it was held back since it last was.
func (l *steadyLines) came(key string, burst int) (passes bool, held int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	line := l.seen[key]
	if line == nil || now.Sub(line.last) >= quietGap {
		l.forgetLocked(now)
		l.seen[key] = &steadyLine{last: now, written: now, passed: 1}
		return true, 0
	}
	line.last = now
	if line.passed >= burst && now.Sub(line.written) < remindAfter {
		line.held++
		return false, 0
	}
	held = line.held
	line.passed, line.held, line.written = line.passed+1, 0, now
	return true, held
}

// forgetLocked drops the lines that would be news again. If too many are left, it drops all.
func (l *steadyLines) forgetLocked(now time.Time) {
	if len(l.seen) < maxSteadyKeys {
		return
	}
	for key, line := range l.seen {
		if now.Sub(line.last) >= quietGap {
			delete(l.seen, key)
		}
	}
	if len(l.seen) >= maxSteadyKeys {
		clear(l.seen)
	}
}
