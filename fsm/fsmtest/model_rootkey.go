package fsmtest

import (
	"slices"

	"github.com/creditd/creditd/fsm"
)

func (t *Model) bootstrap(c *fsm.Bootstrap) fsm.Result {
	if t.clusterID != "" {
		return &fsm.Done{}
	}
	t.clusterID = c.ClusterID
	t.workspaces = append(t.workspaces, &workspace{id: c.WorkspaceID, name: c.WorkspaceName, createdAt: t.now})
	t.rootKeys = append(t.rootKeys, &rootKey{
		id: c.RootKeyID, name: "bootstrap", hash: c.RootKeyHash, workspace: c.WorkspaceID, permissions: firstPermissions(),
		createdAt: t.now, expires: fsm.Never,
	})
	return &fsm.Done{}
}

// firstPermissions are those of the first root key: what came later is not among them. See contract 7.2.
func firstPermissions() []string {
	return slices.DeleteFunc(fsm.AllPermissions(), func(p string) bool {
		return p == "api.*.verify_key_hash" || p == "import.*.write" || p == "export.*.read" || p == "backup.*.read"
	})
}

// EveryPermission returns the strings of contract 1.12 with "*" as the id.
func EveryPermission() []string {
	actions := map[string][]string{
		"api": {
			"create_api", "read_api", "delete_api", "create_key", "read_key", "update_key", "delete_key", "verify_key", "encrypt_key",
			"decrypt_key", "verify_key_hash",
		},
		"identity": {"create_identity", "read_identity", "update_identity", "delete_identity"},
		"cluster":  {"read", "operate"},
		"audit":    {"read"},
		"import":   {"write"},
		"export":   {"read"},
		"rbac": {
			"create_permission", "read_permission", "delete_permission", "create_role", "read_role", "delete_role",
			"add_permission_to_key", "remove_permission_from_key", "add_role_to_key", "remove_role_from_key",
			"add_permission_to_role", "remove_permission_from_role",
		},
		"ratelimit": {"limit", "create_namespace", "set_override", "read_override", "delete_override"},
	}
	var all []string
	for resource, list := range actions {
		for _, action := range list {
			all = append(all, resource+".*."+action)
		}
	}
	slices.Sort(all)
	return all
}

func (t *Model) createWorkspace(root *rootKey, c *fsm.CreateWorkspace) fsm.Result {
	if r := need(root, "cluster.*.operate"); r != nil {
		return r
	}
	if t.hasWorkspace(c.ID) {
		return refusal(fsm.IDTaken)
	}
	t.workspaces = append(t.workspaces, &workspace{id: c.ID, name: c.Name, createdAt: t.now})
	return &fsm.Created{ID: c.ID}
}

func (t *Model) hasWorkspace(id string) bool {
	return slices.ContainsFunc(t.workspaces, func(w *workspace) bool { return w.id == id })
}

func (t *Model) createRootKey(root *rootKey, c *fsm.CreateRootKey) fsm.Result {
	if r := need(root, "cluster.*.operate"); r != nil {
		return r
	}
	target := c.WorkspaceID
	if target == "" {
		target = root.workspace
	}
	if !t.hasWorkspace(target) {
		return refusal(fsm.WorkspaceNotFound)
	}
	if slices.ContainsFunc(t.rootKeys, func(r *rootKey) bool { return r.id == c.ID }) || t.hashTaken(c.Hash) {
		return refusal(fsm.IDTaken)
	}
	t.rootKeys = append(t.rootKeys, &rootKey{
		id: c.ID, name: c.Name, hash: c.Hash, workspace: target, permissions: slices.Clone(c.Permissions),
		createdAt: t.now, expires: c.Expires,
	})
	return &fsm.Created{ID: c.ID, Nonce: c.Nonce}
}
