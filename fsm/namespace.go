package fsm

import (
	"slices"
	"strings"
)

var (
	limitPermission           = permission{"ratelimit", "limit"}
	createNamespacePermission = permission{"ratelimit", "create_namespace"}
	setOverridePermission     = permission{"ratelimit", "set_override"}
	readOverridePermission    = permission{"ratelimit", "read_override"}
	deleteOverridePermission  = permission{"ratelimit", "delete_override"}
)

// namespace groups the identifiers that ratelimit.limit counts, and their overrides. See contract 2.6.
type namespace struct {
	head
	id        string
	name      string
	workspace *workspace
	createdAt int64
	deleted   bool
	byID      []*override          // by id
	exact     map[string]*override // by identifier: all of them
	patterns  []*override          // those with a *, the most specific first
}

// namespaceRef is the name under which a workspace knows a namespace.
type namespaceRef struct{ workspaceID, name string }

// override replaces limit and duration of the identifiers that it matches.
type override struct {
	head
	id         string
	namespace  *namespace
	identifier string // may contain *, which stands for any text
	limit      int64  // 0: always denied [D-12]
	duration   int64  // ms
	createdAt  int64
}

// NamespaceRecord is a namespace at rest.
type NamespaceRecord struct {
	ID          string
	Name        string
	WorkspaceID string
	CreatedAt   int64
	Deleted     bool
}

// OverrideRecord is an override at rest.
type OverrideRecord struct {
	ID          string
	NamespaceID string
	Identifier  string
	Limit       int64
	Duration    int64 // ms
	CreatedAt   int64
}

// SetOverride replaces limit and duration for identifiers of a namespace. See contract 2.6.
type SetOverride struct {
	ID         string // of a new one; an identifier that has one keeps its id
	Namespace  string // id or name
	Identifier string // may contain *
	Limit      int64
	Duration   int64 // ms
}

// DeleteOverride removes the override of exactly this identifier. See contract 2.6.
type DeleteOverride struct {
	Namespace  string // id or name
	Identifier string
}

// GetOverride asks for the override that holds for an identifier. See contract 2.6.
type GetOverride struct {
	Namespace  string // id or name
	Identifier string
}

// ListOverrides asks for a page of the overrides of a namespace. See contract 1.14 and 2.6.
type ListOverrides struct {
	Namespace string // id or name
	Cursor    string // lowest id
	Limit     int64  // at least 1
}

// Override is what ratelimit.getOverride shows.
type Override struct {
	ID         string
	Identifier string
	Limit      int64
	Duration   int64 // ms
}

// Overrides is a page of them, in the order of their ids.
type Overrides struct {
	List []Override
	Next string // id of the first one of the next page; empty: there is none
}

// findNamespace finds a namespace of the caller's workspace by id, else by name. It may be a deleted one.
func (s *State) findNamespace(root *rootKey, ref string) *namespace {
	if n := s.namespaces[ref]; n != nil && n.workspace == root.workspace {
		return n
	}
	return s.namespaceByName[namespaceRef{root.workspace.id, ref}]
}

// permittedNamespace finds a live namespace and then checks the permission on it: see contract 1.13 for that order.
func (s *State) permittedNamespace(root *rootKey, ref string, p permission) (*namespace, *Refusal) {
	n := s.findNamespace(root, ref)
	if n == nil || n.deleted {
		return nil, refuse(RatelimitNamespaceNotFound)
	}
	if !root.may(p, n.id) {
		return n, p.missing(n.id)
	}
	return n, nil
}

func (s *State) addNamespace(n *namespace) {
	n.exact = make(map[string]*override)
	s.namespaces[n.id] = n
	s.namespaceByName[namespaceRef{n.workspace.id, n.name}] = n
	s.added(n)
}

func (s *State) setOverride(root *rootKey, c *SetOverride) Result {
	n, refusal := s.permittedNamespace(root, c.Namespace, setOverridePermission)
	if refusal != nil {
		return refusal
	}
	if c.Limit < 0 || c.Duration < minDuration {
		return invalid("limit must not be negative, and duration must be at least 1000")
	}
	if o := n.exact[c.Identifier]; o != nil {
		s.change(o)
		o.limit, o.duration = c.Limit, c.Duration
		s.changed(o)
		return &Created{ID: o.id}
	}
	if s.overrides[c.ID] != nil {
		return refuse(IDTaken)
	}
	s.addOverride(&override{
		id: c.ID, namespace: n, identifier: c.Identifier, limit: c.Limit, duration: c.Duration, createdAt: s.clock,
	})
	return &Created{ID: c.ID}
}

func (s *State) addOverride(o *override) {
	n := o.namespace
	s.overrides[o.id] = o
	n.exact[o.identifier] = o
	at, _ := slices.BinarySearchFunc(n.byID, o.id, compareID)
	n.byID = slices.Insert(n.byID, at, o)
	if o.wild() {
		at, _ := slices.BinarySearchFunc(n.patterns, o, moreSpecific)
		n.patterns = slices.Insert(n.patterns, at, o)
	}
	s.added(o)
}

func (s *State) deleteOverride(root *rootKey, c *DeleteOverride) Result {
	n, refusal := s.permittedNamespace(root, c.Namespace, deleteOverridePermission)
	if refusal != nil {
		return refusal
	}
	o := n.exact[c.Identifier]
	if o == nil {
		return refuse(RatelimitOverrideNotFound)
	}
	s.remove(o)
	delete(s.overrides, o.id)
	delete(n.exact, o.identifier)
	same := func(other *override) bool { return other == o }
	n.byID = slices.DeleteFunc(n.byID, same)
	n.patterns = slices.DeleteFunc(n.patterns, same)
	return done
}

// getOverride hides an override from a caller who may not read it: see contract 1.13.
func (s *State) getOverride(root *rootKey, q *GetOverride) Result {
	n, refusal := s.permittedNamespace(root, q.Namespace, readOverridePermission)
	if n == nil {
		return refusal
	}
	o := n.overrideOf(q.Identifier)
	if o == nil || refusal != nil {
		return refuse(RatelimitOverrideNotFound)
	}
	shown := o.show()
	return &shown
}

func (s *State) listOverrides(root *rootKey, q *ListOverrides) Result {
	n, refusal := s.permittedNamespace(root, q.Namespace, readOverridePermission)
	if refusal != nil {
		return refusal
	}
	from, _ := slices.BinarySearchFunc(n.byID, q.Cursor, compareID)
	page := &Overrides{}
	for _, o := range n.byID[from:] {
		if int64(len(page.List)) >= q.Limit {
			page.Next = o.id
			break
		}
		page.List = append(page.List, o.show())
	}
	return page
}

func (o *override) show() Override {
	return Override{ID: o.id, Identifier: o.identifier, Limit: o.limit, Duration: o.duration}
}

func compareID(o *override, id string) int { return strings.Compare(o.id, id) }

// moreSpecific orders patterns: longer ones first.
func moreSpecific(a, b *override) int {
	if len(a.identifier) != len(b.identifier) {
		return len(b.identifier) - len(a.identifier)
	}
	return strings.Compare(a.identifier, b.identifier)
}

func (o *override) wild() bool { return strings.Contains(o.identifier, "*") }

// overrideOf is the override that holds for an identifier: its own, else the most specific pattern that matches. nil: none.
func (n *namespace) overrideOf(identifier string) *override {
	if o := n.exact[identifier]; o != nil {
		return o
	}
	for _, o := range n.patterns {
		if matches(o.identifier, identifier) {
			return o
		}
	}
	return nil
}

// matches reports whether text has the form of pattern, in which each * stands for any text. Taking the first place for each part
// is enough, so the work is that of one search per part.
func matches(pattern, text string) bool {
	first, rest, _ := strings.Cut(pattern, "*")
	if !strings.HasPrefix(text, first) {
		return false
	}
	text = text[len(first):]
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, part)
		}
		_, found, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text, rest = found, after
	}
}

func (n *namespace) key() RecordKey { return RecordKey{NamespaceKind, n.id} }
func (o *override) key() RecordKey  { return RecordKey{OverrideKind, o.id} }

func (n *namespace) record() Record {
	return &NamespaceRecord{ID: n.id, Name: n.name, WorkspaceID: n.workspace.id, CreatedAt: n.createdAt, Deleted: n.deleted}
}

func (o *override) record() Record {
	return &OverrideRecord{
		ID: o.id, NamespaceID: o.namespace.id, Identifier: o.identifier, Limit: o.limit, Duration: o.duration, CreatedAt: o.createdAt,
	}
}

func (n *namespace) digest() Digest { return digestOf(n.record()) }
func (o *override) digest() Digest  { return digestOf(o.record()) }

func (r *NamespaceRecord) fold(h *hasher) {
	h.string(r.ID)
	h.string(r.Name)
	h.string(r.WorkspaceID)
	h.int(r.CreatedAt)
	h.bool(r.Deleted)
}

func (r *OverrideRecord) fold(h *hasher) {
	h.string(r.ID)
	h.string(r.NamespaceID)
	h.string(r.Identifier)
	h.int(r.Limit)
	h.int(r.Duration)
	h.int(r.CreatedAt)
}

func (s *State) loadNamespace(r *NamespaceRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	if w == nil || s.namespaces[r.ID] != nil || s.namespaceByName[namespaceRef{r.WorkspaceID, r.Name}] != nil {
		return false
	}
	s.addNamespace(&namespace{id: r.ID, name: r.Name, workspace: w, createdAt: r.CreatedAt, deleted: r.Deleted})
	return true
}

func (s *State) loadOverride(r *OverrideRecord) bool {
	n := s.namespaces[r.NamespaceID]
	if n == nil || s.overrides[r.ID] != nil || n.exact[r.Identifier] != nil || r.Limit < 0 || r.Duration < minDuration {
		return false
	}
	s.addOverride(&override{
		id: r.ID, namespace: n, identifier: r.Identifier, limit: r.Limit, duration: r.Duration, createdAt: r.CreatedAt,
	})
	return true
}
