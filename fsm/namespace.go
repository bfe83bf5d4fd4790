package fsm

import "strings"

// rateLimits holds the namespaces, their overrides, and the windows of all rate limits.
type rateLimits struct {
	*core
	tenants         *tenancy
	namespaces      map[string]*namespace
	namespaceByName map[namespaceRef]*namespace
	overrides       map[string]*override
	windows         lookup[windowName, *window] // present ones, and dropped ones that a snapshot has not covered yet
	expiries        deadlines[*window]          // present ones
	dropped         []*window                   // dropped ones, oldest first
	mostWindows     uint64                      // see LimitWindows
}

// namespace groups the identifiers of ratelimit.limit, and their overrides. See contract 2.6.
type namespace struct {
	entityHeader
	id        string
	name      string
	workspace *workspace
	createdAt int64
	deleted   bool
	list      ordered[*override]
	exact     map[string]*override // all of them, by identifier
	patterns  []pattern            // those with a *, most specific first
	searching int                  // patterns that search a text
}

// namespaceRef is the name that a workspace uses for a namespace.
type namespaceRef struct{ workspaceID, name string }

// override replaces limit and duration for the identifiers that it matches.
type override struct {
	entityHeader
	id         string
	namespace  *namespace
	identifier string // may contain *, which matches any text
	limit      int64  // 0: always denied [D-12]
	duration   int64  // ms
	createdAt  int64
}

// findNamespace finds a namespace of the caller's workspace by id, or else by name. It may be deleted.
func (l *rateLimits) findNamespace(root *rootKey, ref string) *namespace {
	if n := l.namespaces[ref]; n != nil && n.workspace == root.workspace {
		return n
	}
	return l.namespaceByName[namespaceRef{root.workspace.id, ref}]
}

// permittedNamespace finds a namespace that is not deleted and then checks the permission on it: see contract 1.13 for the order.
func (l *rateLimits) permittedNamespace(root *rootKey, ref string, p RootPermission) (*namespace, *Refusal) {
	n := l.findNamespace(root, ref)
	if n == nil || n.deleted {
		return nil, refuse(RatelimitNamespaceNotFound)
	}
	if !root.may(p, n.id) {
		return n, p.missing(n.id)
	}
	return n, nil
}

func (l *rateLimits) addNamespace(n *namespace) {
	n.exact = make(map[string]*override)
	l.namespaces[n.id] = n
	n.workspace.used[NamespacesQuota]++
	l.namespaceByName[namespaceRef{n.workspace.id, n.name}] = n
	l.add(n)
}

func (l *rateLimits) addOverride(o *override) {
	n := o.namespace
	l.overrides[o.id] = o
	n.workspace.used[OverridesQuota]++
	n.exact[o.identifier] = o
	n.list.insert(o)
	if o.wild() {
		n.addPattern(o)
	}
	l.add(o)
}

func (o *override) show() Override {
	return Override{ID: o.id, Identifier: o.identifier, Limit: o.limit, Duration: o.duration}
}

func (o *override) wild() bool { return strings.Contains(o.identifier, "*") }

func (n *namespace) key() RecordKey { return RecordKey{NamespaceKind, n.id} }

func (o *override) key() RecordKey { return RecordKey{OverrideKind, o.id} }

func (n *namespace) record() Record {
	return &NamespaceRecord{ID: n.id, Name: n.name, WorkspaceID: n.workspace.id, CreatedAt: n.createdAt, Deleted: n.deleted}
}

func (o *override) record() Record {
	return &OverrideRecord{
		ID: o.id, NamespaceID: o.namespace.id, Identifier: o.identifier, Limit: o.limit, Duration: o.duration, CreatedAt: o.createdAt,
	}
}

func (n *namespace) digest() Digest { return digestOf(n.record()) }

func (o *override) digest() Digest { return digestOf(o.record()) }

func (l *rateLimits) loadNamespace(r *NamespaceRecord) bool {
	w := l.tenants.workspaces[r.WorkspaceID]
	if w == nil || l.namespaces[r.ID] != nil || l.namespaceByName[namespaceRef{r.WorkspaceID, r.Name}] != nil {
		return false
	}
	l.addNamespace(&namespace{id: r.ID, name: r.Name, workspace: w, createdAt: r.CreatedAt, deleted: r.Deleted})
	return true
}

func (l *rateLimits) loadOverride(r *OverrideRecord) bool {
	n := l.namespaces[r.NamespaceID]
	if n == nil || l.overrides[r.ID] != nil || n.exact[r.Identifier] != nil || r.Limit < 0 || r.Duration < minDuration {
		return false
	}
	l.addOverride(&override{
		id: r.ID, namespace: n, identifier: r.Identifier, limit: r.Limit, duration: r.Duration, createdAt: r.CreatedAt,
	})
	return true
}

func (n *namespace) resource() AuditResource { return AuditResource{NamespaceResource, n.id} }

func (o *override) resource() AuditResource { return AuditResource{OverrideResource, o.id} }
