package gossip

import (
	"bytes"
	"context"
	"log"
	"log/slog"
)

// bridge returns a logger for memberlist, which writes the level into the line.
func bridge(to *slog.Logger) *log.Logger {
	return log.New(&logWriter{log: to}, "", 0)
}

type logWriter struct{ log *slog.Logger }

func (w *logWriter) Write(line []byte) (int, error) {
	level, text := logLevel(bytes.TrimSpace(line))
	if w.log.Enabled(context.Background(), level) {
		w.log.Log(context.Background(), level, string(text))
	}
	return len(line), nil
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
