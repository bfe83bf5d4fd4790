package propose

import "github.com/creditd/creditd/fsm"

// refuseWhenDiskFull refuses a command that would grow the log while the fitness of the cluster asks for it.
//
// A retransmission goes through in any case: only the log knows whether the first copy was executed.
func (p *Proposer) refuseWhenDiskFull(call fsm.Call, retransmission bool) error {
	if !p.conf.Fitness.AnyDiskFull() || retransmission {
		return nil
	}
	if asked := call; p.growsLog(&asked) { // a copy, or every call would escape to the heap
		return p.conf.Fitness.RefuseChange()
	}
	return nil
}

// growsLog reports whether a call would grow the log by more than an empty entry. Opening a session does not count, because calls that
// change nothing need one too.
func (p *Proposer) growsLog(call *fsm.Call) bool {
	if _, opening := call.Command.(*fsm.OpenSession); opening {
		return false
	}
	_, unchanging := p.conf.Ledger.Peek(call, false)
	return !unchanging
}

// peek answers a call that would change nothing. While a disk is full the dates of last use wait: denials and verifications that cost
// nothing must go on without the log.
func (p *Proposer) peek(call *fsm.Call) (fsm.Result, bool) {
	return p.conf.Ledger.Peek(call, !p.conf.Fitness.AnyDiskFull())
}

func (p *Proposer) examine(call *fsm.Call, retransmission bool, most fsm.Work) (unchanging bool, work fsm.Work) {
	return p.conf.Ledger.Examine(call, retransmission, !p.conf.Fitness.AnyDiskFull(), most)
}
