package gossip

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// A stranger can make memberlist write a line for each packet. Of each kind of line, so many pass a minute.
const (
	linesPerKind = 10
	lineInterval = time.Minute
	maxLineKinds = 64
)

// lineLimit holds back log lines that come too often.
type lineLimit struct {
	mu    sync.Mutex
	kinds map[string]*lineCount // guarded by mu
}

type lineCount struct {
	since time.Time
	lines int // since then
	held  int // of them
}

// passes reports whether a line may be written, and how many of its kind were held back before it.
func (l *lineLimit) passes(kind string, now time.Time) (ok bool, held int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kinds == nil || len(l.kinds) >= maxLineKinds && l.kinds[kind] == nil {
		l.kinds = make(map[string]*lineCount)
	}
	c := l.kinds[kind]
	if c == nil {
		c = &lineCount{since: now}
		l.kinds[kind] = c
	}
	if now.Sub(c.since) >= lineInterval {
		held = c.held
		*c = lineCount{since: now}
	}
	c.lines++
	if c.lines > linesPerKind {
		c.held++
		return false, 0
	}
	return true, held
}

// write writes a line, or not.
func (l *lineLimit) write(to *slog.Logger, level slog.Level, kind, text string, args ...any) {
	if !to.Enabled(context.Background(), level) {
		return
	}
	ok, held := true, 0
	if level > slog.LevelDebug {
		ok, held = l.passes(kind, time.Now())
	}
	if !ok {
		return
	}
	if held > 0 {
		args = append(args[:len(args):len(args)], "held_back", held)
	}
	to.Log(context.Background(), level, text, args...)
}

// logWriter is memberlist's log. The level is in the line.
type logWriter struct {
	log     *slog.Logger
	limit   *lineLimit
	refused func() // counts a packet or a stream that memberlist refused
}

func (w *logWriter) logger() *log.Logger { return log.New(w, "", 0) }

func (w *logWriter) Write(line []byte) (int, error) {
	level, text := logLevel(bytes.TrimSpace(line))
	if level >= slog.LevelWarn && (bytes.Contains(text, []byte(" from=")) || bytes.Contains(text, []byte("gnoring a"))) {
		w.refused()
	}
	w.limit.write(w.log, level, kindOf(string(text)), string(text))
	return len(line), nil
}

// kindOf returns the beginning of a line, which no sender has a say in: "memberlist: Failed".
func kindOf(text string) string {
	words := strings.SplitN(text, " ", 3)
	return strings.Join(words[:min(2, len(words))], " ")
}

func logLevel(line []byte) (slog.Level, []byte) {
	for _, l := range []struct {
		prefix string
		level  slog.Level
	}{
		{"[DEBUG] ", slog.LevelDebug},
		{"[INFO] ", slog.LevelInfo},
		{"[WARN] ", slog.LevelWarn},
		{"[ERR] ", slog.LevelError},
		{"[ERROR] ", slog.LevelError},
	} {
		if rest, ok := bytes.CutPrefix(line, []byte(l.prefix)); ok {
			return l.level, rest
		}
	}
	return slog.LevelInfo, line
}
