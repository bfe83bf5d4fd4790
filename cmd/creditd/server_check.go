package main

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/creditd/creditd/cluster/secret"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// check looks at the settings together, completes them, and reads the files that they name.
func (c *serverCommand) check(in invocation, s *settings.Set) {
	c.checkData(s)
	c.checkAddresses(s)
	c.checkCluster(s)
	if c.cluster.NonVoter && c.cluster.BootstrapExpect > 0 && s.Fine("non-voter", "bootstrap-expect") {
		s.Refuse("non-voter", "a node without a vote founds no cluster; leave out --bootstrap-expect")
	}
	if c.cluster.Name == "" {
		host, err := os.Hostname()
		if err == nil {
			host, err = parseNodeName(host)
		}
		if err == nil { // the id is enough
			c.cluster.Name = host
		}
	}
	c.rootKey.choose(s, rootKeyMin)
	shared, has := c.secret.check(s)
	c.checkGossip(s, shared, has)
	c.checkPeers(s, shared, has, in.now)
	c.solo = c.asksForSolo(s)
	c.checkRaft(s)
	c.checkHTTP(s)
	c.http.tls = c.httpFiles.load(s)
	c.traces.load(s, in.env)
}

func (c *serverCommand) checkHTTP(s *settings.Set) {
	for _, room := range []struct {
		name  string
		bytes uint64
	}{{"http-body-memory", c.http.bodyMemory}, {"http-answer-memory", c.http.answerMemory}} {
		if room.bytes > 0 && room.bytes < leastMemory && s.Fine(room.name) {
			s.Refuse(room.name, "%d bytes are too few; at least %dMiB", room.bytes, leastMemory>>20)
		}
	}
	c.http.checkConnections(s)
	if c.http.minRate == 0 && s.Fine("http-min-rate") {
		s.Refuse("http-min-rate", "0 would let clients hold memory for ever; at least 1")
	}
}

func (c *serverCommand) checkData(s *settings.Set) {
	switch {
	case c.store.Dir == "":
		s.Refuse("data-dir", "missing; name the directory that keeps this node's state")
	case s.Fine("data-dir"):
		info, err := os.Stat(c.store.Dir)
		if err == nil && !info.IsDir() {
			s.Refuse("data-dir", "%s is not a directory", c.store.Dir)
		}
		warnOfGuests(s, c.store.Dir)
		warnOfRoot(s, c.store.Dir)
	}
	if dir := c.cluster.Backups.Dir; dir != "" && c.store.Dir != "" && isWithin(dir, c.store.Dir) {
		s.Refuse("backup-dir", "%s is within --data-dir; whoever loses that needs a backup elsewhere, best on another disk", dir)
	}
}

// isWithin reports whether a path is a directory or below it.
func isWithin(path, dir string) bool {
	inside, errPath := filepath.Abs(path)
	outer, errDir := filepath.Abs(dir)
	return errPath == nil && errDir == nil && (inside == outer || strings.HasPrefix(inside, outer+string(filepath.Separator)))
}

// checkConnections compares the connections with the descriptors that the process may have, and chooses the default.
func (c *httpConfig) checkConnections(s *settings.Set) {
	all, err := descriptors()
	if err != nil {
		s.Note("the limit of file descriptors cannot be read: %v", err)
		return
	}
	most := connectionsWithin(all)
	if c.maxConnections > most && s.Fine("max-connections") {
		s.Refuse("max-connections", "%d are too many: this process may have %d file descriptors, of which %d are reserved for the store and the other nodes. "+
			"Raise the limit (ulimit -n, or LimitNOFILE of systemd), or allow at most %d", c.maxConnections, all, all-most, most)
	}
	if c.maxConnections == 0 {
		c.maxConnections = min(most, mostConnections)
	}
}

// checkAddresses fills in what to advertise. One reachable host is enough: the
// other two addresses take it over when they listen on every interface.
func (c *serverCommand) checkAddresses(s *settings.Set) {
	if !s.Fine("http-addr", "admin-addr", "peer-addr", "gossip-addr", "advertise-http", "advertise-peer", "advertise-gossip") {
		return
	}
	listens := []struct{ name, address string }{
		{"http-addr", c.http.addr}, {"admin-addr", c.adminAddr}, {"peer-addr", c.peerAddr}, {"gossip-addr", c.cluster.GossipAddr},
	}
	for i, one := range listens {
		if one.address == "" {
			continue
		}
		_, port, _ := net.SplitHostPort(one.address)
		if port == "0" && one.name != "http-addr" && one.name != "admin-addr" {
			s.Refuse(one.name, "port 0 means a different one at each start; the other nodes need a fixed one")
		}
		for _, other := range listens[:i] {
			if one.address == other.address && port != "0" {
				s.Refuse(one.name, "%s is already taken by --%s", one.address, other.name)
			}
		}
	}
	if c.cluster.AdvertisePeer == "" {
		host, _, _ := net.SplitHostPort(c.peerAddr)
		if isEveryInterface(host) {
			s.Refuse("advertise-peer", "missing; --peer-addr %s listens on every interface, so name the address the other nodes reach it at", c.peerAddr)
			return
		}
		c.cluster.AdvertisePeer = c.peerAddr
	}
	c.cluster.AdvertiseGossip = advertised(c.cluster.AdvertiseGossip, c.cluster.GossipAddr, c.cluster.AdvertisePeer)
	c.cluster.AdvertiseHTTP = advertised(c.cluster.AdvertiseHTTP, c.http.addr, c.cluster.AdvertisePeer)
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

func (c *serverCommand) checkCluster(s *settings.Set) {
	if c.rejoin && c.cluster.BootstrapExpect == 0 && len(c.cluster.Join) == 0 && s.Fine("rejoin", "bootstrap-expect", "join") {
		s.Refuse("rejoin", "needs --join: a node that begins anew must be told where its cluster is")
		return
	}
	if c.cluster.BootstrapExpect > 0 || len(c.cluster.Join) > 0 || !s.Fine("bootstrap-expect", "join", "data-dir") || c.store.Dir == "" {
		return
	}
	// A node that has been a member knows its peers; a new one would wait for ever.
	entries, err := os.ReadDir(c.store.Dir)
	if err != nil || len(entries) == 0 {
		s.Refuse("bootstrap-expect", "missing; a new node needs --bootstrap-expect (1 for a cluster of its own) or --join")
	}
}

// asksForSolo reports whether the settings name no other node and no address for one. If the data directory knows no other node either, the
// node opens no port for them.
func (c *serverCommand) asksForSolo(s *settings.Set) bool {
	if c.cluster.BootstrapExpect > 1 || len(c.cluster.Join) > 0 {
		return false
	}
	for _, name := range []string{"peer-addr", "advertise-peer", "gossip-addr", "advertise-gossip"} {
		if origin, _ := s.Source(name); origin != settings.Default {
			return false
		}
	}
	return true
}

func (c *serverCommand) checkGossip(s *settings.Set, shared secret.Secret, has bool) {
	if c.gossipKeyFile != "" {
		keys, err := readGossipKeys(c.gossipKeyFile)
		if err != nil {
			s.Refuse("gossip-key-file", "the gossip key cannot be read: %v", err)
			return
		}
		warnOfReaders(s, "gossip-key-file", c.gossipKeyFile)
		c.cluster.GossipKey, c.cluster.GossipOtherKeys = keys[0], keys[1:]
		return
	}
	if has {
		key, err := shared.GossipKey()
		if err != nil {
			s.Note("%v", err)
		}
		c.cluster.GossipKey = key
		return
	}
	if c.cluster.InsecureGossip || !s.Fine("gossip-addr", "cluster-secret", "cluster-secret-file") || isLoopback(c.cluster.GossipAddr) {
		return
	}
	s.Refuse("cluster-secret-file", "missing; gossip on %s can be reached from other machines, and anyone who can send to it could pose as a node. "+
		"Make a secret with `creditd secret new` and give it to every node, or give them a --gossip-key-file, or accept that with --insecure-gossip",
		c.cluster.GossipAddr)
}

func (c *serverCommand) checkPeers(s *settings.Set, shared secret.Secret, has bool, now time.Time) {
	if !c.peerFiles.none() {
		if c.peers = c.peerFiles.load(s, c.cluster.AdvertisePeer, now); c.peers != nil {
			c.cluster.ServerTLS, c.cluster.ClientTLS = c.peers.Server(), c.peers.Client
		}
		return
	}
	if has {
		conf, err := shared.PeerTLS()
		if err != nil {
			s.Note("%v", err)
		}
		c.cluster.ServerTLS, c.cluster.ClientTLS = conf, func() *tls.Config { return conf }
		return
	}
	if c.insecurePeers || !s.Fine("peer-addr", "cluster-secret", "cluster-secret-file") || isLoopback(c.peerAddr) {
		return
	}
	s.Refuse("cluster-secret-file", "missing; the peer port on %s can be reached from other machines, and anyone who can connect to it could change balances. "+
		"Make a secret with `creditd secret new` and give it to every node, or give each its --peer-tls-cert, --peer-tls-key and --peer-tls-ca, or accept that with --insecure-peers", c.peerAddr)
}

func (c *serverCommand) checkRaft(s *settings.Set) {
	if s.Fine("heartbeat-timeout", "election-timeout") && c.cluster.ElectionTimeout < c.cluster.HeartbeatTimeout {
		s.Refuse("election-timeout", "%s is below --heartbeat-timeout %s; make it at least as long",
			settings.Short(c.cluster.ElectionTimeout), settings.Short(c.cluster.HeartbeatTimeout))
	}
	if s.Fine("snapshot-bytes") && c.cluster.SnapshotBytes < 1<<20 {
		s.Refuse("snapshot-bytes", "%d is below 1MiB; the node would do little else than take snapshots", c.cluster.SnapshotBytes)
	}
	if s.Fine("trailing-logs", "snapshot-threshold") && c.cluster.TrailingLogs/2 < c.cluster.SnapshotThreshold {
		s.Refuse("trailing-logs", "%d is below twice --snapshot-threshold %d; a follower that falls behind would need the whole state again",
			c.cluster.TrailingLogs, c.cluster.SnapshotThreshold)
	}
}
