package launch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/creditd/creditd/api/client"
)

// RootKey is the root key of every cluster.
const RootKey = "root_key_of_the_tests"

// ClusterSecret is what the nodes of a cluster share, unless Options.Open says otherwise.
const ClusterSecret = "d2hhdCBhbGwgbm9kZXMgb2YgdGhlIHRlc3RzIHNoYXJlLCAzMisgYnl0ZXM="

const (
	callTimeout = 10 * time.Second
	dialTimeout = time.Second

	statusTimeout = 2 * time.Second // a paused node takes connections and answers nothing
)

// NewClient returns a client that has RootKey and calls the node at an address; At makes others that share its connections.
func NewClient(addr string, timeout time.Duration) *client.Client {
	return newClient(addr, timeout, nil)
}

func newClient(addr string, timeout time.Duration, trust *tls.Config) *client.Client {
	return client.New(client.Config{Node: addr, RootKey: RootKey, Timeout: timeout, DialTimeout: dialTimeout, TLS: trust})
}

// Status is the part of cluster.getStatus that the suites use.
type Status struct {
	LeaderID string       `json:"leaderId"`
	Term     uint64       `json:"term"`
	Nodes    []NodeStatus `json:"nodes"`

	LedgerVersion int `json:"ledgerVersion"`
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
	Voter bool `json:"voter"`

	LedgerVersions struct {
		Min int `json:"min"`
		Max int `json:"max"`
	} `json:"ledgerVersions"`
}

// leader is the HTTP address of the leader, "" without one.
func (s Status) leader() string {
	for _, node := range s.Nodes {
		if s.LeaderID != "" && node.NodeID == s.LeaderID {
			return node.HTTPAddr
		}
	}
	return ""
}

// converged returns the digest of all nodes, or why they do not agree on one state yet. A node that lost its data is remembered for
// a while under its former id, with an unknown role.
func (s Status) converged(count int) (digest string, err error) {
	nodes := slices.DeleteFunc(slices.Clone(s.Nodes), func(n NodeStatus) bool { return n.Role == "unknown" })
	if s.LeaderID == "" {
		return "", errors.New("no leader")
	}
	if len(nodes) != count {
		return "", fmt.Errorf("%d of %d nodes known", len(nodes), count)
	}
	first := nodes[0]
	for _, n := range nodes {
		if n.AppliedIndex != first.AppliedIndex || n.Digest != first.Digest || n.Digest.Value == "" {
			return "", fmt.Errorf("node %s is at %d with digest %+v, node %s at %d with %+v",
				first.NodeID, first.AppliedIndex, first.Digest, n.NodeID, n.AppliedIndex, n.Digest)
		}
	}
	return first.Digest.Value, nil
}

// Status asks node i about the cluster.
func (c *Cluster) Status(ctx context.Context, i int) (status Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	err = c.client.At(c.HTTPAddr(i)).Call(ctx, "cluster.getStatus", struct{}{}, &status).Err
	return status, err
}

// FindLeader asks the nodes once until one names a leader of a term from minTerm on.
func (c *Cluster) FindLeader(ctx context.Context, minTerm uint64) (leader int, status Status, err error) {
	err = errors.New("no node runs")
	for i := range c.nodes {
		if !c.Running(i) {
			continue
		}
		if status, err = c.Status(ctx, i); err != nil {
			continue
		}
		if leader = slices.Index(c.HTTPAddrs(), status.leader()); leader >= 0 && status.Term >= minTerm {
			return leader, status, nil
		}
		err = fmt.Errorf("node %d names leader %q of term %d", i, status.LeaderID, status.Term)
	}
	return -1, status, err
}

// Leader waits for a leader that runs and has a term from minTerm on.
func (c *Cluster) Leader(ctx context.Context, minTerm uint64) (leader int, term uint64, err error) {
	err = Await(ctx, "a leader", func(ctx context.Context) error {
		found, status, err := c.FindLeader(ctx, minTerm)
		if err == nil && !c.Running(found) {
			err = fmt.Errorf("node %d is down", found)
		}
		leader, term = found, status.Term
		return err
	})
	return leader, term, err
}

// Follower waits for a leader and returns another node that runs.
func (c *Cluster) Follower(ctx context.Context) (follower int, err error) {
	leader, _, err := c.Leader(ctx, 0)
	if err != nil {
		return 0, err
	}
	for i := range c.nodes {
		if i != leader && c.Running(i) {
			return i, nil
		}
	}
	return 0, errors.New("no follower runs")
}

// Converge waits until every node reports one leader and the same applied index and digest for all nodes.
func (c *Cluster) Converge(ctx context.Context) (digest string, err error) {
	err = Await(ctx, "equal applied index and digest on all nodes", func(ctx context.Context) error {
		for i := range c.nodes {
			status, err := c.Status(ctx, i)
			if err == nil {
				digest, err = status.converged(c.Size())
			}
			if err != nil {
				return fmt.Errorf("node %d: %w", i, err)
			}
		}
		return nil
	})
	return digest, err
}

// Transfer asks the leader to transfer leadership to node to. The cluster may refuse that.
func (c *Cluster) Transfer(ctx context.Context, to int) error {
	leader, status, err := c.FindLeader(ctx, 0)
	if err != nil {
		return err
	}
	for _, n := range status.Nodes {
		if n.HTTPAddr == c.HTTPAddr(to) {
			return c.client.At(c.HTTPAddr(leader)).Call(ctx, "cluster.transferLeadership", map[string]any{"nodeId": n.NodeID}, nil).Err
		}
	}
	return fmt.Errorf("node %d is unknown to the leader", to)
}

// AwaitReady waits until every node is ready. A node that ended meanwhile ends the wait.
func (c *Cluster) AwaitReady(ctx context.Context) error {
	for i := range c.nodes {
		if err := c.AwaitNode(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// AwaitNode waits until node i is ready, or has ended.
func (c *Cluster) AwaitNode(ctx context.Context, i int) error {
	if err := awaitReady(ctx, c.NewClient(i, time.Second), c.Process(i)); err != nil {
		return fmt.Errorf("node %d: %w; %s", i, err, tail(c.nodes[i].log))
	}
	return nil
}

// AwaitReady waits until /readyz of an address answers 200, or the process has ended.
func AwaitReady(ctx context.Context, addr string, process *Process) error {
	return awaitReady(ctx, NewClient(addr, time.Second), process)
}

func awaitReady(ctx context.Context, probe *client.Client, process *Process) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-process.Ended():
			cancel(errors.New("the process ended"))
		case <-ctx.Done():
		}
	}()
	defer probe.Close()
	return Await(ctx, probe.Node()+" to be ready", func(ctx context.Context) error {
		status, _, err := probe.Get(ctx, "/readyz")
		probe.Close() // the next process at this address would find the connection of this one
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("/readyz answers %d", status)
		}
		return err
	})
}

// tail is the end of a log, for messages.
func tail(name string) string {
	const length = 2000
	text, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return "the end of its log:\n" + string(text[max(0, len(text)-length):])
}
