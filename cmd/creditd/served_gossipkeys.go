package main

import (
	"context"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/membership"
)

// GossipKeys implements api.Node.
func (s *servedNode) GossipKeys(ctx context.Context) ([]api.NodeGossipKeys, error) {
	return shownKeys(s.Node.GossipKeys(ctx)), nil
}

// ChangeGossipKeys implements api.Node.
func (s *servedNode) ChangeGossipKeys(ctx context.Context, c api.GossipKeyChange) (string, []api.NodeGossipKeys, error) {
	id, nodes, err := s.Node.ChangeGossipKeys(ctx, membership.KeyChange{
		Action: membership.KeyAction(c.Action), ID: c.KeyID, Key: c.Key, Force: c.Force, By: c.By,
	})
	return id, shownKeys(nodes), err
}

func shownKeys(nodes []membership.NodeKeys) []api.NodeGossipKeys {
	shown := make([]api.NodeGossipKeys, len(nodes))
	for i, n := range nodes {
		shown[i] = api.NodeGossipKeys{NodeID: n.NodeID, Name: n.Name, Keys: n.Keys, Settings: n.Settings, Changed: n.Changed, Failure: n.Failure}
	}
	return shown
}
