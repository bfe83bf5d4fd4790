package codec

import "github.com/creditd/creditd/fsm"

// list codes a slice; element codes one of its elements, in at least one byte.
func list[T any](c *coder, p *[]T, element func(*T)) {
	n := c.length(len(*p))
	if !c.reading {
		for i := range *p {
			element(&(*p)[i])
		}
		return
	}
	// The memory grows with what was read, not with what was announced: an element in memory may be much larger than its shortest encoding.
	for range n {
		var v T
		if element(&v); c.err != nil {
			return
		}
		*p = append(*p, v)
	}
}

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
