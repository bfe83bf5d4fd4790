package membership

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/rpc"
)

// ChangeGossipKeys asks the leader to change the gossip keys of all nodes. ChangeRing asks one node for its ring, or to change it.
var (
	ChangeGossipKeys = rpc.Method[KeyChange, []NodeKeys]{
		Number: 13, Name: "change gossip keys", OfCluster: true, OfMembers: true, Request: rpc.JSON[KeyChange](), Answer: rpc.JSON[[]NodeKeys](),
	}
	ChangeRing = rpc.Method[ringRequest, ringAnswer]{
		Number: 14, Name: "change gossip ring", OfCluster: true, OfMembers: true, Request: rpc.JSON[ringRequest](), Answer: rpc.JSON[ringAnswer](),
	}
)

// NodeKeys is what one node has, and what a change did there.
type NodeKeys struct {
	NodeID string `json:"nodeId"`
	Name   string `json:"name"`
	Ring
	Changed bool   `json:"changed"`
	Failure string `json:"failure,omitempty"` // why the node did not answer, or did nothing
}

// ringRequest asks for the ring, and changes it if there is a change. The node refuses those of a leader whose term is over.
type ringRequest struct {
	Term   uint64     `json:"term"`
	Change *KeyChange `json:"change,omitempty"`
}

type ringAnswer struct {
	NodeID  string `json:"nodeId"`
	Name    string `json:"name"`
	Changed bool   `json:"changed"`
	Ring
}

// GossipKeys shows and changes the gossip keys of all nodes.
type GossipKeys struct {
	Base
	Leader *leader.Finder
	Serves func() bool // whether this node serves as the leader
	Gossip *Gossip
	Name   string        // of this node
	Sealed bool          // whether what nodes send each other is encrypted
	Term   func() uint64 // raft's

	one sync.Mutex // held by the leader during a change: two at a time could split the cluster

	fenceMu sync.Mutex
	fence   uint64 // guarded by fenceMu: the newest term of a leader that asked
}

// ringTimeout bounds how long one node may take to change its ring, with the fsync.
const ringTimeout = 5 * time.Second

// List returns the keys of all nodes.
func (k *GossipKeys) List(ctx context.Context) []NodeKeys {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	return k.each(ctx, k.places(), ringRequest{})
}

// Change makes one step on all nodes, or on none if it would split the cluster. An added key is made here if none is given.
func (k *GossipKeys) Change(ctx context.Context, c KeyChange) (id string, nodes []NodeKeys, err error) {
	if c.Action == AddKey && c.ID == "" {
		if c.Key == nil {
			c.Key = gossip.NewKey()
		}
		c.ID = gossip.KeyID(c.Key)
	}
	err = k.Leader.Retry(ctx, func() (err error) {
		switch {
		case !k.Sealed:
			return errUnsealed
		case k.Serves():
			nodes, err = k.here(ctx, c)
		default:
			nodes, err = leader.Call(ctx, k.Leader, &ChangeGossipKeys, c)
		}
		return err
	})
	return c.ID, nodes, err
}

// Serve changes the keys for another node.
func (k *GossipKeys) Serve(ctx context.Context, c KeyChange) ([]NodeKeys, error) {
	if !k.Serves() {
		return nil, errNotServing
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout+ringTimeout)
	defer cancel()
	return k.here(ctx, c)
}

// here is Change on the leader.
func (k *GossipKeys) here(ctx context.Context, c KeyChange) ([]NodeKeys, error) {
	k.one.Lock()
	defer k.one.Unlock()
	if !k.Sealed {
		return nil, errUnsealed
	}
	if c.Action == AddKey && c.Key == nil {
		if c.Key = k.Gossip.key(c.ID); c.Key == nil {
			return nil, fault.New(fault.Invalid, "The leader has no gossip key "+c.ID+": give the key itself")
		}
	}
	term, places := k.Term(), k.places()
	asking, cancel := context.WithTimeout(ctx, reportTimeout)
	before := k.each(asking, places, ringRequest{Term: term})
	cancel()
	if err := c.allowed(before); err != nil {
		return nil, err
	}
	for _, n := range before {
		if n.Failure != "" {
			delete(places, n.NodeID)
		}
	}
	changing, cancel := context.WithTimeout(ctx, ringTimeout)
	defer cancel()
	nodes := k.each(changing, places, ringRequest{Term: term, Change: &c})
	for _, n := range before {
		if n.Failure != "" {
			nodes = append(nodes, n)
		}
	}
	sortNodes(nodes)
	k.Logger.Info("the gossip keys were changed", "action", c.Action, "key", c.ID, "force", c.Force, "by", c.By, "incomplete", failures(nodes))
	return nodes, nil
}

// places are the nodes that gossip must connect: raft's servers, and members that are about to be added.
func (k *GossipKeys) places() map[string]string {
	places := make(map[string]string)
	for _, s := range k.Directory.Servers() {
		places[string(s.ID)] = k.Directory.AddressOf(s.ID, s.Address)
	}
	for _, m := range k.Directory.Members() {
		if places[m.ID] == "" && m.Eligible() {
			places[m.ID] = m.PeerAddr
		}
	}
	return places
}

// each asks the nodes at these addresses, all at once.
func (k *GossipKeys) each(ctx context.Context, places map[string]string, request ringRequest) []NodeKeys {
	var mu sync.Mutex
	var asked sync.WaitGroup
	nodes := make([]NodeKeys, 0, len(places))
	for id, addr := range places {
		asked.Go(func() {
			node := k.ask(ctx, id, addr, request)
			mu.Lock()
			defer mu.Unlock()
			nodes = append(nodes, node)
		})
	}
	asked.Wait()
	sortNodes(nodes)
	return nodes
}

func (k *GossipKeys) ask(ctx context.Context, id, addr string, request ringRequest) NodeKeys {
	var answer ringAnswer
	var err error
	if id == k.NodeID {
		answer, err = k.ServeRing(ctx, request)
	} else {
		answer, err = ChangeRing.Call(ctx, k.Client, addr, request)
	}
	if err == nil && answer.NodeID != id {
		err = fault.New(fault.Unavailable, "another node answers at its address")
	}
	if err != nil {
		return NodeKeys{NodeID: id, Failure: whyNot(err)}
	}
	return NodeKeys{NodeID: id, Name: answer.Name, Ring: answer.Ring, Changed: answer.Changed}
}

// ServeRing answers the leader, or a node that shows the keys.
func (k *GossipKeys) ServeRing(_ context.Context, request ringRequest) (answer ringAnswer, err error) {
	k.fenceMu.Lock()
	defer k.fenceMu.Unlock()
	k.fence = max(k.fence, request.Term)
	if request.Change != nil {
		switch {
		case !k.Sealed:
			return answer, errUnsealed
		case request.Term < max(k.fence, k.Term()):
			return answer, fault.New(fault.Unavailable, "Another node leads by now")
		}
		if answer.Changed, err = k.Gossip.changeKeys(*request.Change); err != nil {
			return answer, err
		}
	}
	answer.NodeID, answer.Name, answer.Ring = k.NodeID, k.Name, k.Gossip.Ring()
	return answer, nil
}

func sortNodes(nodes []NodeKeys) {
	slices.SortFunc(nodes, func(a, b NodeKeys) int { return cmp.Compare(a.NodeID, b.NodeID) })
}

// whyNot says why a node did nothing, for people.
func whyNot(err error) string {
	var answered *fault.Error
	if errors.As(err, &answered) && answered.Detail != "" {
		return answered.Detail
	}
	return "it does not answer"
}

func failures(nodes []NodeKeys) (ids []string) {
	for _, n := range nodes {
		if n.Failure != "" {
			ids = append(ids, n.NodeID)
		}
	}
	return ids
}
