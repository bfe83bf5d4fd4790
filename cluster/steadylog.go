package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/store"
)

// The limits of a steadyHandler.
const (
	// quietGap is how long a line must not have come for it to be news again. The slowest loop that repeats a line runs once a minute.
	quietGap = 90 * time.Second
	// remindAfter is when a line that keeps coming is written once more, with the number of times that it came.
	remindAfter = time.Hour
	// endInterval is how often it is looked which lines have ended.
	endInterval = 30 * time.Second
	// infoBurst is how often a line of level Info passes before it counts as repeated. Such lines report changes, and changes may recur
	// within a moment.
	infoBurst = 3
	// maxSteadyKeys bounds the memory of lines.
	maxSteadyKeys = 1024
)

// steadyHandler writes a line when something changes, and not again while it lasts. raft alone repeats "failed to heartbeat to" four times
// a second for each dead voter. Two lines are the same if message, level and attributes agree; numbers, durations and ports do not count.
type steadyHandler struct {
	slog.Handler
	bound string // the attributes of WithAttrs and WithGroup
	lines *steadyLines
}

// steadyLines is what all loggers of one node have written lately.
type steadyLines struct {
	now      func() time.Time
	stopping func() bool // whether the node closes its connections; nil: it does not

	mu   sync.Mutex
	seen map[string]*steadyLine // guarded by mu
}

// steadyLine is a line that came at least once.
type steadyLine struct {
	last, written time.Time
	passed        int // since it was news
	held          int // since it was written

	// say writes the line that was held back last; nil: none was.
	say func(...slog.Attr)
}

func newSteadyHandler(inner slog.Handler, now func() time.Time) *steadyHandler {
	return &steadyHandler{Handler: inner, lines: &steadyLines{now: now, seen: make(map[string]*steadyLine)}}
}

// Handle implements slog.Handler.
func (h *steadyHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level > slog.LevelInfo && h.lines.ownEnd(r) {
		r.Level = slog.LevelDebug
		if !h.Enabled(ctx, r.Level) {
			return nil
		}
	}
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
		passes, held := h.lines.came(key.String(), burst, func() func(...slog.Attr) { return h.later(r) })
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

// ownEnd reports whether a line is about a connection or a snapshot that this node ended because it stops. raft and memberlist call that an error.
func (l *steadyLines) ownEnd(r slog.Record) (own bool) {
	if l.stopping == nil || !l.stopping() {
		return false
	}
	says := func(text string) bool {
		return strings.Contains(text, net.ErrClosed.Error()) || strings.Contains(text, raft.ErrTransportShutdown.Error()) ||
			strings.Contains(text, store.ErrStopping.Error())
	}
	own = says(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		own = own || says(a.Value.String())
		return !own
	})
	return own
}

// later returns what writes a record with more attributes. It says that a state is over, so its level is Info at most.
func (h *steadyHandler) later(r slog.Record) func(...slog.Attr) {
	kept := r.Clone()
	kept.Level = slog.LevelInfo
	return func(more ...slog.Attr) {
		last := kept.Clone()
		last.AddAttrs(more...)
		if h.Handler.Enabled(context.Background(), last.Level) {
			_ = h.Handler.Handle(context.Background(), last) // as slog itself: a log that cannot be written has nowhere to say so
		}
	}
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
	if addr, ok := v.Any().(net.Addr); ok { // a stranger comes from another port each time
		if host, _, err := net.SplitHostPort(addr.String()); err == nil {
			text = host
		}
	}
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

// came notes a line. It reports whether the line is to be written, and how often it was held back since it last was. later returns how to
// write a line that is held back.
func (l *steadyLines) came(key string, burst int, later func() func(...slog.Attr)) (passes bool, held int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	line := l.seen[key]
	if line == nil || now.Sub(line.last) >= quietGap {
		if line != nil {
			held = line.held
		}
		l.forgetLocked(now)
		l.seen[key] = &steadyLine{last: now, written: now, passed: 1}
		return true, held
	}
	line.last = now
	if line.passed >= burst && now.Sub(line.written) < remindAfter {
		if line.held++; line.say == nil {
			line.say = later()
		}
		return false, 0
	}
	held = line.held
	line.passed, line.held, line.written, line.say = line.passed+1, 0, now, nil
	return true, held
}

// run says which lines have ended, until ctx ends.
func (l *steadyLines) run(ctx context.Context) {
	ticker := time.NewTicker(endInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.sayEnded()
		case <-ctx.Done():
			return
		}
	}
}

// sayEnded drops the lines that have not come for a while, and writes how often each was held back.
func (l *steadyLines) sayEnded() {
	for _, line := range l.takeEnded() {
		line.say(slog.Int("repeated", line.held), slog.Bool("ended", true))
	}
}

// takeEnded takes out the lines that have ended, and returns those that were held back.
func (l *steadyLines) takeEnded() (ended []*steadyLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for key, line := range l.seen {
		if now.Sub(line.last) < quietGap {
			continue
		}
		delete(l.seen, key)
		if line.held > 0 {
			ended = append(ended, line)
		}
	}
	return ended
}

// forgetLocked makes room. Lines that have ended go at the next look; if there are too many, all go.
func (l *steadyLines) forgetLocked(now time.Time) {
	if len(l.seen) < maxSteadyKeys {
		return
	}
	for key, line := range l.seen {
		if line.held == 0 && now.Sub(line.last) >= quietGap {
			delete(l.seen, key)
		}
	}
	if len(l.seen) >= maxSteadyKeys {
		clear(l.seen)
	}
}
