package membership

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/rpc"
)

// Exchange tells a node which nodes left the cluster for good, and asks what it knows of that.
var Exchange = rpc.Method[departureList, departureList]{
	Number: 11, Name: "departures", OfCluster: true, Request: rpc.JSON[departureList](), Answer: rpc.JSON[departureList](),
}

// departureList is the message, and what the data directory keeps. Unknown fields are ignored.
type departureList struct {
	Departures []Departure `json:"departures"`
}

// Departure says that a node left the cluster for good: it was removed, or another node took its place. Its id never comes back.
type Departure struct {
	NodeID     string `json:"nodeId"`
	At         int64  `json:"at"`                  // Unix milliseconds, on the clock of the node that noticed first
	By         string `json:"by,omitzero"`         // who asked for the removal; empty: not known
	ReplacedBy string `json:"replacedBy,omitzero"` // the node that has its place
}

// merge returns the better of two records of one node, the same in both orders: the one that says more, and of those the earlier one.
func (d Departure) merge(other Departure) Departure {
	if c := cmp.Or(
		cmp.Compare(min(len(other.By), 1), min(len(d.By), 1)), cmp.Compare(min(len(other.ReplacedBy), 1), min(len(d.ReplacedBy), 1)),
		cmp.Compare(d.At, other.At), cmp.Compare(d.By, other.By), cmp.Compare(d.ReplacedBy, other.ReplacedBy),
	); c > 0 {
		return other
	}
	return d
}

// String tells what happened to the node.
func (d Departure) String() string {
	at := time.UnixMilli(d.At).UTC().Format(time.RFC3339)
	switch {
	case d.By != "":
		return fmt.Sprintf("removed at %s by %s", at, d.By)
	case d.ReplacedBy != "":
		return fmt.Sprintf("replaced by %s at %s", d.ReplacedBy, at)
	}
	return fmt.Sprintf("removed at %s; by whom is not known", at)
}

const (
	// maxDepartures bounds what is remembered: the newest. A node that left before all of them could join again under its id.
	maxDepartures = 256
	// departureInterval is how often a node compares raft's configuration, and tells others what is new.
	departureInterval = 200 * time.Millisecond
)

// Departures knows the nodes that left the cluster for good. Each node learns of them from raft's configuration, from the leader that removed
// a node, and from the others, so that all nodes know the same.
type Departures struct {
	Base
	Gossip    *Gossip
	Committed *Committed
	Keep      func([]byte) error // writes to the data directory
	// Leave ends this node, which left for good itself.
	Leave func(Departure)
	Fail  func(error)
	// ForgetAfter is how long a node that left for good is listed, and a member that never joined is remembered after its end.
	ForgetAfter time.Duration

	mu    sync.Mutex
	list  map[string]Departure // guarded by mu
	noted map[string]time.Time // when this process first noted a departure; guarded by mu
	// version counts the changes of list. told is the version that a node was last told.
	version int // guarded by mu
	asks    sync.Mutex
	asked   sync.WaitGroup
	told    map[string]int       // by node; guarded by asks
	failed  map[string]time.Time // when a node could last not be told; guarded by asks
	asking  map[string]bool      // which nodes are being told; guarded by asks
	// Used by Run alone.
	servers []raft.Server // of the last committed configuration; at the start, the voters that raft knows
}

// Load takes what the data directory has kept.
func (d *Departures) Load(data []byte) error {
	var kept departureList
	if len(data) > 0 {
		if err := json.Unmarshal(data, &kept); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list, d.noted, d.version = make(map[string]Departure), make(map[string]time.Time), 1
	for _, one := range kept.Departures {
		d.list[one.NodeID] = one
	}
	return nil
}

// Of returns what is known of a node that left for good.
func (d *Departures) Of(nodeID string) (Departure, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one, ok := d.list[nodeID]
	return one, ok
}

// All returns the nodes that left for good and are not in raft's configuration, in the order of their ids. An older build may have added
// one again.
func (d *Departures) All() []Departure {
	servers := d.Directory.Servers()
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []Departure
	for _, id := range slices.Sorted(maps.Keys(d.list)) {
		if !slices.ContainsFunc(servers, func(s raft.Server) bool { return string(s.ID) == id }) {
			list = append(list, d.list[id])
		}
	}
	return list
}

// Add notes that nodes left for good. It ends this node if it is one of them.
func (d *Departures) Add(news ...Departure) {
	d.mu.Lock()
	changed := false
	for _, one := range news {
		known, ok := d.list[one.NodeID]
		if ok {
			one = known.merge(one)
		}
		if one.NodeID == "" || ok && one == known {
			continue
		}
		d.list[one.NodeID], changed = one, true
		if !ok {
			d.noted[one.NodeID] = time.Now()
		}
		if one.NodeID != d.NodeID && !ok {
			d.Logger.Info("a node left the cluster for good", "member", one.NodeID, "how", one.String())
		}
	}
	var err error
	if changed {
		d.version++
		err = d.keepLocked()
	}
	own, left := d.list[d.NodeID]
	d.mu.Unlock()
	if err != nil {
		d.Fail(fmt.Errorf("record which nodes left the cluster: %w", err))
	}
	if left {
		d.Leave(own)
	}
}

// keepLocked writes the newest departures to the data directory.
func (d *Departures) keepLocked() error {
	all := slices.SortedFunc(maps.Values(d.list), func(x, y Departure) int {
		return cmp.Or(cmp.Compare(y.At, x.At), cmp.Compare(x.NodeID, y.NodeID))
	})
	for len(all) > maxDepartures {
		delete(d.list, all[len(all)-1].NodeID)
		delete(d.noted, all[len(all)-1].NodeID)
		all = all[:len(all)-1]
	}
	data, err := json.Marshal(departureList{all})
	if err != nil {
		return err
	}
	return d.Keep(data)
}

// Serve takes what another node knows, and answers with what this one knows.
func (d *Departures) Serve(_ context.Context, news departureList) (departureList, error) {
	d.Add(news.Departures...)
	news, _ = d.news()
	return news, nil
}

// Run watches raft's configuration and exchanges news with the other nodes until ctx ends.
func (d *Departures) Run(ctx context.Context) {
	d.told, d.failed, d.asking = make(map[string]int), make(map[string]time.Time), make(map[string]bool)
	d.servers = voters(d.Directory.Servers())
	defer d.asked.Wait()
	ticker := time.NewTicker(departureInterval)
	defer ticker.Stop()
	for {
		d.observe()
		d.forget()
		d.exchange(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// observe notes the servers that a committed configuration has no more. A configuration that a node without such an entry got in a snapshot
// is compared with the next one; the other nodes tell earlier.
func (d *Departures) observe() {
	for _, now := range d.Committed.take() {
		before, latest := d.servers, d.Directory.Servers()
		d.servers = now
		for _, s := range before {
			same := func(other raft.Server) bool { return other.ID == s.ID }
			// At a start the log is applied again. A node that left and came back under its id, as builds before this one allow, is in the latest
			// configuration.
			if string(s.ID) == d.NodeID || slices.ContainsFunc(now, same) || slices.ContainsFunc(latest, same) {
				continue
			}
			d.Add(Departure{NodeID: string(s.ID), At: time.Now().UnixMilli(), ReplacedBy: d.Successor(s, now)})
		}
	}
}

// voters returns the voters among servers. A vote is given only to a server that a committed configuration has, so a voter has joined, even
// if its configuration may still be taken back.
func voters(servers []raft.Server) []raft.Server {
	return slices.DeleteFunc(slices.Clone(servers), func(s raft.Server) bool { return s.Suffrage != raft.Voter })
}

// Successor returns the node that has the place of a server, "" if there is none.
func (d *Departures) Successor(gone raft.Server, servers []raft.Server) string {
	place, _ := Place(gone.Address)
	for _, s := range servers {
		if s.ID != gone.ID && string(s.Address) == place {
			return string(s.ID)
		}
	}
	for _, m := range d.Directory.Members() {
		if m.ID != string(gone.ID) && m.Eligible() && m.PeerAddr == place {
			return m.ID
		}
	}
	return ""
}

// forget lets gossip drop who will not come back: nodes that left for good, and those that ended before they joined.
func (d *Departures) forget() {
	servers := d.Directory.Servers()
	if len(servers) == 0 {
		return // there is no cluster yet, and everybody may be one of its founders
	}
	for _, m := range d.Directory.Members() {
		if m.Health == gossip.Alive || m.Self || d.Directory.Server(m.ID) != nil {
			continue
		}
		if _, left := d.Of(m.ID); left || time.Since(m.Since) > d.ForgetAfter {
			d.Gossip.Forget(m.ID)
		}
	}
}

// exchange tells each node what it was not told yet, and takes what it knows. Those that left for good and are still there are told as well.
func (d *Departures) exchange(ctx context.Context) {
	d.mu.Lock()
	version := d.version
	d.mu.Unlock()
	others := d.others()
	d.asks.Lock()
	defer d.asks.Unlock()
	maps.DeleteFunc(others, func(id, _ string) bool {
		return d.asking[id] || d.told[id] == version || time.Since(d.failed[id]) < exchangePause
	})
	if len(others) == 0 {
		return
	}
	list, complete := d.news()
	for id, addr := range others {
		d.asking[id] = true
		d.asked.Go(func() {
			told := d.tell(ctx, id, addr, list.Departures)
			d.asks.Lock()
			defer d.asks.Unlock()
			delete(d.asking, id)
			switch {
			case told && complete:
				d.told[id] = version
			case !told:
				d.failed[id] = time.Now()
			}
		})
	}
}

// reasonTime is how long the reason of a departure may take to arrive from the leader. A node that is told of its own departure ends with
// what it was told.
const reasonTime = 2 * time.Second

// news is All without the departures whose reason may still arrive. complete reports whether there are none.
func (d *Departures) news() (list departureList, complete bool) {
	all := d.All()
	d.mu.Lock()
	defer d.mu.Unlock()
	list.Departures = slices.DeleteFunc(slices.Clone(all), func(one Departure) bool {
		return one.By == "" && one.ReplacedBy == "" && time.Since(d.noted[one.NodeID]) < reasonTime
	})
	return list, len(list.Departures) == len(all)
}

// others returns where the servers and the live members are.
func (d *Departures) others() map[string]string {
	addrs := make(map[string]string)
	for _, s := range d.Directory.Servers() {
		addrs[string(s.ID)] = d.Directory.AddressOf(s.ID, s.Address)
	}
	for _, m := range d.Directory.Members() {
		if m.Eligible() {
			addrs[m.ID] = m.PeerAddr
		}
	}
	delete(addrs, d.NodeID)
	return addrs
}

// exchangePause is how long a node that did not answer is left alone.
const exchangePause = time.Second

// exchangeTimeout bounds how long a node has to answer.
const exchangeTimeout = 2 * time.Second

// tell reports whether a node was told.
func (d *Departures) tell(ctx context.Context, id, addr string, list []Departure) bool {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	answer, err := Exchange.Call(ctx, d.Client, addr, departureList{list})
	if fault.KindOf(err) == fault.Unsupported && err != nil { // an older build; if it left itself, it must stop all the same
		if _, left := d.Of(id); left {
			_, err = Leave.Call(ctx, d.Client, addr, id)
		} else {
			err = nil
		}
	}
	if err != nil {
		d.Logger.Debug("a node was not told who left the cluster", "member", id, "addr", addr, "err", err)
		return false
	}
	d.Add(answer.Departures...)
	return true
}

// TellGone tells a node that it left for good, so that it stops instead of waiting for a leader forever. A node that cannot be reached learns
// it when it comes back.
func (d *Departures) TellGone(ctx context.Context, id, addr string) {
	d.tell(ctx, id, addr, d.All())
}
