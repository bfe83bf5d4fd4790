package fsm

// workspace is a tenant. Nothing in it is visible from another one.
type workspace struct {
	head
	id        string
	name      string
	createdAt int64
	enabled   bool

	identities ordered[*identity] // its identities that are not deleted
	slugs      ordered[*slug]     // and permissions
	roles      ordered[*role]     // and roles
	audit      *auditLog          // nil: no entries
}

// bootstrap gives an empty ledger its identity; see Bootstrap.
func (s *State) bootstrap(c *Bootstrap) Result {
	if s.clusterID != "" {
		return done
	}
	s.clusterID = c.ClusterID
	w := &workspace{id: c.WorkspaceID, name: c.WorkspaceName, createdAt: s.clock, enabled: true}
	s.addWorkspace(w)
	s.addRootKey(&rootKey{
		id: c.RootKeyID, hash: c.RootKeyHash, name: "bootstrap", workspace: w, permissions: permissionSet(AllPermissions()),
		createdAt: s.clock, expires: Never, enabled: true,
	})
	return done
}

func (s *State) createWorkspace(root *rootKey, c *CreateWorkspace) Result {
	if !root.may(operateClusterPermission, "") {
		return operateClusterPermission.missing("")
	}
	if s.workspaces[c.ID] != nil {
		return refuse(IDTaken)
	}
	s.addWorkspace(&workspace{id: c.ID, name: c.Name, createdAt: s.clock, enabled: true})
	return &Created{ID: c.ID}
}

func (s *State) addWorkspace(w *workspace) {
	s.workspaces[w.id] = w
	s.workspaceList.insert(w)
	s.added(w)
}
