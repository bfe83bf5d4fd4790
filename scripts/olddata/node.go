package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/chaos/local"
	"github.com/creditd/creditd/scripts/chaos/wire"
)

// node is the one node of a cluster, as the operator sees it.
type node struct {
	cluster *local.Cluster
	client  *wire.Client
	addr    string
}

type object = map[string]any

func newNode(cluster *local.Cluster) *node {
	return &node{cluster: cluster, client: wire.NewClient(rootKey, 10*time.Second), addr: cluster.HTTPAddr(0)}
}

// status is the node itself in cluster.getStatus.
func (n *node) status() (wire.NodeStatus, error) {
	status, err := n.client.Status(n.addr)
	if err != nil {
		return wire.NodeStatus{}, err
	}
	if len(status.Nodes) != 1 {
		return wire.NodeStatus{}, fmt.Errorf("%d nodes instead of one", len(status.Nodes))
	}
	return status.Nodes[0], nil
}

// awaitSnapshot waits until a snapshot holds everything that was applied.
func (n *node) awaitSnapshot(ctx context.Context) error {
	return local.Await(ctx, "a snapshot", func(context.Context) error {
		status, err := n.status()
		if err != nil {
			return err
		}
		at, err := n.snapshotIndex()
		if err == nil && at < status.Digest.Index {
			err = fmt.Errorf("the snapshot is at %d, the ledger at %d", at, status.Digest.Index)
		}
		return err
	})
}

func (n *node) snapshotIndex() (index uint64, err error) {
	response, err := http.Get("http://" + n.addr + "/metrics")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "creditd_snapshot_index "); found {
			_, err := fmt.Sscan(value, &index)
			return index, err
		}
	}
	return 0, errors.New("/metrics has no creditd_snapshot_index")
}
