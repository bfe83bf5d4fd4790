package main

import (
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cmd/creditd/internal/certs"
	"github.com/creditd/creditd/cmd/creditd/internal/otlp"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/store"
)

// nodeConfig is what a node is started with: a struct for each of its parts, checked. run.go adds what exists only at run time.
type nodeConfig struct {
	cluster cluster.Config
	store   store.Options
	http    httpConfig
	log     logConfig
	traces  tracesConfig

	gossipKeyFile string
	adminAddr     string        // where metrics, logs and profiles are served; empty: metrics at the HTTP port, profiles nowhere
	hangup        chan struct{} // gets a token with each SIGHUP; nil: never
	peers         *certs.Peers  // nil: no certificates protect the peer port
	peerAddr      string        // where the peer port listens
	solo          bool          // no port for other nodes, unless the data directory knows some
	rootKey       string        // empty: one is made, and shown if the cluster begins with it
	keepRootKeyIn string        // empty: nowhere
	rejoin        bool          // as a new node, if the node was removed

	accessLogger *slog.Logger   // nil: none
	exporter     *otlp.Exporter // of traces; nil: none are made

	// What the admin port shows, if there is one.
	logs     *logRing
	settings func() []settings.Setting
}

// httpConfig says how the HTTP port is served.
type httpConfig struct {
	addr                                            string
	tls                                             *certs.Keeper // nil: the port speaks plain HTTP
	readHeaderTimeout, idleTimeout, shutdownTimeout time.Duration
	drainDelay                                      time.Duration // how long a node that is told to stop serves on, not ready

	maxConnections           uint64 // 0: what the descriptors allow
	bodyMemory, answerMemory uint64 // 0: see roomWithin
	minRate                  uint64 // bytes per second
	failedAuthentications    uint64 // of an address within 10 s; 0: any number
	failedHandshakes         uint64 // of TLS, of a host within a second; 0: any number
}

// leastMemory is what a bound on the memory of requests must have: the largest body and the largest answer then fit.
const leastMemory = 64 << 20

// logConfig says what is logged to stderr and in which form.
type logConfig struct {
	level, format string
	access        bool // a line for each request
}

func (c logConfig) logger(in invocation) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.level)) // one of the choices
	options := &slog.HandlerOptions{Level: level}
	if c.format == "json" {
		return slog.New(slog.NewJSONHandler(in.stderr, options))
	}
	return slog.New(slog.NewTextHandler(in.stderr, options))
}

// accessLogger is where requests are logged, whatever --log-level says of the rest; nil: nowhere.
func (c logConfig) accessLogger(in invocation) *slog.Logger {
	if !c.access {
		return nil
	}
	return logConfig{level: "info", format: c.format}.logger(in)
}

func (c *logConfig) bind(s *settings.Set) {
	s.Group("Logs")
	settings.Choice(s, &c.level, "log-level", "the least level that is logged", "debug", "info", "warn", "error")
	settings.Choice(s, &c.format, "log-format", "form of a log line", "text", "json")
}

const (
	defaultHTTPAddr   = "127.0.0.1:7070"
	defaultPeerAddr   = "127.0.0.1:7071"
	defaultGossipAddr = "127.0.0.1:7072"
)

// defaultNode is a node with the defaults of all its parts.
func defaultNode() nodeConfig {
	return nodeConfig{
		cluster: cluster.DefaultConfig(),
		store:   store.Options{ReserveBytes: 256 << 20},
		http: httpConfig{
			addr: defaultHTTPAddr, readHeaderTimeout: 5 * time.Second, idleTimeout: 2 * time.Minute, shutdownTimeout: 15 * time.Second, drainDelay: 250 * time.Millisecond,
			minRate: api.DefaultMinRate, failedAuthentications: api.DefaultFailedAuthentications, failedHandshakes: 100,
		},
		log:    logConfig{level: "info", format: "text"},
		traces: tracesConfig{ratio: 0.01},
	}
}

// bindStore binds the settings of the data directory.
func (c *nodeConfig) bindStore(s *settings.Set, dirUsage string) {
	s.Text(&c.store.Dir, "data-dir", "DIR", dirUsage)
	settings.Choice(s, &c.store.LogStore, "log-store", "kind of Raft log of a new data directory (without it "+string(store.DefaultLog)+"); an existing directory keeps its own", string(store.LogBolt), string(store.LogWAL))
	s.Size(&c.store.ReserveBytes, "disk-reserve", "free space to keep on the disk of --data-dir; below it, changes are refused and reads continue; a wal log needs at least 128MiB; 0 turns this off")
}

// parseNodeName reads a name that fits a table and a log.
func parseNodeName(raw string) (string, error) {
	if len(raw) > 63 {
		return "", errors.New("too long; at most 63 characters")
	}
	for _, r := range raw {
		if r <= ' ' || r > '~' {
			return "", errors.New("must be printable ASCII without spaces")
		}
	}
	return raw, nil
}

// parseExpect reads the size a cluster begins with. An even number costs a node
// and tolerates no more failures than the odd number below it.
func parseExpect(raw string) (int, error) {
	number, err := strconv.Atoi(raw)
	if err != nil || number < 1 || number > 7 || number%2 == 0 {
		return 0, errors.New("must be odd: 1, 3, 5 or 7")
	}
	return number, nil
}
