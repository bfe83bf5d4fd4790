package cluster

import (
	"github.com/creditd/creditd/cluster/fitness"
	"github.com/creditd/creditd/cluster/membership"
	"github.com/creditd/creditd/cluster/propose"
	"github.com/creditd/creditd/cluster/rpc"
)

// methods is every request that this node answers to other nodes. To add one, write its rpc.Method and its handler in one file, and a
// row here.
func (n *Node) methods() []rpc.Row {
	return []rpc.Row{
		rpc.InlineUpTo(&propose.Execute, propose.CostlyBytes, n.proposer.ServeExecute, n.proposer.ServeCostly),
		rpc.Inline(&propose.ReadIndex, n.proposer.ServeReadIndex),
		rpc.Background(&membership.Status, n.reporter.Serve),
		rpc.Background(&membership.TransferLeadership, n.transfer.Serve),
		rpc.Background(&membership.Identify, n.bootstrap.Serve),
		rpc.Background(&membership.Remove, n.removal.ServeOlder),
		rpc.Inline(&membership.Leave, n.removal.ServeLeave),
		rpc.Inline(&fitness.Fitness, n.fitness.Serve),
		rpc.Background(&fitness.Checkpoints, n.comparer.ServeCheckpoints),
		rpc.Inline(&fitness.Diverged, n.comparer.ServeDiverged),
		rpc.Background(&membership.Exchange, n.departures.Serve),
		rpc.Background(&membership.RemoveServer, n.removal.Serve),
		rpc.Background(&membership.ChangeGossipKeys, n.gossipKeys.Serve),
		rpc.Background(&membership.ChangeRing, n.gossipKeys.ServeRing),
		rpc.InlineUpTo(&propose.ExecuteTraced, propose.CostlyBytes, n.proposer.ServeTraced, n.proposer.ServeCostlyTraced),
	}
}
