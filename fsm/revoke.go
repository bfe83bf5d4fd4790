package fsm

// DeleteAPI hides an API and all of its keys. See contract 2.2.
type DeleteAPI struct{ APIID string }

// RevokeRootKey ends a root key of any workspace. See contract 7.2.
type RevokeRootKey struct{ KeyID string }

// UpdateWorkspace enables or disables a workspace. See contract 7.2.
type UpdateWorkspace struct {
	WorkspaceID string
	Enabled     bool
}

// revokeRootKey removes a root key for good. The calling one stays, so that whoever operates the cluster cannot lock everybody
// out: the key that does away with the others is always left.
func (s *State) revokeRootKey(root *rootKey, c *RevokeRootKey) Result {
	if !root.may(operateClusterPermission, "") {
		return operateClusterPermission.missing("")
	}
	r := s.rootKeys[c.KeyID]
	if r == nil {
		return refuse(KeyNotFound)
	}
	if r == root {
		return &Refusal{Code: PreconditionFailed, Detail: "A root key cannot revoke itself: use another one"}
	}
	s.remove(r)
	delete(s.rootKeys, r.id)
	delete(s.rootByHash, r.hash)
	s.rootKeyList.remove(r)
	return done
}

// updateWorkspace refuses to disable the caller's own workspace, from which nobody could enable it again.
func (s *State) updateWorkspace(root *rootKey, c *UpdateWorkspace) Result {
	if !root.may(operateClusterPermission, "") {
		return operateClusterPermission.missing("")
	}
	w := s.workspaces[c.WorkspaceID]
	if w == nil {
		return refuse(WorkspaceNotFound)
	}
	if w == root.workspace && !c.Enabled {
		return &Refusal{Code: PreconditionFailed, Detail: "A workspace cannot be disabled by its own root keys"}
	}
	s.change(w)
	w.enabled = c.Enabled
	s.changed(w)
	return done
}
