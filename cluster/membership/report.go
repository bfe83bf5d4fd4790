package membership

import (
	"context"
	"sync"
	"time"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/rpc"
)

// Status asks a node for its status.
var Status = rpc.Method[rpc.Nothing, Report]{
	Number: 3, Name: "status", Request: rpc.Empty, Answer: rpc.JSON[Report](),
}

// Report is what a node says of itself. It grows: an older build ignores new fields, and leaves them zero.
type Report struct {
	NodeID            string `json:"nodeId"`
	ClusterID         string `json:"clusterId"`
	Role              string `json:"role"`
	Version           string `json:"version"` // the build
	HTTPAddr          string `json:"httpAddr"`
	GossipAddr        string `json:"gossipAddr"`
	Term              uint64 `json:"term"`
	CommitIndex       uint64 `json:"commitIndex"`
	AppliedIndex      uint64 `json:"appliedIndex"`
	DigestIndex       uint64 `json:"digestIndex"`
	Digest            string `json:"digest"`
	LastContactMillis int64  `json:"lastContactMillis"` // since the leader was heard; 0 at the leader, -1 never
	LastTerm          uint64 `json:"lastTerm"`
	LastIndex         uint64 `json:"lastIndex"`
	// LedgerVersion is the version of the node's ledger. Its build reads the versions from MinLedger to MaxLedger. Zero: the build knows none.
	LedgerVersion uint64 `json:"ledgerVersion"`
	MinLedger     uint64 `json:"minLedger"`
	MaxLedger     uint64 `json:"maxLedger"`

	Name     string `json:"name,omitempty"`     // for people
	NonVoter bool   `json:"nonVoter,omitempty"` // it wants no vote

	FreeBytes    uint64 `json:"freeBytes,omitempty"` // on the disk of the data directory
	ReserveBytes uint64 `json:"reserveBytes,omitempty"`
	DiskFull     bool   `json:"diskFull,omitempty"`

	ClockOffsetMillis int64 `json:"clockOffsetMillis,omitempty"` // the peers' time minus its own
	ClockWrong        bool  `json:"clockWrong,omitempty"`        // it does not lead because of its clock

	Backups       bool   `json:"backups,omitempty"`       // it makes backups while it leads
	BackupAt      int64  `json:"backupAt,omitempty"`      // when the newest one was begun, Unix ms
	BackupFailure string `json:"backupFailure,omitempty"` // of the last attempt

	Certificates []Certificate `json:"certificates,omitempty"` // of its ports
}

// Certificate is when a certificate of a node ends.
type Certificate struct {
	Name     string `json:"name"`     // http, http_ca, peer or peer_ca
	NotAfter int64  `json:"notAfter"` // Unix ms
}

// leaderRole is the role of a node that leads, in a Report.
const leaderRole = "leader"

// Reporter collects the reports of nodes.
type Reporter struct {
	Base
	Self func() Report // this node's own
}

// reportTimeout bounds how long the slowest node delays all reports.
const reportTimeout = 2 * time.Second

// Ask asks the nodes with these ids at these addresses, all at once, and returns the answers that came in time.
func (r *Reporter) Ask(ctx context.Context, addrs map[string]string) map[string]Report {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	var mu sync.Mutex
	var asked sync.WaitGroup
	reports := make(map[string]Report, len(addrs))
	for id, addr := range addrs {
		asked.Go(func() {
			report, err := r.of(ctx, id, addr)
			if err != nil {
				r.Logger.Debug("a node did not report its status", "member", id, "addr", addr, "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			reports[id] = report
		})
	}
	asked.Wait()
	return reports
}

func (r *Reporter) of(ctx context.Context, id, addr string) (Report, error) {
	if id == r.NodeID {
		return r.Self(), nil
	}
	report, err := Status.Call(ctx, r.Client, addr, rpc.Nothing{})
	if err == nil && report.NodeID != id {
		err = fault.New(fault.Unavailable, "another node answers at this address: "+report.NodeID)
	}
	return report, err
}

// Serve answers another node.
func (r *Reporter) Serve(context.Context, rpc.Nothing) (Report, error) { return r.Self(), nil }
