package gossip

import (
	"bytes"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/creditd/creditd/cluster/generation"
)

// maxRemembered bounds the members in the table that are not alive.
const maxRemembered = 1024

// maxNotices bounds the log lines that wait for the watch loop.
const maxNotices = 64

// repeatConflict is the pause before the same conflict is logged again.
const repeatConflict = time.Minute

// memberTable has the members: callbacks write it, and Members reads it. It never blocks.
type memberTable struct {
	self    string
	log     *slog.Logger
	changed chan struct{} // capacity 1
	kicked  chan struct{} // capacity 1: the watch loop has something to do

	mu        sync.Mutex
	own       []byte // encoded metadata of this node
	ownMeta   Meta
	records   map[string]*memberRecord
	living    int                  // of them
	leaving   map[string]bool      // members that announced that they leave, and are still there
	warned    map[string]string    // member → foreign cluster that was logged
	conflicts map[string]time.Time // id → when its conflict was last logged
	notices   []logNotice
}

// memberRecord is a member and its metadata.
type memberRecord struct {
	member Member
	meta   []byte // as received
}

// logNotice is a log line that is written later, outside of memberlist's locks.
type logNotice struct {
	level slog.Level
	text  string
	args  []any
}

func newTable(self string, meta Meta, log *slog.Logger) *memberTable {
	return &memberTable{
		self:      self,
		log:       log,
		changed:   make(chan struct{}, 1),
		kicked:    make(chan struct{}, 1),
		own:       meta.encode(),
		ownMeta:   meta,
		records:   make(map[string]*memberRecord),
		leaving:   make(map[string]bool),
		warned:    make(map[string]string),
		conflicts: make(map[string]time.Time),
	}
}

func (t *memberTable) wake() {
	select {
	case t.kicked <- struct{}{}:
	default:
	}
}

func (t *memberTable) announce() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
	t.wake()
}

func (t *memberTable) setOwn(meta Meta) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.own, t.ownMeta = meta.encode(), meta
	for _, r := range t.records {
		t.updateForeignLocked(r)
	}
	t.announce()
}

func (t *memberTable) ownBytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.own
}

// ownAddr returns the advertised address after memberlist has started.
func (t *memberTable) ownAddr() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.records[t.self]; r != nil {
		return r.member.GossipAddr
	}
	return ""
}

// knows reports whether a member is listed, and how many are alive.
func (t *memberTable) knows(id string) (known bool, alive int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.records[id] != nil, t.living
}

// alive records that a member joined, came back or changed.
func (t *memberTable) alive(id, addr string, meta []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[id]
	if r == nil {
		r = &memberRecord{member: Member{ID: id, Self: id == t.self, Health: Failed}}
		t.records[id] = r
		t.forgetLocked()
	}
	if r.member.Health != Alive {
		if !r.member.Since.IsZero() {
			t.noticeLocked(logNotice{slog.LevelInfo, "a member is back", []any{"member", id, "addr", addr, "was", r.member.Health.String()}})
		}
		r.member.Health, r.member.Since = Alive, time.Now()
		t.living++
		delete(t.leaving, id)
	}
	r.member.GossipAddr = addr
	t.readLocked(r, meta)
	t.updateForeignLocked(r)
	t.announce()
}

// gone records that a member left or failed.
func (t *memberTable) gone(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[id]
	if r == nil {
		return
	}
	if r.member.Health == Alive {
		t.living--
	}
	r.member.Health, r.member.Since = Failed, time.Now()
	if t.leaving[id] {
		r.member.Health = Left
	}
	delete(t.leaving, id)
	t.announce()
}

// forget drops a member that is not alive. Whatever gossip still says of its end is ignored.
func (t *memberTable) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.records[id]; r == nil || r.member.Health == Alive || id == t.self {
		return
	}
	delete(t.records, id)
	delete(t.leaving, id)
	delete(t.warned, id)
	t.announce()
}

// noteLeaving records a leave message. Messages of unknown members are ignored, which bounds the map.
func (t *memberTable) noteLeaving(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[id]
	switch {
	case r == nil:
	case r.member.Health == Alive:
		t.leaving[id] = true
	case r.member.Health == Failed:
		// The news of the end arrived before the leave message.
		r.member.Health = Left
		t.announce()
	}
}

func (t *memberTable) readLocked(r *memberRecord, meta []byte) {
	if r.meta != nil && bytes.Equal(r.meta, meta) {
		return
	}
	r.meta = append([]byte{}, meta...)
	decoded, err := decodeMeta(meta)
	r.member.Meta, r.member.Unreadable = decoded, err != nil
	if err != nil {
		t.noticeLocked(logNotice{slog.LevelError, "member has metadata that this node cannot read: it is ignored",
			[]any{"member", r.member.ID, "addr", r.member.GossipAddr, "error", err}})
	}
}

// updateForeignLocked decides whether a member belongs to another cluster. It logs each foreign cluster of a member once.
func (t *memberTable) updateForeignLocked(r *memberRecord) {
	own, theirs := t.ownMeta.ClusterID, r.member.ClusterID
	r.member.Foreign = !r.member.Self && own != "" && theirs != "" && own != theirs
	if !r.member.Foreign || t.warned[r.member.ID] == theirs {
		return
	}
	t.warned[r.member.ID] = theirs
	if ours := generation.Parse(own); ours.Base == generation.Parse(theirs).Base {
		t.noticeLocked(logNotice{slog.LevelError, "member belongs to another generation of this cluster, which was recovered: it will never be added with its data; empty the data directory of whichever is the older",
			[]any{"member", r.member.ID, "addr", r.member.GossipAddr, "generation", generation.Parse(theirs).Generation(), "own_generation", ours.Generation()}})
		return
	}
	t.noticeLocked(logNotice{slog.LevelError, "member belongs to another cluster: it will never be added; check its join list, label and gossip key",
		[]any{"member", r.member.ID, "addr", r.member.GossipAddr, "cluster", theirs, "own_cluster", own}})
}

func (t *memberTable) conflict(id, known, other string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.conflicts[id]) < repeatConflict {
		return
	}
	if len(t.conflicts) >= maxRemembered {
		clear(t.conflicts)
	}
	t.conflicts[id] = time.Now()
	t.noticeLocked(logNotice{slog.LevelError, "two nodes have the same node id: one of them must be stopped and given a data directory of its own",
		[]any{"member", id, "addr", known, "other_addr", other}})
}

func (t *memberTable) noticeLocked(n logNotice) {
	if len(t.notices) < maxNotices {
		t.notices = append(t.notices, n)
	}
	t.wake()
}

// flush writes the waiting log lines.
func (t *memberTable) flush(log func(logNotice)) {
	t.mu.Lock()
	notices := t.notices
	t.notices = nil
	t.mu.Unlock()
	for _, n := range notices {
		log(n)
	}
}

// forgetLocked drops the member that has been gone for the longest time if the table has too many.
func (t *memberTable) forgetLocked() {
	if len(t.records) <= maxRemembered {
		return
	}
	var oldest *memberRecord
	for _, r := range t.records {
		if r.member.Health == Alive || r.member.Since.IsZero() {
			continue
		}
		if oldest == nil || r.member.Since.Before(oldest.member.Since) {
			oldest = r
		}
	}
	if oldest != nil {
		delete(t.records, oldest.member.ID)
		delete(t.warned, oldest.member.ID)
	}
}

func (t *memberTable) members() []Member {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Member, 0, len(t.records))
	for _, id := range slices.Sorted(maps.Keys(t.records)) {
		out = append(out, t.records[id].member)
	}
	return out
}
