package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/fsm"
)

var _ = register(registration{use: "server", short: "run a node of a cluster",
	long: `Runs a node of a cluster until SIGINT or SIGTERM. Give every node of a new cluster the same
--bootstrap-expect and the gossip addresses of all of them; the node's own may be among them. Logs
go to stderr.

A flag counts before its environment variable, and the variable before the file that --config
names.

The exit code is 4 if the node would end like this again: its data directory is damaged, or the node
was removed from its cluster. The error says what to do.`,
	make: func() command { return newServer() }})

// serverCommand is `creditd server`.
type serverCommand struct {
	nodeConfig

	rootKey       rootKeySettings
	secret        clusterSecretSettings
	insecurePeers bool
	peerFiles     peerFiles
	httpFiles     httpFiles
	set           *settings.Set
}

func newServer() *serverCommand {
	c := &serverCommand{nodeConfig: defaultNode()}
	c.peerAddr, c.cluster.GossipAddr = defaultPeerAddr, defaultGossipAddr
	return c
}

// Below these a loaded machine loses its leader to an ordinary fsync.
const (
	leastHeartbeat = 100 * time.Millisecond
	leastElection  = 100 * time.Millisecond
	leastClockSkew = 100 * time.Millisecond
)

// Below this the node would do little else than take snapshots.
const leastSnapshotReplay = 100 * time.Millisecond

func (c *serverCommand) bind(s *settings.Set) {
	c.set = s
	s.Group("Data")
	c.bindStore(s, "what the node keeps on disk; required")

	s.Group("Addresses")
	settings.Value(s, &c.http.addr, "http-addr", "HOST:PORT", "where clients connect; without --http-tls-cert anybody on the way can listen in", parseAddress)
	settings.Value(s, &c.cluster.AdvertiseHTTP, "advertise-http", "HOST:PORT", "what other nodes show as this node's HTTP address; https://HOST:PORT behind a proxy with TLS", parseHTTPTarget)
	settings.Value(s, &c.adminAddr, "admin-addr", "HOST:PORT", "serve /metrics and /openapi.json here, and not at --http-addr; beside them the last lines of the log, settings and profiles below /debug; without root keys; with the TLS of --http-addr and its --http-tls-client-ca, if those are given. Else so use a loopback address", parseAddress)
	settings.Value(s, &c.peerAddr, "peer-addr", "HOST:PORT", "where the other nodes connect, for Raft and for requests that they forward", parseAddress)
	settings.Value(s, &c.cluster.AdvertisePeer, "advertise-peer", "HOST:PORT", "how the other nodes reach --peer-addr; needed when that listens on every interface", parseTarget)
	settings.Value(s, &c.cluster.GossipAddr, "gossip-addr", "HOST:PORT", "where nodes find each other, TCP and UDP", parseAddress)
	settings.Value(s, &c.cluster.AdvertiseGossip, "advertise-gossip", "HOST:PORT", "how the other nodes reach --gossip-addr", parseTarget)

	s.Group("Cluster")
	settings.Value(s, &c.cluster.BootstrapExpect, "bootstrap-expect", "1|3|5|7", "found a new cluster once this many nodes see each other; no effect on a node that already belongs to a cluster", parseExpect)
	settings.Value(s, &c.cluster.Name, "node-name", "NAME", "what people call this node, shown beside its id; without it the host name", parseNodeName)
	s.Switch(&c.cluster.NonVoter, "non-voter", "serve requests and reads without a vote; not with --bootstrap-expect, and without effect on a node that has a vote")
	s.Duration(&c.cluster.RemoveDeadVoters, "remove-dead-voters", 0, "the leader removes a voter that is dead for so long, if at least three voters are left and all of them are up. 0: never")
	s.Switch(&c.rejoin, "rejoin", "if this node was removed from its cluster, set its data aside and join as a new node; no effect otherwise")
	s.Items(&c.cluster.Join, "join", "HOST:PORT", "gossip addresses of other nodes", parseTarget)

	s.Group("Credentials")
	s.Secret(&c.rootKey.key, "root-key", "an argument shows in the process list; use CREDITD_ROOT_KEY or --root-key-file")
	s.Text(&c.rootKey.file, "root-key-file", "FILE", "file that holds the first root key of a new cluster, the same on every node. CREDITD_ROOT_KEY may hold the key itself. Without either, the node makes a key and prints it once")
	c.secret.bind(s)
	s.Text(&c.gossipKeyFile, "gossip-key-file", "FILE", "file with 32 random bytes in base64, the same on every node: encrypts gossip with this key instead of one from the cluster secret. Further lines hold keys that decrypt only. A changed file counts without a restart")
	s.Switch(&c.cluster.InsecureGossip, "insecure-gossip", "allow gossip beyond this machine without a cluster secret or --gossip-key-file")
	c.peerFiles.bind(s)
	s.Switch(&c.insecurePeers, "insecure-peers", "allow a peer port beyond this machine without a cluster secret or --peer-tls-cert")
	c.httpFiles.bind(s)

	s.Group("Raft")
	s.Duration(&c.cluster.HeartbeatTimeout, "heartbeat-timeout", leastHeartbeat, "a follower that hears nothing for so long starts an election; must exceed the slowest normal fsync")
	s.Duration(&c.cluster.ElectionTimeout, "election-timeout", leastElection, "how long an election may take; at least --heartbeat-timeout")
	settings.Number(s, &c.cluster.SnapshotThreshold, "snapshot-threshold", 1, math.MaxInt64, "number of log entries that calls for a snapshot")
	s.Size(&c.cluster.SnapshotBytes, "snapshot-bytes", "size of the log since the last snapshot that calls for the next one; the size of state.db if that is larger. As much stays behind a snapshot at most")
	s.Duration(&c.cluster.SnapshotReplay, "snapshot-replay", leastSnapshotReplay, "time that a restart would take to apply the log since the last snapshot that calls for the next one; four times the duration of a snapshot if that is longer")
	s.Duration(&c.cluster.SnapshotInterval, "snapshot-interval", time.Second, "how often the node checks whether a snapshot is due")
	s.Duration(&c.cluster.MaxClockSkew, "max-clock-skew", leastClockSkew, "a node whose clock jumps by more, or differs by more from the other nodes' clocks, says so and does not lead")
	settings.Number(s, &c.cluster.IdempotencyMaxKeys, "idempotency-max-keys", 1, math.MaxInt64, "capacity of the idempotency store, in records of up to 256 answer bytes; a larger answer weighs ceil(bytes/256). A record takes about 270 bytes and stays for a day. Above the capacity, or above a workspace's share of it, requests with a new Idempotency-Key get 429. The leader's value applies")
	settings.Number(s, &c.cluster.RatelimitMaxWindows, "ratelimit-max-windows", 1, math.MaxInt64, "how many windows of rate limits the ledger may hold. A window takes about 220 bytes, until its duration is over twice. Above the number, or above a workspace's share of it, requests that need another window get 429. The leader's value applies")
	settings.Number(s, &c.cluster.WorkspaceMetrics, "workspace-metrics", 0, 10_000, "show metrics of so many workspaces: what each has, and its quotas. Each workspace adds up to 19 series; 0: none")
	settings.Number(s, &c.cluster.HoldLedgerVersion, "hold-ledger-version", 0, int64(fsm.NewestLedgerVersion), "keep the ledger at this version while a rollback to the build before must stay possible; 0: it rises once every node reads a newer one")
	settings.Number(s, &c.cluster.TrailingLogs, "trailing-logs", 1, math.MaxInt64, "log entries kept behind a snapshot; at least twice --snapshot-threshold")

	s.Group("Backups")
	s.Text(&c.cluster.Backups.Dir, "backup-dir", "DIR", "where this node makes backups while it leads, an existing directory outside of --data-dir; without it none are made. Nodes may share one")
	s.Duration(&c.cluster.Backups.Interval, "backup-interval", time.Minute, "how old the newest backup in --backup-dir may get before the leader makes the next")
	settings.Number(s, &c.cluster.Backups.Keep, "backup-keep", 1, 100_000, "how many backups of the cluster stay in --backup-dir; the oldest are removed")

	s.Group("HTTP")
	s.Duration(&c.http.readHeaderTimeout, "http-read-header-timeout", 100*time.Millisecond, "how long a client may take for the header of a request")
	s.Duration(&c.http.idleTimeout, "http-idle-timeout", time.Second, "how long a connection may stay open without a request")
	s.Duration(&c.http.drainDelay, "drain-delay", 0, "how long a node that is told to stop serves on while /readyz says no; then another node leads, and connections close. More than the load balancer takes to notice")
	s.Duration(&c.http.shutdownTimeout, "shutdown-timeout", 100*time.Millisecond, "how long the node waits for open requests when it stops")

	settings.Number(s, &c.http.maxConnections, "max-connections", 0, math.MaxInt32, "open HTTP connections; when all are open, a new one replaces the one that has waited longest for a request. 0: 10000, or as many as the limit of file descriptors allows beside a reserve of 512 or half of it")
	s.Size(&c.http.bodyMemory, "http-body-memory", "room for request bodies under way, each counted fourfold; beyond it: 429. At least 64MiB; 0: an eighth of the memory limit (GOMEMLIMIT), at most 512MiB")
	s.Size(&c.http.answerMemory, "http-answer-memory", "room for answers under way; beyond it: 429. At least 64MiB; 0: an eighth of the memory limit, at most 512MiB")
	settings.Number(s, &c.cluster.Turns.Slots, "costly-turns", 0, 1024, "costly requests that compute at a time: large bodies, lists, large answers. 0: half of the cores, at least one")
	s.Duration(&c.cluster.Turns.MaxWait, "costly-wait", 10*time.Millisecond, "how long a costly request waits for its turn; beyond it: 429")
	settings.Number(s, &c.http.failedAuthentications, "http-failed-authentications", 0, 1_000_000, "requests of one address that may have an unknown root key within 10 s; beyond it: 429. Root keys that the node knows are served on. 0: any number")
	settings.Number(s, &c.http.failedHandshakes, "http-failed-handshakes", 0, 1_000_000, "TLS handshakes of one host that may fail within a second; then its connections are closed until the second is over. This machine is not counted. Behind a balancer that passes TLS on, all clients are one host. 0: any number")
	s.Size(&c.http.minRate, "http-min-rate", "bytes per second that a client must send of a body and take of a large answer, after the first 5s")

	c.log.bind(s)
	s.Switch(&c.log.access, "access-log", "log each request: its id, endpoint, status, code and duration, and the ids of workspace and root key. Never a key")
	c.traces.bind(s)
	s.Group("Configuration file")
	s.ConfigFile()
}

func (c *serverCommand) run(in invocation) error {
	conf := c.nodeConfig
	conf.accessLogger = conf.log.accessLogger(in)
	conf.rootKey = c.rootKey.key
	made := conf.rootKey == ""
	if made {
		conf.rootKey = mint.RootKey()
	}
	if conf.adminAddr != "" {
		conf.logs, conf.settings = &logRing{}, c.set.Settings
		in.stderr = io.MultiWriter(conf.logs, in.stderr)
	}
	log := conf.log.logger(in)
	conf.hangup = make(chan struct{}, 1)
	ctx, stop := untilSignal(in, func() {
		log.Info("SIGHUP: certificates are loaded again; restart the node to change settings")
		select {
		case conf.hangup <- struct{}{}:
		default: // one waits already
		}
	})
	defer stop()
	conf.warnOfOpenAddresses(log)
	return runNode(ctx, conf, log, func(ctx context.Context, r *running) error {
		tellSystemd(serviceUp, log)
		if r.awaitReady(ctx, log) != nil {
			return nil // it was told to stop first
		}
		tellSystemd(serviceReady, log)
		log.Info("ready")
		if made && r.node.Bootstrapped() {
			fmt.Fprintf(in.stdout, "root key of the new cluster, shown only now: %s\n", conf.rootKey)
		}
		if !made {
			r.checkRootKey(ctx, conf.rootKey, log)
		}
		return nil
	})
}
