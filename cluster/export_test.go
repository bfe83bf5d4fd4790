package cluster

import "github.com/creditd/creditd/fsm"

// Corrupt carries out a command on this node's ledger alone, as damaged memory or a program that is not deterministic would.
func (n *Node) Corrupt(actor fsm.Hash, c fsm.Command) fsm.Result {
	n.machine.mu.Lock()
	defer n.machine.mu.Unlock()
	return n.machine.state.Apply(fsm.Batch{Calls: []fsm.Call{{Actor: actor, Command: c}}})[0]
}
