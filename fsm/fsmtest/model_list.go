package fsmtest

import (
	"slices"
	"strings"

	"github.com/creditd/creditd/fsm"
)

// deleteAPI is contract 2.2: the permission first.
func (t *Model) deleteAPI(root *rootKey, c *fsm.DeleteAPI) fsm.Result {
	if r := need(root, either("api", c.APIID, "delete_api")...); r != nil {
		return r
	}
	a := t.findAPI(root, c.APIID)
	if a == nil {
		return refusal(fsm.APINotFound)
	}
	if a.protected {
		return refusal(fsm.APIProtected)
	}
	a.deleted = true
	return &fsm.Done{}
}

func (t *Model) revokeRootKey(root *rootKey, c *fsm.RevokeRootKey) fsm.Result {
	if r := need(root, "cluster.*.operate"); r != nil {
		return r
	}
	if root.id == c.KeyID {
		return refusal(fsm.PreconditionFailed)
	}
	before := len(t.rootKeys)
	t.rootKeys = slices.DeleteFunc(t.rootKeys, func(r *rootKey) bool { return r.id == c.KeyID })
	if len(t.rootKeys) == before {
		return refusal(fsm.KeyNotFound)
	}
	return &fsm.Done{}
}

func (t *Model) updateWorkspace(root *rootKey, c *fsm.UpdateWorkspace) fsm.Result {
	if r := need(root, "cluster.*.operate"); r != nil {
		return r
	}
	for _, w := range t.workspaces {
		if w.id != c.WorkspaceID {
			continue
		}
		if w.id == root.workspace && !c.Enabled && !c.KeepEnabled {
			return refusal(fsm.PreconditionFailed)
		}
		quotas, ok := changed(w.quotas, c.Quotas)
		if !ok {
			return refusal(fsm.InvalidInput)
		}
		w.quotas = quotas
		if !c.KeepEnabled {
			w.disabled = !c.Enabled
		}
		return &fsm.Done{}
	}
	return refusal(fsm.WorkspaceNotFound)
}

// paged sorts everything and cuts the page out: contract 1.14.
func paged[T any](all []T, p fsm.Page, id func(T) string) (list []T, next string) {
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(id(a), id(b)) })
	for _, v := range all {
		switch {
		case id(v) < p.Cursor:
		case len(list) < p.Limit:
			list = append(list, v)
		case next == "":
			next = id(v)
		}
	}
	return list, next
}

// listKeys is contract 2.2.
func (t *Model) listKeys(root *rootKey, q *fsm.ListKeys) fsm.Result {
	if t.findAPI(root, q.APIID) == nil || need(root, either("api", q.APIID, "read_key")...) != nil ||
		need(root, either("api", q.APIID, "read_api")...) != nil {
		return refusal(fsm.APINotFound)
	}
	if q.Decrypt {
		if r := need(root, either("api", q.APIID, "decrypt_key")...); r != nil {
			return r
		}
		return refusal(fsm.PreconditionFailed)
	}
	var all []fsm.Key
	for _, k := range t.keys {
		if k.deleted || k.ended || k.api != q.APIID {
			continue
		}
		if i := t.identityOf(k); q.ExternalID == "" || i != nil && i.externalID == q.ExternalID {
			all = append(all, *t.shownKey(k))
		}
	}
	list, next := paged(all, q.Page, func(k fsm.Key) string { return k.ID })
	return &fsm.Keys{List: list, Next: next}
}

// listAPIs is contract 7.2 and 1.14.
func (t *Model) listAPIs(root *rootKey, q *fsm.ListAPIs) fsm.Result {
	if r := need(root, "api.*.read_api"); r != nil {
		return r
	}
	search := strings.ToLower(strings.TrimSpace(q.Search))
	var all []fsm.API
	for _, a := range t.apis {
		if a.deleted || a.workspace != root.workspace {
			continue
		}
		if strings.Contains(strings.ToLower(a.id), search) || strings.Contains(strings.ToLower(a.name), search) {
			all = append(all, fsm.API{ID: a.id, Name: a.name})
		}
	}
	list, next := paged(all, q.Page, func(a fsm.API) string { return a.ID })
	return &fsm.APIs{List: list, Next: next}
}

// listIdentities is contract 2.4 and 1.14.
func (t *Model) listIdentities(root *rootKey, q *fsm.ListIdentities) fsm.Result {
	search := strings.ToLower(strings.TrimSpace(q.Search))
	var all []fsm.Identity
	for _, i := range t.identities {
		if i.deleted || i.workspace != root.workspace {
			continue
		}
		if strings.Contains(strings.ToLower(i.id), search) || strings.Contains(strings.ToLower(i.externalID), search) {
			all = append(all, *i.shown())
		}
	}
	list, next := paged(all, q.Page, func(i fsm.Identity) string { return i.ID })
	for _, i := range list {
		if r := need(root, either("identity", i.ID, "read_identity")...); r != nil {
			return r
		}
	}
	return &fsm.Identities{List: list, Next: next}
}

func (t *Model) listRootKeys(root *rootKey, q *fsm.ListRootKeys) fsm.Result {
	if r := need(root, "cluster.*.operate"); r != nil {
		return r
	}
	var all []fsm.RootKey
	for _, r := range t.rootKeys {
		all = append(all, showRootKey(r))
	}
	list, next := paged(all, q.Page, func(r fsm.RootKey) string { return r.ID })
	return &fsm.RootKeys{List: list, Next: next}
}

func showRootKey(r *rootKey) fsm.RootKey {
	shown := fsm.RootKey{
		ID: r.id, Name: r.name, WorkspaceID: r.workspace, CreatedAt: r.createdAt,
		Expires: r.expires, Enabled: true,
	}
	shown.Permissions = append(shown.Permissions, r.permissions...)
	slices.Sort(shown.Permissions)
	shown.Permissions = slices.Compact(shown.Permissions)
	return shown
}

func (t *Model) listWorkspaces(root *rootKey, q *fsm.ListWorkspaces) fsm.Result {
	if r := need(root, "cluster.*.operate"); r != nil {
		return r
	}
	var all []fsm.Workspace
	for _, w := range t.workspaces {
		all = append(all, fsm.Workspace{ID: w.id, Name: w.name, CreatedAt: w.createdAt, Enabled: !w.disabled, Quotas: w.quotas, Used: t.usage(w)})
	}
	list, next := paged(all, q.Page, func(w fsm.Workspace) string { return w.ID })
	return &fsm.Workspaces{List: list, Next: next}
}
