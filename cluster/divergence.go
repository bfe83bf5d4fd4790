package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/cluster/replica"
)

// The ledgers of all nodes are the same at the same index. Where they are not, memory was damaged or the program is wrong, and one of
// them would answer wrongly for ever: so the leader compares, and who differs from the majority stops.

// checkpointsReply is what a node tells of its ledger's past.
type checkpointsReply struct {
	NodeID      string               `json:"nodeId"`
	Checkpoints []replica.Checkpoint `json:"checkpoints"` // by index
}

// divergence is what was found to differ.
type divergence struct {
	Index   uint64            `json:"index"`
	Digests map[string]string `json:"digests"` // by node id
	Right   string            `json:"right"`   // the digest of the majority of voters; empty: there is none
}

func (d divergence) String() string {
	ids := make([]string, 0, len(d.Digests))
	for id := range d.Digests {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	text := fmt.Sprintf("at index %d the ledgers differ:", d.Index)
	for _, id := range ids {
		text += fmt.Sprintf(" %s has %s", id, d.Digests[id])
		if d.Digests[id] == d.Right {
			text += " (majority)"
		}
		text += ";"
	}
	if d.Right == "" {
		text += " no majority says which is right;"
	}
	return text[:len(text)-1]
}

// indecision is how many rounds in a row must find that the voters differ without a majority, before all of them stop.
const indecision = 3

// watchDivergence is the leader's comparison, until ctx ends.
func (n *Node) watchDivergence(ctx context.Context) {
	ticker := time.NewTicker(n.conf.CompareInterval)
	defer ticker.Stop()
	undecided := 0
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		d, settled := n.compareLedgers(ctx)
		switch {
		case d == nil:
			undecided = 0
			continue
		case d.Right == "":
			if undecided++; !settled || undecided < indecision {
				n.log.Error("the ledgers of the nodes differ, and no majority of voters tells which is right yet", "report", d.String())
				continue
			}
		}
		n.stopDiverged(ctx, *d)
		if d.Digests[n.id] != "" && d.Digests[n.id] != d.Right {
			n.diverged(*d)
			return
		}
	}
}

// compareLedgers asks all nodes and returns the first index at which they differ, nil if there is none. settled is false while a node
// that answers has not come to that index.
func (n *Node) compareLedgers(ctx context.Context) (found *divergence, settled bool) {
	servers := n.servers()
	replies := n.askCheckpoints(ctx, servers)
	byIndex := make(map[uint64]map[string]string)
	for _, r := range replies {
		for _, c := range r.Checkpoints {
			if byIndex[c.Index] == nil {
				byIndex[c.Index] = make(map[string]string)
			}
			byIndex[c.Index][r.NodeID] = c.Digest
		}
	}
	for index, digests := range byIndex {
		if (found == nil || index < found.Index) && differ(digests) {
			found = &divergence{Index: index, Digests: digests}
		}
	}
	if found == nil {
		return nil, false
	}
	found.Right = majority(found.Digests, servers)
	for _, r := range replies {
		if newest := len(r.Checkpoints) - 1; newest < 0 || r.Checkpoints[newest].Index < found.Index {
			return found, false
		}
	}
	return found, true
}

func differ(digests map[string]string) bool {
	first := ""
	for _, d := range digests {
		if first != "" && d != first {
			return true
		}
		first = d
	}
	return false
}

// majority returns the digest that more than half of all voters have, or "".
func majority(digests map[string]string, servers []raft.Server) string {
	voters, count := 0, make(map[string]int)
	for _, s := range servers {
		if s.Suffrage == raft.Voter {
			voters++
			count[digests[string(s.ID)]]++
		}
	}
	for d, c := range count {
		if d != "" && c > voters/2 {
			return d
		}
	}
	return ""
}

func (n *Node) askCheckpoints(ctx context.Context, servers []raft.Server) map[string]checkpointsReply {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	var mu sync.Mutex
	var asked sync.WaitGroup
	replies := map[string]checkpointsReply{n.id: n.checkpoints()}
	for _, s := range servers {
		if string(s.ID) == n.id {
			continue
		}
		asked.Add(1)
		go func() {
			defer asked.Done()
			var reply checkpointsReply
			answer, err := n.pool.Get(n.addressOf(s.ID, s.Address)).Call(ctx, methodCheckpoints, n.clusterTag())
			if err == nil {
				err = json.Unmarshal(answer, &reply)
			}
			if err != nil || reply.NodeID != string(s.ID) {
				n.log.Debug("a node did not tell its checkpoints", "member", s.ID, "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			replies[reply.NodeID] = reply
		}()
	}
	asked.Wait()
	return replies
}

func (n *Node) checkpoints() checkpointsReply {
	return checkpointsReply{NodeID: n.id, Checkpoints: n.replica.Checkpoints()}
}

func (n *Node) handleCheckpoints(r peer.Request, reply peer.Reply) {
	if _, ok := n.cutTag(r.Payload); !ok {
		reply(codeForeign, nil)
		return
	}
	replyJSON(reply, n.checkpoints())
}

// stopDiverged tells the other nodes that differ.
func (n *Node) stopDiverged(ctx context.Context, d divergence) {
	report, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("cluster: %v", err)) // strings and numbers
	}
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	for _, s := range n.servers() {
		if id := string(s.ID); id == n.id || d.Digests[id] == "" || d.Digests[id] == d.Right {
			continue
		}
		n.log.Error("a node's ledger differs: telling it to stop", "member", s.ID, "report", d.String())
		if _, err := n.pool.Get(n.addressOf(s.ID, s.Address)).Call(ctx, methodDiverged, append(n.clusterTag(), report...)); err != nil {
			n.log.Warn("the node could not be told; trying again", "member", s.ID, "err", err)
		}
	}
}

// handleDiverged stops this node, if it really has the digest that is said to be wrong.
func (n *Node) handleDiverged(r peer.Request, reply peer.Reply) {
	body, ok := n.cutTag(r.Payload)
	if !ok {
		reply(codeForeign, nil)
		return
	}
	var d divergence
	if err := json.Unmarshal(body, &d); err != nil || d.Digests[n.id] == "" || d.Digests[n.id] == d.Right ||
		!slices.Contains(n.replica.Checkpoints(), replica.Checkpoint{Index: d.Index, Digest: d.Digests[n.id]}) {
		reply(codeMalformed, nil)
		return
	}
	reply(peer.CodeOK, nil)
	n.diverged(d)
}

// diverged marks the data directory, so that no restart takes part again, and stops.
func (n *Node) diverged(d divergence) {
	n.Fail(n.conf.Store.MarkDiverged(d.String(), d.Right == ""))
}
