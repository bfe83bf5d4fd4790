package fsm

import "github.com/creditd/creditd/fsm/fields"

// UpdateWorkspace enables or disables a workspace, and sets its quotas. See contract 7.2.
type UpdateWorkspace struct {
	WorkspaceID string
	Enabled     bool

	// Since ledger version 3:
	KeepEnabled bool // Enabled is not given
	Quotas      QuotaChanges
}

var updateWorkspaceType = commandType{kind: 22, since: 1, newest: 3, event: WorkspaceUpdated, create: create[UpdateWorkspace]}

func (*UpdateWorkspace) is() *commandType { return &updateWorkspaceType }

func (c *UpdateWorkspace) fields(v *fields.Visitor) {
	v.String(&c.WorkspaceID)
	v.Bool(&c.Enabled)
	if v.Added(3, c.KeepEnabled || c.Quotas != QuotaChanges{}) {
		v.Bool(&c.KeepEnabled)
		c.Quotas.fields(v)
	}
}

// plan refuses to disable the caller's own workspace, because nobody could enable it again. Its quotas may change: who may operate the cluster
// could change them through another workspace anyway.
func (c *UpdateWorkspace) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(OperateClusterPermission, "") {
		return nil, OperateClusterPermission.missing("")
	}
	w := s.workspaces[c.WorkspaceID]
	if w == nil {
		return nil, refuse(WorkspaceNotFound)
	}
	if w == root.workspace && !c.Enabled && !c.KeepEnabled {
		return nil, &Refusal{Code: PreconditionFailed, Detail: "A workspace cannot be disabled by its own root keys"}
	}
	quotas, refusal := c.Quotas.over(w.quotas)
	if refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.beforeChange(w)
		if !c.KeepEnabled {
			w.enabled = c.Enabled
		}
		s.setQuotas(w, quotas)
		s.afterChange(w)
		return done
	}, nil
}
