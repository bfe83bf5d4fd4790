package fsm

import "github.com/creditd/creditd/fsm/fields"

// sessionTTL is how long a session lives without a command, in ms of log time. After a longer silence, a node opens another session.
const sessionTTL = 3_600_000

// MaxSessionWindow is the number of unacknowledged commands that one session may have. It bounds the memory of a session.
const MaxSessionWindow = 1 << 17

// session stores the results of one node's calls until the node acknowledges them.
//
// Invariant: a call below base is never executed, and neither is a call of a session that has ended. No later session has its id.
type session struct {
	entityHeader
	id       uint64
	node     string
	lastSeen int64 // log time, Unix ms
	base     uint64
	window   []Retransmitted // of the calls from base on; nil Result: not executed yet
	stored   int             // results in the window
	place    int32           // in sessionStore.expiries
}

// sessionStore holds the sessions of all nodes.
type sessionStore struct {
	*core
	sessions map[uint64]*session
	expiries deadlines[*session]
	opened   uint64 // number of sessions ever opened; it is the id of the last one
}

func (n *session) deadline() int64 { return n.lastSeen + sessionTTL + 1 }

func (n *session) slot() *int32 { return &n.place }

func (n *session) sooner(o *session) bool {
	if n.lastSeen != o.lastSeen {
		return n.lastSeen < o.lastSeen
	}
	return n.id < o.id
}

func (t *sessionStore) addSession(n *session) {
	t.sessions[n.id] = n
	t.expiries.add(n)
	t.add(n)
}

// endSession removes a session.
func (t *sessionStore) endSession(n *session) {
	t.remove(n)
	delete(t.sessions, n.id)
}

// expire removes up to n sessions that were silent for too long.
func (t *sessionStore) expire(n int) { t.expiries.expire(t.clock, n, t.endSession) }

// maxUnusedSessions is how many sessions a node may have without a call. A node uses the session whose answer it gets. It never has more
// copies of an OpenSession under way.
const maxUnusedSessions = 16

// endOldestUnused removes the oldest unused session of a node if there are too many, because a node whose answers get lost opens one after
// the other. No call was executed in it, so a node that wants to use it opens another one.
func (t *sessionStore) endOldestUnused(node string) {
	var oldest *session
	unused := 0
	for _, n := range t.sessions { // order-free: a number and a minimum
		if n.node == node && n.base == 1 && n.stored == 0 {
			unused++
			if oldest == nil || n.id < oldest.id {
				oldest = n
			}
		}
	}
	if unused > maxUnusedSessions {
		t.expiries.remove(oldest)
		t.endSession(oldest)
	}
}

// acknowledge drops the results below the given number.
func (n *session) acknowledge(below uint64) {
	for n.base < below {
		if len(n.window) > 0 {
			if n.window[0].Result != nil {
				n.stored--
			}
			n.window[0] = Retransmitted{}
			n.window = n.window[1:]
			n.base++
			continue
		}
		n.base = below
	}
}

func (n *session) storeResult(at uint64, r Retransmitted) {
	for uint64(len(n.window)) <= at {
		n.window = append(n.window, Retransmitted{})
	}
	n.window[at] = r
	n.stored++
}

func (n *session) key() RecordKey { return sessionKey(n.id) }

func (n *session) record() Record {
	r := &SessionRecord{ID: n.id, Node: n.node, LastSeen: n.lastSeen, Base: n.base}
	for i, kept := range n.window {
		if kept.Result != nil {
			r.Results = append(r.Results, SessionResult{Seq: n.base + uint64(i), Index: kept.Index, Result: kept.Result})
		}
	}
	return r
}

// digest is computed for every command, so it hashes the fields without the visitor.
func (n *session) digest() Digest {
	h := fields.NewHasher(uint8(SessionKind))
	h.Word(n.id)
	h.String(n.node)
	h.Int(n.lastSeen)
	h.Word(n.base)
	h.Word(uint64(n.stored))
	return digestFrom(h.Sum())
}

func (t *sessionStore) loadSession(r *SessionRecord) bool {
	if r.ID == 0 || r.ID > t.opened || r.Base == 0 || t.sessions[r.ID] != nil {
		return false
	}
	n := &session{id: r.ID, node: r.Node, lastSeen: r.LastSeen, base: r.Base}
	for _, kept := range r.Results {
		at := kept.Seq - r.Base
		if kept.Seq < r.Base || at >= MaxSessionWindow || at < uint64(len(n.window)) || kept.Result == nil {
			return false
		}
		n.storeResult(at, Retransmitted{Result: kept.Result, Index: kept.Index})
	}
	t.addSession(n)
	return true
}

func (*session) resource() AuditResource { return AuditResource{} }
