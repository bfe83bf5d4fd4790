package fsm

// ListWorkspaces asks for all workspaces. See contract 7.2.
type ListWorkspaces struct{ Page Page }

func (q *ListWorkspaces) answer(s *State, root *rootKey) Result {
	if !root.may(OperateClusterPermission, "") {
		return OperateClusterPermission.missing("")
	}
	list, next := page(&s.workspaceList, q.Page, listing[*workspace, Workspace]{show: (*workspace).show})
	return &Workspaces{List: list, Next: next}
}

func (w *workspace) show() Workspace {
	return Workspace{ID: w.id, Name: w.name, CreatedAt: w.createdAt, Enabled: w.enabled, Quotas: w.quotas, Used: w.usage()}
}

// ShowWorkspaces returns the first workspaces in the order of their ids, for metrics, and the number of all others.
func (s *State) ShowWorkspaces(most int) (list []Workspace, others int) {
	s.workspaceList.from("", func(w *workspace) bool {
		if len(list) < most {
			list = append(list, w.show())
		}
		return len(list) < most
	})
	return list, len(s.workspaces) - len(list)
}
