package main

import (
	"context"
	"fmt"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/client"
)

var _ = register(registration{group: "cluster", use: "remove NODE", short: "remove a node from the cluster permanently",
	long: `Removes NODE, a node id as 'creditd cluster status' shows it, from the cluster permanently. If the
node is up, it stops. Started again, it says who removed it and when; --rejoin makes it join as a
new node. The cluster refuses to remove the last voter, and a node without which the remaining
voters would have no quorum.`,
	make: func() command { return &clusterRemove{} }})

type clusterRemove struct{ operator }

func (c *clusterRemove) run(in invocation) error {
	id := in.args[0]
	before, statusErr := c.status() // whom to ask if the node that is asked is the one that goes
	answer, _ := c.reach(context.Background(), "cluster.removeServer", map[string]string{"nodeId": id}, nil)
	if answer.Err != nil {
		if answer.Outcome != client.Unknown || answer.Status != 0 {
			return advise(answer.Err)
		}
		witness, err := "", statusErr
		if err == nil {
			witness, err = c.witness(before.Status, id)
		}
		if err != nil {
			return fmt.Errorf("%w; whether %s was removed is not known: ask another node with 'creditd cluster status --addr'", answer.Err, id)
		}
		fmt.Fprintf(in.stderr, "creditd: the node that was asked ended before it answered; %s says that %s is gone\n", witness, id)
	}
	_, err := fmt.Fprintf(in.stdout, "removed  %s\n", id)
	return err
}

// witness finds another node that says that a node is not part of the cluster any more.
func (c *clusterRemove) witness(before api.Status, id string) (nodeID string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	for {
		for _, n := range before.Nodes {
			if n.NodeID == id || n.HTTPAddr == "" {
				continue
			}
			var status api.Status
			answer := c.nodes[0].At(n.HTTPAddr).Call(ctx, "cluster.getStatus", struct{}{}, &status)
			if answer.Err == nil && !status.Stale && isGone(status, id) {
				return n.NodeID, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(witnessPause):
		}
	}
}

const witnessPause = 100 * time.Millisecond

// isGone reports whether a node is not part of the cluster any more.
func isGone(status api.Status, id string) bool {
	for _, n := range status.Nodes {
		if n.NodeID == id {
			return n.LeftAt > 0
		}
	}
	return true
}
