package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// steadyLog is a logger whose clock the test moves, and what it wrote.
type steadyLog struct {
	*slog.Logger
	now  time.Time
	text bytes.Buffer
}

func newSteadyLog() *steadyLog {
	l := &steadyLog{now: time.Unix(1000, 0)}
	inner := slog.NewTextHandler(&l.text, &slog.HandlerOptions{Level: slog.LevelDebug})
	l.Logger = slog.New(newSteadyHandler(inner, func() time.Time { return l.now }))
	return l
}

func (l *steadyLog) count(text string) int { return strings.Count(l.text.String(), text) }

// An operator reads what changed. What raft repeats four times a second for a dead voter hides it.
func TestSteadyLog_WritesAThingOnceWhileItLasts(t *testing.T) {
	l := newSteadyLog()
	for range 4 * 60 { // a minute of raft's heartbeats to two dead voters
		l.now = l.now.Add(250 * time.Millisecond)
		for peer := range 2 {
			l.Error("failed to heartbeat to", "peer", fmt.Sprintf("10.0.0.%d:7071", peer), "backoff time", 250*time.Millisecond,
				"error", fmt.Errorf("read tcp 10.0.0.9:%d: connection reset", l.now.UnixMilli()%60000))
		}
	}
	require.Equal(t, 2, l.count("failed to heartbeat to"), l.text.String())
	l.Error("failed to heartbeat to", "peer", "10.0.0.1:7071", "error", errors.New("i/o timeout"))
	require.Equal(t, 3, l.count("failed to heartbeat to"), "another reason is news")

	l.now = l.now.Add(quietGap)
	l.Error("failed to heartbeat to", "peer", "10.0.0.1:7071", "error", errors.New("i/o timeout"))
	require.Equal(t, 4, l.count("failed to heartbeat to"), "it was over, and is back")
}

// A node that stops in good order closes its own connections, and gives up a snapshot. That is no error, and a daily look at the errors should not find it.
func TestSteadyLog_CallsNoOwnEndAnError(t *testing.T) {
	var stopping bool
	var text bytes.Buffer
	handler := newSteadyHandler(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelInfo}), time.Now)
	handler.lines.stopping = func() bool { return stopping }
	log := slog.New(handler).With("component", "raft")
	closed := &net.OpError{Op: "read", Net: "tcp", Err: net.ErrClosed}
	say := func() {
		log.Error("failed to decode incoming command", "error", closed)
		log.Error("failed to decode incoming command", "error", raft.ErrTransportShutdown)
		log.Error("memberlist: Failed to send UDP ping: " + closed.Error())
		log.Error("failed to take snapshot", "error", fmt.Errorf("failed to persist snapshot: %w", store.ErrStopping))
	}
	say()
	require.Equal(t, 4, strings.Count(text.String(), "level=ERROR"), "before, somebody else may be the reason")
	text.Reset()
	stopping = true
	say()
	require.Empty(t, text.String())
	log.Error("failed to decode incoming command", "error", errors.New("unexpected EOF"))
	require.Contains(t, text.String(), "level=ERROR", "what else fails while it stops is said")
}

// A node that joins has no log, and the leader's log no longer begins at its beginning. Neither is an error.
func TestRaftLogger_CallsAMissingEntryNoError(t *testing.T) {
	l := newSteadyLog()
	log := raftLogger(l.Logger)
	log.Error("failed to get log", "index", 1, "error", raft.ErrLogNotFound)
	log.Warn("failed to get previous log", "previous-index", 1, "error", raft.ErrLogNotFound)
	require.Equal(t, 2, l.count("level=INFO"), l.text.String())
	log.Error("failed to get log", "index", 1, "error", errors.New("input/output error"))
	require.Equal(t, 1, l.count("level=ERROR"))
}

// A stranger knocks from another port each time, and stays the same stranger.
func TestSteadyLog_KnowsAStrangerByItsHost(t *testing.T) {
	l := newSteadyLog()
	for port := range 50 {
		l.now = l.now.Add(time.Minute)
		l.Warn("refused", "from", &net.TCPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 40000 + port}, "refused", 3)
	}
	require.Equal(t, 1, l.count("refused from=10.0.0.9:40000"), l.text.String())
	require.Equal(t, 1, l.count("msg=refused"))
	l.Warn("refused", "from", &net.TCPAddr{IP: net.IPv4(10, 0, 0, 8), Port: 40000})
	require.Equal(t, 2, l.count("msg=refused"))
}

func TestSteadyLog_RemindsOfWhatGoesOn(t *testing.T) {
	l := newSteadyLog()
	for range 61 {
		l.Warn("still broken")
		l.now = l.now.Add(time.Minute)
	}
	require.Equal(t, 2, l.count("still broken"))
	require.Equal(t, 1, l.count("repeated=59"))
}

// Nobody can tell from silence whether a state is over or still held back.
func TestSteadyLog_SaysWhenAThingIsOver(t *testing.T) {
	l := newSteadyLog()
	lines := l.Handler().(*steadyHandler).lines
	l.Error("once")
	for range 100 {
		l.With("peer", "a").Error("failed to heartbeat to", "backoff time", l.now.Sub(time.Time{}))
		l.now = l.now.Add(time.Second)
		lines.sayEnded()
	}
	require.Equal(t, 1, l.count("failed to heartbeat to"))
	l.now = l.now.Add(quietGap)
	lines.sayEnded()
	lines.sayEnded()
	require.Equal(t, 2, l.count("failed to heartbeat to"), l.text.String())
	require.Regexp(t, `level=INFO msg="failed to heartbeat to" peer=a "backoff time"=\S+ repeated=99 ended=true`, l.text.String())
	require.Equal(t, 1, l.count("once"), "what was not held back is not said again")
	require.Empty(t, lines.seen)
}

// Changes are told at level Info. One that comes back at once, such as leadership, must not be swallowed.
func TestSteadyLog_LetsChangesComeBack(t *testing.T) {
	l := newSteadyLog()
	for range 10 {
		l.Info("this node leads")
		l.Debug("a detail")
	}
	require.Equal(t, infoBurst, l.count("this node leads"))
	require.Equal(t, 10, l.count("a detail"), "whoever asks for details gets all")
	l.With("component", "raft").Info("this node leads")
	require.Equal(t, infoBurst+1, l.count("this node leads"), "from another part")
}

func TestSteadyLog_IsBounded(t *testing.T) {
	l := newSteadyLog()
	for i := range 3 * maxSteadyKeys {
		l.Warn(fmt.Sprint("line ", i))
	}
	lines := l.Handler().(*steadyHandler).lines
	require.LessOrEqual(t, len(lines.seen), maxSteadyKeys)
}
