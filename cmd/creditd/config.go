package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/store"
)

// nodeConfig is everything that a node is started with. It is complete and
// checked: run.go only hands it on.
type nodeConfig struct {
	dataDir  string
	logStore store.LogKind // empty: what the directory was made with

	diskReserve uint64 // bytes

	httpAddr, advertiseHTTP     string
	peerAddr, advertisePeer     string
	gossipAddr, advertiseGossip string

	bootstrapExpect int
	join            []string

	rootKey   string // empty: one is made, and shown if the cluster begins with it
	gossipKey []byte
	tls       *tls.Config

	keepRootKeyIn  string // empty: nowhere
	insecureGossip bool

	heartbeatTimeout, electionTimeout time.Duration
	snapshotThreshold, trailingLogs   uint64
	snapshotInterval                  time.Duration
	maxClockSkew                      time.Duration
	maxIdempotencyKeys                uint64

	readHeaderTimeout, idleTimeout, shutdownTimeout time.Duration

	log logConfig
}

// logConfig says what is logged to stderr and in which form.
type logConfig struct{ level, format string }

func (c logConfig) logger(in invocation) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.level)) // one of the choices
	options := &slog.HandlerOptions{Level: level}
	if c.format == "json" {
		return slog.New(slog.NewJSONHandler(in.stderr, options))
	}
	return slog.New(slog.NewTextHandler(in.stderr, options))
}

// Below these a loaded machine loses its leader to an ordinary fsync.
const (
	leastHeartbeat = 100 * time.Millisecond
	leastElection  = 100 * time.Millisecond
	leastClockSkew = 100 * time.Millisecond
)

const (
	defaultHTTPAddr   = "127.0.0.1:7070"
	defaultPeerAddr   = "127.0.0.1:7071"
	defaultGossipAddr = "127.0.0.1:7072"
)

// parseExpect reads the size a cluster begins with. An even number costs a node
// and tolerates no more failures than the odd number below it.
func parseExpect(raw string) (int, error) {
	number, err := strconv.Atoi(raw)
	if err != nil || number < 1 || number > 7 || number%2 == 0 {
		return 0, errors.New("must be odd: 1, 3, 5 or 7")
	}
	return number, nil
}

// serverSettings are the options of `creditd server` before they are checked
// against each other.
type serverSettings struct {
	nodeConfig
	options

	kind          string
	rootKeyFile   string
	gossipKeyFile string
	insecurePeers bool
	peerFiles     peerFiles
}

func newServerSettings() *serverSettings {
	s := &serverSettings{}
	s.synopsis = "server --data-dir DIR [--bootstrap-expect N] [--join HOST:PORT] [flags]"
	s.about = "Runs a member of a cluster until it gets SIGINT or SIGTERM. Give every node of a new cluster the\n" +
		"same --bootstrap-expect and the gossip addresses of all of them; the node's own may be among\n" +
		"them. Logs go to stderr."

	s.group("Data")
	s.text(&s.dataDir, "data-dir", "", "DIR", "what the node keeps on disk; required")
	declareLogStore(&s.options, &s.kind)
	declareReserve(&s.options, &s.diskReserve, "256MiB")

	s.group("Addresses")
	s.address(&s.httpAddr, "http-addr", defaultHTTPAddr, "where clients connect, without TLS: put a proxy in front where others could listen in")
	s.target(&s.advertiseHTTP, "advertise-http", "what other nodes show as this node's HTTP address")
	s.address(&s.peerAddr, "peer-addr", defaultPeerAddr, "where the other nodes connect, for Raft and for requests they pass on")
	s.target(&s.advertisePeer, "advertise-peer", "how the other nodes reach --peer-addr; needed when that listens on every interface")
	s.address(&s.gossipAddr, "gossip-addr", defaultGossipAddr, "where nodes find each other, TCP and UDP")
	s.target(&s.advertiseGossip, "advertise-gossip", "how the other nodes reach --gossip-addr")

	s.group("Cluster")
	declare(&s.options, &s.bootstrapExpect, "bootstrap-expect", "", "1|3|5|7", "begin a new cluster once this many nodes see each other; no effect on a node that has been a member", parseExpect)
	s.items(&s.join, "join", "HOST:PORT", "gossip addresses of other nodes", func(item string) error {
		_, err := parseTarget(item)
		return err
	})

	s.group("Credentials")
	s.text(&s.rootKey, "root-key", "", "KEY", "the first root key of a new cluster, the same on every node; without one it is made, and printed once").noFlag = true
	s.add(option{name: "root-key", forbidden: "an argument shows in the process list; use CREDITD_ROOT_KEY or --root-key-file"})
	s.text(&s.rootKeyFile, "root-key-file", "", "FILE", "file that holds the first root key")
	s.text(&s.gossipKeyFile, "gossip-key-file", "", "FILE", "file with 32 random bytes in base64, the same on every node: encrypts gossip")
	s.toggle(&s.insecureGossip, "insecure-gossip", "allow gossip beyond this machine without --gossip-key-file")
	s.text(&s.peerFiles.cert, "tls-cert", "", "FILE", "this node's certificate for the peer port in PEM form, for server and client use")
	s.text(&s.peerFiles.key, "tls-key", "", "FILE", "its private key in PEM form")
	s.text(&s.peerFiles.ca, "tls-ca", "", "FILE", "the authority that signed the certificates of all nodes, in PEM form")
	s.toggle(&s.insecurePeers, "insecure-peers", "allow a peer port beyond this machine without --tls-cert")

	s.group("Raft")
	d := cluster.DefaultConfig()
	s.duration(&s.heartbeatTimeout, "heartbeat-timeout", d.HeartbeatTimeout, leastHeartbeat, "a follower that hears nothing for so long asks for an election; must exceed the slowest normal fsync")
	s.duration(&s.electionTimeout, "election-timeout", d.ElectionTimeout, leastElection, "how long an election may take; at least --heartbeat-timeout")
	s.count(&s.snapshotThreshold, "snapshot-threshold", d.SnapshotThreshold, 1, "log entries that make a snapshot worth while")
	s.duration(&s.snapshotInterval, "snapshot-interval", d.SnapshotInterval, time.Second, "how often to look whether one is")
	s.duration(&s.maxClockSkew, "max-clock-skew", d.MaxClockSkew, leastClockSkew, "a node whose clock jumps by more, or is further from the other nodes' clocks, says so and does not lead")
	s.count(&s.maxIdempotencyKeys, "idempotency-max-keys", d.MaxOutcomes, 1, "outcomes kept for requests with an Idempotency-Key, about 300 bytes each, for a day; a large one counts once for each started 256 bytes of its answer; further ones get 429. Counts while this node leads")
	s.count(&s.trailingLogs, "trailing-logs", d.TrailingLogs, 1, "log entries kept behind a snapshot; at least twice --snapshot-threshold")

	s.group("HTTP")
	s.duration(&s.readHeaderTimeout, "http-read-header-timeout", 5*time.Second, 100*time.Millisecond, "how long a client may take for the header of a request")
	s.duration(&s.idleTimeout, "http-idle-timeout", 2*time.Minute, time.Second, "how long a connection may stay without a request")
	s.duration(&s.shutdownTimeout, "shutdown-timeout", 15*time.Second, 100*time.Millisecond, "how long requests under way may take when the node stops")

	declareLogging(&s.options, &s.log, "info")
	s.group("Configuration file")
	s.text(&s.config, configOption, "", "FILE", "read settings from here").noFile = true
	return s
}

// target declares an address that is told to other nodes.
func (o *options) target(into *string, name, usage string) {
	declare(o, into, name, "", "HOST:PORT", usage, parseTarget)
}

func declareLogStore(o *options, into *string) {
	o.choice(into, "log-store", "", []string{string(store.LogBolt), string(store.LogWAL)},
		fmt.Sprintf("kind of Raft log of a new data directory (without it %s); an existing directory keeps its own", store.DefaultLog))
}

func declareReserve(o *options, into *uint64, preset string) {
	declare(o, into, "disk-reserve", preset, "SIZE", "with less than this free on the disk of --data-dir changes are refused and reads go on; 0 never refuses", parseSize)
}

func declareLogging(o *options, into *logConfig, level string) {
	o.group("Logs")
	o.choice(&into.level, "log-level", level, []string{"debug", "info", "warn", "error"}, "the least level that is logged")
	o.choice(&into.format, "log-format", "text", []string{"text", "json"}, "form of a log line")
}

// parseServer returns the configuration of a member, or a usageError with
// everything that is wrong.
func parseServer(in invocation, now time.Time) (config nodeConfig, helped bool, err error) {
	s := newServerSettings()
	if helped, err := s.read(in, 0); helped || err != nil {
		return nodeConfig{}, helped, err
	}
	s.checkData()
	s.checkAddresses()
	s.checkCluster()
	s.rootKey = s.chooseRootKey(s.rootKey, s.rootKeyFile, rootKeyMin)
	s.checkGossip()
	s.checkPeers(now)
	s.checkRaft()
	return s.nodeConfig, false, s.err()
}

func (s *serverSettings) checkData() {
	s.logStore = store.LogKind(s.kind)
	switch {
	case s.dataDir == "":
		s.refuse("data-dir", "missing; name the directory that keeps this node's state")
	case s.fine("data-dir"):
		info, err := os.Stat(s.dataDir)
		if err == nil && !info.IsDir() {
			s.refuse("data-dir", "%s is not a directory", s.dataDir)
		}
	}
}

// checkAddresses fills in what to advertise. One reachable host is enough: the
// other two addresses take it over when they listen on every interface.
func (s *serverSettings) checkAddresses() {
	if !s.fine("http-addr", "peer-addr", "gossip-addr", "advertise-http", "advertise-peer", "advertise-gossip") {
		return
	}
	listens := []struct{ name, address string }{
		{"http-addr", s.httpAddr}, {"peer-addr", s.peerAddr}, {"gossip-addr", s.gossipAddr},
	}
	for i, one := range listens {
		_, port, _ := net.SplitHostPort(one.address)
		if port == "0" && one.name != "http-addr" {
			s.refuse(one.name, "port 0 means a different one at each start; the other nodes need a fixed one")
		}
		for _, other := range listens[:i] {
			if one.address == other.address && port != "0" {
				s.refuse(one.name, "%s is already taken by --%s", one.address, other.name)
			}
		}
	}
	if s.advertisePeer == "" {
		host, _, _ := net.SplitHostPort(s.peerAddr)
		if isEveryInterface(host) {
			s.refuse("advertise-peer", "missing; --peer-addr %s listens on every interface, so name the address the other nodes reach it at", s.peerAddr)
			return
		}
		s.advertisePeer = s.peerAddr
	}
	s.advertiseGossip = advertised(s.advertiseGossip, s.gossipAddr, s.advertisePeer)
	s.advertiseHTTP = advertised(s.advertiseHTTP, s.httpAddr, s.advertisePeer)
}

// advertised is what to tell others about a port that listens on listen.
func advertised(configured, listen, peer string) string {
	if configured != "" {
		return configured
	}
	if host, _, _ := net.SplitHostPort(listen); isEveryInterface(host) {
		return withHostOf(peer, listen)
	}
	return listen
}

func (s *serverSettings) checkCluster() {
	if s.bootstrapExpect > 0 || len(s.join) > 0 || !s.fine("bootstrap-expect", "join", "data-dir") || s.dataDir == "" {
		return
	}
	// A node that has been a member knows its peers; a new one would wait for ever.
	entries, err := os.ReadDir(s.dataDir)
	if err != nil || len(entries) == 0 {
		s.refuse("bootstrap-expect", "missing; a new node needs --bootstrap-expect (1 for a cluster of its own) or --join")
	}
}

func (s *serverSettings) checkGossip() {
	if s.gossipKeyFile != "" {
		key, err := readGossipKey(s.gossipKeyFile)
		if err != nil {
			s.refuse("gossip-key-file", "the gossip key cannot be read: %v", err)
		}
		s.gossipKey = key
		return
	}
	if s.insecureGossip || !s.fine("gossip-addr") || isLoopback(s.gossipAddr) {
		return
	}
	s.refuse("gossip-key-file", "missing; gossip on %s can be reached from other machines, and anyone who can send to it could pose as a node. "+
		"Make a key with `head -c %d /dev/urandom | base64` and give it to every node, or accept that with --insecure-gossip",
		s.gossipAddr, gossipKeyBytes)
}

func (s *serverSettings) checkPeers(now time.Time) {
	if !s.peerFiles.none() {
		conf, problems := s.peerFiles.load(s.advertisePeer, now)
		for _, p := range problems {
			s.refuse(p.option, "%s", p.text)
		}
		s.tls = conf
		return
	}
	if s.insecurePeers || !s.fine("peer-addr") || isLoopback(s.peerAddr) {
		return
	}
	s.refuse("tls-cert", "missing; the peer port on %s can be reached from other machines, and anyone who can connect to it could change balances. "+
		"Give the node --tls-cert, --tls-key and --tls-ca, or accept that with --insecure-peers", s.peerAddr)
}

func (s *serverSettings) checkRaft() {
	if s.fine("heartbeat-timeout", "election-timeout") && s.electionTimeout < s.heartbeatTimeout {
		s.refuse("election-timeout", "%s is below --heartbeat-timeout %s; make it at least as long",
			shortDuration(s.electionTimeout), shortDuration(s.heartbeatTimeout))
	}
	if s.fine("trailing-logs", "snapshot-threshold") && s.trailingLogs/2 < s.snapshotThreshold {
		s.refuse("trailing-logs", "%d is below twice --snapshot-threshold %d; a follower that falls behind would need the whole state again",
			s.trailingLogs, s.snapshotThreshold)
	}
}

// devSettings are the options of `creditd dev`.
type devSettings struct {
	nodeConfig
	options

	kind      string
	demo      bool
	temporary bool // the data directory is made for this run
}

func newDevSettings() *devSettings {
	s := &devSettings{}
	s.synopsis = "dev [--demo] [flags]"
	s.about = "Runs one node with everything embedded, for development, until it gets SIGINT or SIGTERM. It\n" +
		"listens on this machine only. The root key and requests to paste go to stdout, logs to stderr."

	s.group("Node")
	s.toggle(&s.demo, "demo", "make a sample API and an identity with 100 credits that two keys share")
	s.address(&s.httpAddr, "http-addr", defaultHTTPAddr, "where clients connect; a loopback address")
	s.text(&s.rootKey, "root-key", "", "KEY", "the root key; without it one is made")
	s.text(&s.dataDir, "data-dir", "", "DIR", "keep the data here; without it a temporary directory that is removed at exit")
	declareLogStore(&s.options, &s.kind)
	declareReserve(&s.options, &s.diskReserve, "64MiB")

	declareLogging(&s.options, &s.log, "error") // raft warns of the election that every start begins with
	return s
}

func parseDev(in invocation) (s *devSettings, helped bool, err error) {
	s = newDevSettings()
	if helped, err := s.read(in, 0); helped || err != nil {
		return s, helped, err
	}
	if s.fine("http-addr") && !isLoopback(s.httpAddr) {
		s.refuse("http-addr", "%s can be reached from other machines; `creditd dev` listens on loopback only (127.0.0.1, [::1], localhost), "+
			"use `creditd server --bootstrap-expect 1` beyond this machine", s.httpAddr)
	}
	if s.rootKey != "" {
		if err := checkRootKey(s.rootKey, 1); err != nil {
			s.refuse("root-key", "%v", err)
		}
	}
	s.logStore = store.LogKind(s.kind)
	defaults := cluster.DefaultConfig()
	s.heartbeatTimeout, s.electionTimeout = leastHeartbeat, leastElection // alone it waits for nobody
	s.snapshotThreshold, s.snapshotInterval, s.trailingLogs = defaults.SnapshotThreshold, defaults.SnapshotInterval, defaults.TrailingLogs
	s.maxClockSkew = defaults.MaxClockSkew
	s.maxIdempotencyKeys = defaults.MaxOutcomes
	s.readHeaderTimeout, s.idleTimeout, s.shutdownTimeout = 5*time.Second, 2*time.Minute, 5*time.Second
	s.bootstrapExpect = 1
	s.advertiseHTTP = s.httpAddr
	s.peerAddr = "127.0.0.1:0" // nobody connects to it
	return s, false, s.err()
}

// devRootKeyFile keeps, inside a data directory that stays, the root key that
// was made for it.
const devRootKeyFile = "dev-root-key"
