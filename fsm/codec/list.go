package codec

import "github.com/creditd/creditd/fsm"

func (c *coder) rootKey(m *fsm.RootKey) {
	c.string(&m.ID)
	c.string(&m.Name)
	c.string(&m.WorkspaceID)
	c.strings(&m.Permissions)
	c.int(&m.CreatedAt)
	c.int(&m.Expires)
	c.bool(&m.Enabled)
}

func (c *coder) workspace(m *fsm.Workspace) {
	c.string(&m.ID)
	c.string(&m.Name)
	c.int(&m.CreatedAt)
	c.bool(&m.Enabled)
}
