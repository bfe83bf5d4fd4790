package wire

import (
	"errors"
	"fmt"
	"slices"
)

// Status is the part of cluster.getStatus that scripts use.
type Status struct {
	LeaderID string       `json:"leaderId"`
	Term     uint64       `json:"term"`
	Nodes    []NodeStatus `json:"nodes"`
}

// NodeStatus is one node as the asked node knows it.
type NodeStatus struct {
	NodeID       string `json:"nodeId"`
	Role         string `json:"role"`
	HTTPAddr     string `json:"httpAddr"`
	AppliedIndex uint64 `json:"appliedIndex"`
	Digest       struct {
		Index uint64 `json:"index"`
		Value string `json:"value"`
	} `json:"digest"`
}

// Status asks one node about the cluster.
func (c *Client) Status(addr string) (Status, error) {
	var status Status
	if answer := c.Call(addr, "cluster.getStatus", struct{}{}, &status); answer.Fate != Executed {
		return Status{}, errors.New(answer.Detail)
	}
	return status, nil
}

// LeaderAddr is the HTTP address of the leader, "" without one.
func (s Status) LeaderAddr() string {
	for _, node := range s.Nodes {
		if s.LeaderID != "" && node.NodeID == s.LeaderID {
			return node.HTTPAddr
		}
	}
	return ""
}

// Converged reports why the nodes do not yet agree on one state; nil when all of count do.
func (s Status) Converged(count int) error {
	if s.LeaderID == "" {
		return errors.New("no leader")
	}
	if len(s.Nodes) != count {
		return fmt.Errorf("%d of %d nodes known", len(s.Nodes), count)
	}
	first := s.Nodes[0]
	at := slices.IndexFunc(s.Nodes, func(n NodeStatus) bool {
		return n.AppliedIndex != first.AppliedIndex || n.Digest != first.Digest || n.Digest.Value == ""
	})
	if at >= 0 {
		return fmt.Errorf("node %s is at %d with digest %+v, node %s at %d with %+v", first.NodeID, first.AppliedIndex,
			first.Digest, s.Nodes[at].NodeID, s.Nodes[at].AppliedIndex, s.Nodes[at].Digest)
	}
	return nil
}
