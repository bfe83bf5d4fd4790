package main

import (
	"context"
	"log/slog"
	"slices"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cmd/creditd/internal/certs"
)

// watchFiles loads certificates and gossip keys again when their files change, and at once after SIGHUP.
func (c nodeConfig) watchFiles(ctx context.Context, node *servedNode, log *slog.Logger) {
	keepers := []*certs.Keeper{c.http.tls}
	if c.peers != nil {
		keepers = append(keepers, c.peers.Keeper)
	}
	keys := &gossipKeys{path: c.gossipKeyFile, set: node.SetGossipKeys, log: log}
	if len(c.cluster.GossipKey) > 0 {
		keys.current = gossip.KeyIDs(append([][]byte{c.cluster.GossipKey}, c.cluster.GossipOtherKeys...))
	}
	certs.Watch(ctx, log, c.hangup, keys.reload, keepers...)
}

// gossipKeys are those of --gossip-key-file.
type gossipKeys struct {
	path    string // empty: there is none
	set     func([][]byte) error
	log     *slog.Logger
	current []string // ids of the keys in use
	broken  string   // the error that was logged last
}

// reload uses the keys of the file. What cannot be used changes nothing, and is logged once.
func (g *gossipKeys) reload() {
	if g.path == "" {
		return
	}
	keys, err := readGossipKeys(g.path)
	if err == nil && slices.Equal(gossip.KeyIDs(keys), g.current) {
		g.broken = ""
		return
	}
	if err == nil {
		err = g.set(keys)
	}
	if err != nil {
		if text := err.Error(); text != g.broken {
			g.broken = text
			g.log.Error("--gossip-key-file was changed and cannot be used: the keys before stay in use", "err", err)
		}
		return
	}
	g.current, g.broken = gossip.KeyIDs(keys), ""
	g.log.Info("gossip keys loaded: the first encrypts, each decrypts", "keys", g.current)
}
