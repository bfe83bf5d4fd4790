package gossip

import (
	"bytes"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// maxRemembered bounds the members that are kept although they are not alive.
const maxRemembered = 1024

// maxNotices bounds the log lines that wait for the watch loop.
const maxNotices = 64

// repeatConflict is how often the same conflict is logged.
const repeatConflict = time.Minute

// book is what callbacks write into and Members reads. It never blocks.
type book struct {
	self    string
	log     *slog.Logger
	changed chan struct{} // capacity 1
	kicked  chan struct{} // capacity 1: the watch loop has something to do

	mu        sync.Mutex
	own       []byte // encoded metadata of this node
	ownMeta   Meta
	records   map[string]*record
	leaving   map[string]bool      // said goodbye and is not gone yet
	warned    map[string]string    // member → foreign cluster logged
	conflicts map[string]time.Time // id → last logged
	notices   []notice
}

// record is a member with what is needed to judge it again.
type record struct {
	member Member
	meta   []byte // as received
}

// notice is a log line to be written outside of memberlist's locks.
type notice struct {
	level slog.Level
	text  string
	args  []any
}

func newBook(self string, meta Meta, log *slog.Logger) *book {
	return &book{
		self:      self,
		log:       log,
		changed:   make(chan struct{}, 1),
		kicked:    make(chan struct{}, 1),
		own:       meta.encode(),
		ownMeta:   meta,
		records:   make(map[string]*record),
		leaving:   make(map[string]bool),
		warned:    make(map[string]string),
		conflicts: make(map[string]time.Time),
	}
}

func (b *book) wake() {
	select {
	case b.kicked <- struct{}{}:
	default:
	}
}

func (b *book) announce() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
	b.wake()
}

func (b *book) setOwn(meta Meta) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.own, b.ownMeta = meta.encode(), meta
	for _, r := range b.records {
		b.judgeLocked(r)
	}
	b.announce()
}

func (b *book) ownBytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.own
}

// ownAddr returns the advertised address, once memberlist has started.
func (b *book) ownAddr() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.records[b.self]; r != nil {
		return r.member.GossipAddr
	}
	return ""
}

// alive notes that a member joined, came back or changed.
func (b *book) alive(id, addr string, meta []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.records[id]
	if r == nil {
		r = &record{member: Member{ID: id, Self: id == b.self, Health: Failed}}
		b.records[id] = r
		b.forgetLocked()
	}
	if r.member.Health != Alive {
		r.member.Health, r.member.Since = Alive, time.Now()
		delete(b.leaving, id)
	}
	r.member.GossipAddr = addr
	b.readLocked(r, meta)
	b.judgeLocked(r)
	b.announce()
}

// gone notes that a member stopped.
func (b *book) gone(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.records[id]
	if r == nil {
		return
	}
	r.member.Health, r.member.Since = Failed, time.Now()
	if b.leaving[id] {
		r.member.Health = Left
	}
	delete(b.leaving, id)
	b.announce()
}

// noteLeaving notes a goodbye. Only a known member can say it, which bounds
// the map.
func (b *book) noteLeaving(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.records[id]
	switch {
	case r == nil:
	case r.member.Health == Alive:
		b.leaving[id] = true
	case r.member.Health == Failed:
		// The goodbye was overtaken by the news of the end.
		r.member.Health = Left
		b.announce()
	}
}

func (b *book) readLocked(r *record, meta []byte) {
	if r.meta != nil && bytes.Equal(r.meta, meta) {
		return
	}
	r.meta = append([]byte{}, meta...)
	decoded, err := decodeMeta(meta)
	r.member.Meta, r.member.Unreadable = decoded, err != nil
	if err != nil {
		b.noticeLocked(notice{slog.LevelError, "member has metadata that this node cannot read: it is ignored",
			[]any{"member", r.member.ID, "addr", r.member.GossipAddr, "error", err}})
	}
}

// judgeLocked decides whether a member belongs to another cluster, and says
// so once for each cluster that it claims.
func (b *book) judgeLocked(r *record) {
	own, theirs := b.ownMeta.ClusterID, r.member.ClusterID
	r.member.Foreign = !r.member.Self && own != "" && theirs != "" && own != theirs
	if !r.member.Foreign || b.warned[r.member.ID] == theirs {
		return
	}
	b.warned[r.member.ID] = theirs
	b.noticeLocked(notice{slog.LevelError, "member belongs to another cluster: it will never be added; check its join list, label and gossip key",
		[]any{"member", r.member.ID, "addr", r.member.GossipAddr, "cluster", theirs, "own_cluster", own}})
}

func (b *book) conflict(id, known, other string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.conflicts[id]) < repeatConflict {
		return
	}
	if len(b.conflicts) >= maxRemembered {
		clear(b.conflicts)
	}
	b.conflicts[id] = time.Now()
	b.noticeLocked(notice{slog.LevelError, "two nodes have the same node id: one of them must be stopped and given a data directory of its own",
		[]any{"member", id, "addr", known, "other_addr", other}})
}

func (b *book) noticeLocked(n notice) {
	if len(b.notices) < maxNotices {
		b.notices = append(b.notices, n)
	}
	b.wake()
}

// flush writes the waiting log lines.
func (b *book) flush(log func(notice)) {
	b.mu.Lock()
	notices := b.notices
	b.notices = nil
	b.mu.Unlock()
	for _, n := range notices {
		log(n)
	}
}

// forgetLocked drops the member that has been gone the longest when too many
// are remembered.
func (b *book) forgetLocked() {
	if len(b.records) <= maxRemembered {
		return
	}
	var oldest *record
	for _, r := range b.records {
		if r.member.Health == Alive || r.member.Since.IsZero() {
			continue
		}
		if oldest == nil || r.member.Since.Before(oldest.member.Since) {
			oldest = r
		}
	}
	if oldest != nil {
		delete(b.records, oldest.member.ID)
		delete(b.warned, oldest.member.ID)
	}
}

func (b *book) members() []Member {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Member, 0, len(b.records))
	for _, id := range slices.Sorted(maps.Keys(b.records)) {
		out = append(out, b.records[id].member)
	}
	return out
}
