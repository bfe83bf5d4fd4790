package peer

import (
	"cmp"
	"fmt"
	"time"
)

// Limits bounds what one side of a connection holds for the other. A zero
// field takes its default.
type Limits struct {
	// MaxFrameBytes bounds one request or response. Default 64 MiB: one HTTP
	// body of 10 MiB must pass with room to spare. At most 1 GiB.
	MaxFrameBytes int
	// MaxCalls bounds the calls without an answer: for a Client all of them,
	// for a Server those of one connection. Default 16384 for a Client; a
	// Server allows four times as many, because calls that a client gave up
	// still occupy it.
	MaxCalls int
	// MaxCallBytes bounds the payload bytes of those calls, for a Server
	// over all its connections. Default 256 MiB.
	MaxCallBytes int64
	// WriteTimeout bounds one write of at most 1 MiB, and each MiB read of a
	// large frame. A peer that takes longer is treated as gone. Default 10 s.
	WriteTimeout time.Duration
}

const (
	defaultMaxFrameBytes  = 64 << 20
	defaultMaxCalls       = 16384
	serverCallsPerClients = 4
	defaultMaxCallBytes   = 256 << 20
	defaultWriteTimeout   = 10 * time.Second
	// frameCeiling keeps lengths well inside u32 and a 32-bit int.
	frameCeiling = 1 << 30
)

func (l Limits) withDefaults() Limits {
	l.MaxFrameBytes = cmp.Or(l.MaxFrameBytes, defaultMaxFrameBytes)
	l.MaxCalls = cmp.Or(l.MaxCalls, defaultMaxCalls)
	l.MaxCallBytes = cmp.Or(l.MaxCallBytes, defaultMaxCallBytes)
	l.WriteTimeout = cmp.Or(l.WriteTimeout, defaultWriteTimeout)
	return l
}

// Validate reports the first field that cannot work.
func (l Limits) Validate() error {
	l = l.withDefaults()
	switch {
	case l.MaxFrameBytes < 64 || l.MaxFrameBytes > frameCeiling:
		return fmt.Errorf("peer: MaxFrameBytes %d is outside 64..%d", l.MaxFrameBytes, frameCeiling)
	case l.MaxCalls < 1:
		return fmt.Errorf("peer: MaxCalls %d is below 1", l.MaxCalls)
	case l.MaxCallBytes < int64(l.MaxFrameBytes):
		return fmt.Errorf("peer: MaxCallBytes %d is below MaxFrameBytes %d", l.MaxCallBytes, l.MaxFrameBytes)
	case l.WriteTimeout < time.Millisecond:
		return fmt.Errorf("peer: WriteTimeout %v is below 1ms", l.WriteTimeout)
	}
	return nil
}

// ConnLimits bounds the connections of a Server. A zero field takes its default.
type ConnLimits struct {
	// MaxStrangers bounds the connections that have not announced a member. For one more, the oldest of the source with the most is closed.
	// Default 256.
	MaxStrangers int
	// Member reports whether a node is a member of the cluster, whose connections nobody displaces. Default: none is.
	Member func(nodeID string) bool
	// FirstCallTimeout is how soon the first call must have come. Default 10 s.
	FirstCallTimeout time.Duration
	// IdleTimeout ends a connection without calls. A client ends it earlier: see ClientConfig. Default 10 min.
	IdleTimeout time.Duration
}

func (l ConnLimits) withDefaults() ConnLimits {
	l.MaxStrangers = cmp.Or(l.MaxStrangers, 256)
	if l.Member == nil {
		l.Member = func(string) bool { return false }
	}
	l.FirstCallTimeout = cmp.Or(l.FirstCallTimeout, 10*time.Second)
	l.IdleTimeout = cmp.Or(l.IdleTimeout, 10*time.Minute)
	return l
}
