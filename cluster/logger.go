package cluster

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// raftLogger gives raft and autopilot, which speak hclog, our logger.
func raftLogger(log *slog.Logger) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "raft", Level: hclog.Info, Output: io.Discard})
	l.RegisterSink(logSink{log.With("component", "raft")})
	return l
}

type logSink struct{ log *slog.Logger }

// Accept implements hclog.SinkAdapter.
func (s logSink) Accept(_ string, level hclog.Level, msg string, args ...any) {
	if level > hclog.Info && lacksEntry(args) {
		level = hclog.Info
	}
	for i, a := range args {
		// hclog allows values that slog would print as addresses.
		if f, ok := a.(hclog.Format); ok && len(f) > 0 {
			args[i] = fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
		}
	}
	switch level {
	case hclog.Trace, hclog.Debug:
		s.log.Debug(msg, args...)
	case hclog.Warn:
		s.log.Warn(msg, args...)
	case hclog.Error:
		s.log.Error(msg, args...)
	default:
		s.log.Info(msg, args...)
	}
}

// lacksEntry reports whether a line says that the log has no such entry. That is an error of level Error to raft, each time that a new node is empty or a
// follower was away for long. The follower then gets a snapshot.
func lacksEntry(args []any) bool {
	return slices.ContainsFunc(args, func(a any) bool {
		err, ok := a.(error)
		return ok && errors.Is(err, raft.ErrLogNotFound)
	})
}
