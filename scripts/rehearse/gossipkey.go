package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// replaceGossipKey changes the key by commands, and then in the file that a node without data starts with. A restart at the end shows that
// nodes with only the new key find each other.
func replaceGossipKey(ctx context.Context, c *cluster) error {
	made, err := c.creditd(ctx, "secret", "new")
	if err != nil {
		return err
	}
	if err := c.write("gossip.new", made); err != nil {
		return err
	}
	old, err := c.gossipKeys(ctx, "list")
	if err != nil {
		return err
	}
	added, err := c.gossipKeys(ctx, "add", "--new-key-file", "gossip.new")
	if err != nil {
		return err
	}
	for _, step := range [][]string{{"use", added.KeyID}, {"remove", old.Nodes[0].Keys[0]}} {
		if _, err := c.gossipKeys(ctx, step...); err != nil {
			return err
		}
		if err := c.awaitVoters(ctx, 0, 3); err != nil {
			return err
		}
	}
	if err := errors.Join(os.Rename(c.file("gossip.new"), c.file("gossip.key")), c.hangup()); err != nil {
		return err
	}
	if err := c.roll(ctx, ""); err != nil {
		return err
	}
	left, err := c.gossipKeys(ctx, "list")
	if err != nil {
		return err
	}
	for _, n := range left.Nodes {
		if want := []string{added.KeyID}; !slices.Equal(n.Keys, want) || !slices.Equal(n.Settings, want) {
			return fmt.Errorf("%s has the gossip keys %v, and %v in its settings; want %v", n.NodeID, n.Keys, n.Settings, want)
		}
	}
	return nil
}

// gossipKeys is what nodes have after a command on the gossip keys.
type gossipKeys struct {
	KeyID string `json:"keyId"`
	Nodes []struct {
		NodeID         string   `json:"nodeId"`
		Keys, Settings []string // by id
	} `json:"nodes"`
}

func (c *cluster) gossipKeys(ctx context.Context, args ...string) (answer gossipKeys, err error) {
	text, err := c.creditd(ctx, append(append([]string{"gossip", "key"}, args...), "--json")...)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return answer, fmt.Errorf("%w in %s", err, text)
	}
	return answer, nil
}
