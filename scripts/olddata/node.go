package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

const callTimeout = 10 * time.Second

// node is the one node of a cluster, as the operator sees it.
type node struct {
	cluster *launch.Cluster
	client  *client.Client
}

type object = map[string]any

func newNode(cluster *launch.Cluster) *node {
	return &node{cluster: cluster, client: launch.NewClient(cluster.HTTPAddr(0), callTimeout)}
}

// status is the node itself in cluster.getStatus.
func (n *node) status(ctx context.Context) (launch.NodeStatus, error) {
	status, err := n.cluster.Status(ctx, 0)
	if err != nil {
		return launch.NodeStatus{}, err
	}
	if len(status.Nodes) != 1 {
		return launch.NodeStatus{}, fmt.Errorf("%d nodes instead of one", len(status.Nodes))
	}
	return status.Nodes[0], nil
}

// awaitSnapshot waits until a snapshot holds everything that was applied.
func (n *node) awaitSnapshot(ctx context.Context) error {
	return launch.Await(ctx, "a snapshot", func(ctx context.Context) error {
		status, err := n.status(ctx)
		if err != nil {
			return err
		}
		at, err := n.snapshotIndex(ctx)
		if err == nil && at < status.Digest.Index {
			err = fmt.Errorf("the snapshot is at %d, the ledger at %d", at, status.Digest.Index)
		}
		return err
	})
}

func (n *node) snapshotIndex(ctx context.Context) (index uint64, err error) {
	_, text, err := n.client.Get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "creditd_snapshot_index "); found {
			_, err := fmt.Sscan(value, &index)
			return index, err
		}
	}
	return 0, errors.New("/metrics has no creditd_snapshot_index")
}
