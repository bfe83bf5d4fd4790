package fsm

import "github.com/creditd/creditd/fsm/fields"

// Bootstrap gives an empty ledger its cluster id, its first workspace and its first root key. On any other ledger it changes nothing, so
// every new leader may send it. Nodes send it, never clients.
type Bootstrap struct {
	ClusterID     string
	WorkspaceID   string
	WorkspaceName string
	RootKeyID     string
	RootKeyHash   Hash
}

var bootstrapType = commandType{kind: 1, since: 1, system: true, create: create[Bootstrap]}

func (*Bootstrap) is() *commandType { return &bootstrapType }

func (c *Bootstrap) fields(v *fields.Visitor) {
	v.String(&c.ClusterID)
	v.String(&c.WorkspaceID)
	v.String(&c.WorkspaceName)
	v.String(&c.RootKeyID)
	c.RootKeyHash.fields(v)
}

func (c *Bootstrap) apply(s *State, _ *rootKey) Result {
	if s.clusterID != "" {
		return done
	}
	s.clusterID = c.ClusterID
	w := &workspace{id: c.WorkspaceID, name: c.WorkspaceName, createdAt: s.clock, enabled: true}
	s.addWorkspace(w)
	s.addRootKey(&rootKey{
		id: c.RootKeyID, hash: c.RootKeyHash, name: "bootstrap", workspace: w, permissions: permissionSet(permissionStrings(firstRootPermissions[:])),
		createdAt: s.clock, expires: Never, enabled: true,
	})
	return done
}
