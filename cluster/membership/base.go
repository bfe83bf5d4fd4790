package membership

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	autopilot "github.com/hashicorp/raft-autopilot"

	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/rpc"
)

// Raft is what this package asks of raft.
type Raft interface {
	autopilot.Raft
	BootstrapCluster(raft.Configuration) raft.Future
	LeaderWithID() (raft.ServerAddress, raft.ServerID)
	LeadershipTransfer() raft.Future
	LastContact() time.Time
	AppliedIndex() uint64
}

// Base is what all parts need.
type Base struct {
	NodeID    string
	PeerAddr  string // at which other nodes reach this one
	Raft      Raft
	Directory *Directory
	Client    *rpc.Client
	Logger    *slog.Logger
	Steady    *slog.Logger    // for what a loop says again while it lasts
	Stopping  <-chan struct{} // closed when the node stops
	// Changing is held from a look at raft's configuration to the end of the change that follows from it.
	Changing *sync.Mutex
}

// changeTimeout bounds one change of raft's configuration.
const changeTimeout = 10 * time.Second

// await waits for a change of raft's configuration. raft may leave a future unanswered when it stops.
func (b *Base) await(ctx context.Context, f raft.Future) error {
	done := make(chan error, 1)
	go func() { done <- f.Error() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-b.Stopping:
		return leader.ErrStopping
	}
}
