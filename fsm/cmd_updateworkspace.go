package fsm

import "github.com/creditd/creditd/fsm/fields"

// UpdateWorkspace enables or disables a workspace. See contract 7.2.
type UpdateWorkspace struct {
	WorkspaceID string
	Enabled     bool
}

var updateWorkspaceType = commandType{kind: 22, since: 1, event: WorkspaceUpdated, create: create[UpdateWorkspace]}

func (*UpdateWorkspace) is() *commandType { return &updateWorkspaceType }

func (c *UpdateWorkspace) fields(v *fields.Visitor) {
	v.String(&c.WorkspaceID)
	v.Bool(&c.Enabled)
}

// plan refuses to disable the caller's own workspace, because nobody could enable it again.
func (c *UpdateWorkspace) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(OperateClusterPermission, "") {
		return nil, OperateClusterPermission.missing("")
	}
	w := s.workspaces[c.WorkspaceID]
	if w == nil {
		return nil, refuse(WorkspaceNotFound)
	}
	if w == root.workspace && !c.Enabled {
		return nil, &Refusal{Code: PreconditionFailed, Detail: "A workspace cannot be disabled by its own root keys"}
	}
	return func() Result {
		s.beforeChange(w)
		w.enabled = c.Enabled
		s.afterChange(w)
		return done
	}, nil
}
