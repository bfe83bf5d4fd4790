package membership

import (
	"log/slog"
	"time"

	"github.com/hashicorp/raft"
	autopilot "github.com/hashicorp/raft-autopilot"

	"github.com/creditd/creditd/cluster/rpc"
)

// Raft is what this package asks of raft.
type Raft interface {
	autopilot.Raft
	BootstrapCluster(raft.Configuration) raft.Future
	LeaderWithID() (raft.ServerAddress, raft.ServerID)
	LeadershipTransfer() raft.Future
	LastContact() time.Time
}

// Base is what all parts need.
type Base struct {
	NodeID    string
	PeerAddr  string // at which other nodes reach this one
	Raft      Raft
	Directory *Directory
	Client    *rpc.Client
	Logger    *slog.Logger
	Stopping  <-chan struct{} // closed when the node stops
}

// changeTimeout bounds one change of raft's configuration.
const changeTimeout = 10 * time.Second
