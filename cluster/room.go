package cluster

import (
	"slices"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// refuseForRoom refuses a change on the leader while its disk, or the disks of so many voters that there is no majority without them,
// have less than their reserve left. It is asked for every command, so the usual answer costs nothing.
//
// What was sent before goes through in any case: only the log knows whether the first copy was carried out.
func (n *Node) refuseForRoom(call *fsm.Call, again bool) error {
	own := n.conf.Store.NoRoom() != nil
	if !own && !n.clocks.anyNoRoom.Load() || again || !n.needsRoom(call) {
		return nil
	}
	full, voters := n.withoutRoom(), n.otherVoters()+1
	switch enough := voters-len(full) > voters/2; {
	case enough && own && n.betterLeader() != "":
		return fault.New(fault.Unavailable, "This node's disk is nearly full, and it is handing leadership over")
	case own || !enough:
		return noRoom(full)
	}
	return nil
}

// withoutRoom returns the voters whose disks have no room for changes, sorted.
func (n *Node) withoutRoom() (full []string) {
	if n.conf.Store.NoRoom() != nil {
		full = append(full, n.id)
	}
	servers := n.servers()
	n.clocks.mu.Lock()
	defer n.clocks.mu.Unlock()
	for _, s := range servers {
		if s.Suffrage == raft.Voter && n.clocks.peers[string(s.ID)].wrong&diskNoRoom != 0 {
			full = append(full, string(s.ID))
		}
	}
	slices.Sort(full)
	return full
}

// needsRoom reports whether a call would grow the log by more than an empty entry. Opening a session is let through, because calls that
// change nothing need one too.
func (n *Node) needsRoom(call *fsm.Call) bool {
	if _, opening := call.Command.(*fsm.OpenSession); opening {
		return false
	}
	_, unchanging := n.replica.Peek(call, false)
	return !unchanging
}

// peek answers a call that would change nothing. While a voter has no room the dates of last use wait: denials and verifications that
// cost nothing must go on without the log.
func (n *Node) peek(call *fsm.Call) (fsm.Result, bool) {
	return n.replica.Peek(call, n.conf.Store.NoRoom() == nil && !n.clocks.anyNoRoom.Load())
}

func noRoom(full []string) *fault.Error {
	return fault.New(fault.NoRoom, "Changes are refused until there is room on the disk of "+strings.Join(full, ", ")+"; reads go on")
}
