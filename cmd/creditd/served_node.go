package main

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/generation"
	"github.com/creditd/creditd/cluster/upgrade"
	"github.com/creditd/creditd/fsm"
)

// servedNode is the node as package api sees it.
type servedNode struct {
	*cluster.Node
	draining atomic.Bool // the process was told to stop
	closing  atomic.Bool // it has drained
}

var errStopping = fault.New(fault.Unavailable, "The node is stopping")

// Ready says no as soon as the process is told to stop, so that load balancers choose another node while this one still serves.
func (s *servedNode) Ready() error {
	if s.draining.Load() {
		return errStopping
	}
	return s.Node.Ready()
}

// closingConnections makes every answer close its connection once the node has drained, also the answer to a request that began before. A client
// that got no such answer would send its next request on a connection that closes.
func (s *servedNode) closingConnections(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w = &closingWriter{ResponseWriter: w, closing: &s.closing}
		}
		handler.ServeHTTP(w, r)
	})
}

// closingWriter decides when the answer begins whether it closes the connection.
type closingWriter struct {
	http.ResponseWriter
	closing *atomic.Bool
	begun   bool
}

func (w *closingWriter) begin() {
	if !w.begun && w.closing.Load() {
		w.Header().Set("Connection", "close")
	}
	w.begun = true
}

// WriteHeader implements http.ResponseWriter.
func (w *closingWriter) WriteHeader(status int) {
	w.begin()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *closingWriter) Write(p []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(p)
}

// Flush implements http.Flusher.
func (w *closingWriter) Flush() {
	w.begin()
	_ = http.NewResponseController(w.ResponseWriter).Flush() // as http.Flusher, it cannot say that it failed
}

// Unwrap is for http.ResponseController.
func (w *closingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Records opens what an export reads.
func (s *servedNode) Records(ctx context.Context, minIndex uint64) (api.Records, error) {
	r, err := s.Node.Records(ctx, minIndex)
	if err != nil {
		return nil, err
	}
	return &servedRecords{r, s}, nil
}

// Snapshot opens what a backup reads.
func (s *servedNode) Snapshot(ctx context.Context, actor fsm.Hash, minIndex uint64) (api.Snapshot, error) {
	snapshot, err := s.Node.Snapshot(ctx, actor, minIndex)
	if err != nil {
		return nil, err
	}
	return &servedSnapshot{snapshot, s}, nil
}

// servedSnapshot ends with the process, and not when the last client has taken it.
type servedSnapshot struct {
	*cluster.Snapshot
	node *servedNode
}

// Write implements api.Snapshot.
func (s *servedSnapshot) Write(ctx context.Context, w io.Writer) error {
	return s.Snapshot.Write(ctx, whileServing{w, s.node})
}

// whileServing refuses to write once the process is told to stop.
type whileServing struct {
	io.Writer
	node *servedNode
}

func (w whileServing) Write(p []byte) (int, error) {
	if w.node.closing.Load() {
		return 0, errStopping
	}
	return w.Writer.Write(p)
}

// servedRecords end with the process, and not when the last client has taken its export.
type servedRecords struct {
	*cluster.Records
	node *servedNode
}

// Each implements api.Records.
func (r *servedRecords) Each(kind fsm.Kind, visit func(fsm.Record) error) error {
	return r.Records.Each(kind, func(record fsm.Record) error {
		if r.node.closing.Load() {
			return errStopping
		}
		return visit(record)
	})
}

// Status translates what the node knows of the cluster.
func (s *servedNode) Status(ctx context.Context) (api.Status, error) {
	status, err := s.Node.Status(ctx)
	if err != nil {
		return api.Status{}, err
	}
	cluster := generation.Parse(status.ClusterID)
	shown := api.Status{
		NodeID: status.NodeID, Stale: status.Stale, ClusterID: cluster.Base, LeaderID: status.LeaderID, Term: status.Term, LedgerVersion: status.LedgerVersion,
		Nodes: make([]api.NodeStatus, len(status.Nodes)),
	}
	var committed uint64
	for _, n := range status.Nodes {
		committed = max(committed, n.CommitIndex)
	}
	if cluster.Number > 1 {
		shown.Generation = cluster.Generation()
	}
	for i, n := range status.Nodes {
		shown.Nodes[i] = api.NodeStatus{
			NodeID: n.NodeID, Role: n.Role, Voter: n.Voter, Health: n.Health,
			Membership: string(n.Membership), ReplacedBy: n.ReplacedBy, LeftAt: n.LeftAt, RemovedBy: n.RemovedBy,
			HTTPAddr: n.HTTPAddr, PeerAddr: n.PeerAddr, GossipAddr: n.GossipAddr, Version: n.Version, LedgerVersions: readVersions(n.Reads),
			CommitIndex: n.CommitIndex, AppliedIndex: n.AppliedIndex, Name: n.Name,
		}
		if n.Answered {
			lag := committed - min(committed, n.AppliedIndex)
			shown.Nodes[i].Lag, shown.Nodes[i].LastContactMillis = &lag, &n.LastContactMillis
			shown.Nodes[i].Clock = &api.ClockStatus{OffsetMillis: n.ClockOffsetMillis, Fit: !n.ClockWrong}
		}
		if n.FreeBytes > 0 || n.DiskFull { // an earlier build says nothing of its disk
			shown.Nodes[i].Disk = &api.DiskStatus{FreeBytes: n.FreeBytes, ReserveBytes: n.ReserveBytes, Full: n.DiskFull}
		}
		if n.Backup != nil {
			shown.Nodes[i].Backup = &api.BackupStatus{LastAt: n.Backup.LastAt, Failure: n.Backup.Failure}
		}
		for _, c := range n.Certificates {
			shown.Nodes[i].Certificates = append(shown.Nodes[i].Certificates, api.CertificateStatus{Name: c.Name, NotAfter: c.NotAfter})
		}
		if n.Digest != "" {
			shown.Nodes[i].Digest = &api.Digest{Index: n.DigestIndex, Value: n.Digest}
		}
	}
	return shown, nil
}

// readVersions shows the range that a build reads, nil while it is not known.
func readVersions(r upgrade.Range) *api.LedgerVersions {
	if r == (upgrade.Range{}) {
		return nil
	}
	return &api.LedgerVersions{Min: r.Min, Max: r.Max}
}
