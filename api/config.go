package api

import (
	"cmp"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/api/tracing"
	"github.com/creditd/creditd/fsm"
)

// Config says how to serve. Only Node has no default.
type Config struct {
	// Node is the ledger.
	Node Node
	// Logger gets the failures whose cause clients do not see. Default: slog's.
	Logger *slog.Logger
	// Registry gets the metrics of this package. GET /metrics shows it. Default: a new one.
	Registry *prometheus.Registry
	// Version is the version of the program, for the metric creditd_api_build_info and the OpenAPI document.
	Version string
	// AccessLog gets a line for each request. Default: none.
	AccessLog *AccessLog
	// Traces makes spans of requests. Default: none.
	Traces *tracing.Requests
	// OperatorKey is the hash of the root key that the node was started with; zero: none. It reads the whole status of the cluster while
	// nobody can check root keys.
	OperatorKey fsm.Hash
	// MaxBodyBytes is the largest request body; a longer one is a 413. Default: 10 MiB.
	MaxBodyBytes int64
	// RequestTimeout is how long a request may take in the ledger before it is a 408. Default: 60 s. The server limits the time to
	// receive the body (http.Server.ReadTimeout) and to send an answer that is no stream (WriteTimeout).
	RequestTimeout time.Duration

	// Knows reports whether this node's ledger has a root key. nil: failed authentications are counted and not bounded.
	Knows func(rootKey fsm.Hash) bool
	// FailedAuthentications is how many requests of an address may have an unknown root key within 10 s. Beyond it, further ones are a 429.
	// 0: any number.
	FailedAuthentications int
	// SeparateAdmin leaves /metrics and /openapi.json to the handler that Admin returns.
	SeparateAdmin bool

	// BodyMemory bounds the bytes of request bodies under way, each counted four times for what is made of it. Beyond it: 429. Default: 512 MiB.
	BodyMemory int64
	// AnswerMemory bounds the bytes of answers under way. Beyond it: 429. Default: 512 MiB.
	AnswerMemory int64
	// MinRate is how many bytes per second a client must send of a body, and take of an answer. Default: 64 KiB.
	MinRate int64
	// RatePatience is how long a client may be slower. Default: RatePatience.
	RatePatience time.Duration
	// MemoryShort reports whether the process is about to run out of memory. Large requests are then a 429. Default: never.
	MemoryShort func() bool
}

// The defaults, as docs/contract.md 1.1 states them.
const (
	DefaultMaxBodyBytes   = 10 << 20
	DefaultRequestTimeout = time.Minute
	DefaultBodyMemory     = 512 << 20
	DefaultAnswerMemory   = 512 << 20
	DefaultMinRate        = 64 << 10
)

// withDefaults sets the fields that are zero.
func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	c.Version = cmp.Or(c.Version, "unknown")
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, DefaultMaxBodyBytes)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, DefaultRequestTimeout)
	c.BodyMemory = cmp.Or(c.BodyMemory, DefaultBodyMemory)
	c.AnswerMemory = cmp.Or(c.AnswerMemory, DefaultAnswerMemory)
	c.MinRate = cmp.Or(c.MinRate, DefaultMinRate)
	c.RatePatience = cmp.Or(c.RatePatience, RatePatience)
	if c.Knows == nil {
		c.FailedAuthentications = 0
	}
	if c.MemoryShort == nil {
		c.MemoryShort = func() bool { return false }
	}
	return c
}

// Validate reports what is wrong with the configuration.
func (c Config) Validate() error {
	switch {
	case c.Node == nil:
		return errors.New("api: Node is required")
	case c.AccessLog != nil && (c.AccessLog.Logger == nil || c.AccessLog.Caller == nil):
		return errors.New("api: AccessLog needs Logger and Caller")
	case c.MaxBodyBytes < 0:
		return errors.New("api: MaxBodyBytes must not be negative")
	case c.RequestTimeout < 0 || c.RatePatience < 0:
		return errors.New("api: RequestTimeout and RatePatience must not be negative")
	case c.BodyMemory < 0 || c.AnswerMemory < 0 || c.MinRate < 0:
		return errors.New("api: BodyMemory, AnswerMemory and MinRate must not be negative")
	}
	return nil
}
