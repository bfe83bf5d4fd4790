package fsmtest

import "github.com/creditd/creditd/fsm"

// room is contract 7.2: nobody has more of something than the quota of the workspace, whatever became of it.
func (t *Model) room(root *rootKey, more fsm.Usage) fsm.Result {
	w := t.workspaceOf(root)
	used := t.usage(w)
	for kind, q := range w.quotas {
		if q.Limited && more[kind] > 0 && used[kind]+more[kind] > q.Limit {
			return overQuota()
		}
	}
	return nil
}

func overQuota() fsm.Result { return &fsm.Refusal{Code: fsm.QuotaExceeded, RetryAfter: 60} }

func (t *Model) workspaceOf(root *rootKey) *workspace { return t.workspaceNamed(root.workspace) }

func (t *Model) workspaceNamed(id string) *workspace {
	if w := first(t.workspaces, func(w *workspace) bool { return w.id == id }); w != nil {
		return w
	}
	panic("fsmtest: something without a workspace")
}

// usage counts what a workspace has, deleted things included.
func (t *Model) usage(w *workspace) (used fsm.Usage) {
	for _, k := range t.keys {
		if t.apiOf(k).workspace == w.id {
			used[fsm.KeysQuota]++
		}
	}
	for _, i := range t.identities {
		if i.workspace == w.id {
			used[fsm.IdentitiesQuota]++
		}
	}
	for _, a := range t.apis {
		if a.workspace == w.id {
			used[fsm.APIsQuota]++
		}
	}
	for _, id := range t.permissionIDs {
		if t.givenIn[id] == w.id {
			used[fsm.PermissionsQuota]++
		}
	}
	for _, id := range t.roleIDs {
		if t.givenIn[id] == w.id {
			used[fsm.RolesQuota]++
		}
	}
	for _, n := range t.namespaces {
		if n.workspace == w.id {
			used[fsm.NamespacesQuota]++
			used[fsm.OverridesQuota] += int64(len(n.overrides))
		}
	}
	for _, c := range t.validCalls() {
		if c.workspace == w.id {
			used[fsm.OutcomesQuota] += weight(c.answer.Result)
		}
	}
	return used
}

// makesIdentity is how many identities a link makes.
func (t *Model) makesIdentity(root *rootKey, externalID string) int64 {
	if externalID == "" || t.identityByExternalID(root, externalID) != nil {
		return 0
	}
	return 1
}

// changed returns the quotas after the changes; ok false: one is no quota.
func changed(q fsm.Quotas, changes fsm.QuotaChanges) (after fsm.Quotas, ok bool) {
	for kind, c := range changes {
		switch {
		case c.State == fsm.Null:
			q[kind] = fsm.Quota{}
		case c.State == fsm.Given && (c.Value < 0 || c.Value == 0 && fsm.QuotaKind(kind) == fsm.RequestsQuota):
			return q, false
		case c.State == fsm.Given:
			q[kind] = fsm.Quota{Limited: true, Limit: c.Value}
		}
	}
	return q, true
}
