package fsm

import "github.com/creditd/creditd/fsm/fields"

// FinishImport ends the tracking of balances in the caller's workspace, of so many owners at a time.
type FinishImport struct{ Most int64 }

var finishImportType = commandType{kind: 111, since: 4, event: ImportEnded, noted: fifthRules, create: create[FinishImport]}

func (*FinishImport) is() *commandType { return &finishImportType }

func (c *FinishImport) fields(v *fields.Visitor) { v.Int(&c.Most) }

func (c *FinishImport) work(*State, *rootKey) Work {
	return changeWork + identityWork*Work(max(0, c.Most))
}

func (c *FinishImport) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if refusal := root.requires(ImportPermission); refusal != nil {
		return nil, refusal
	}
	if c.Most < 1 {
		return nil, invalid("at least one balance must end")
	}
	return func() Result {
		ended, more := s.endMarks(root.workspace, c.Most)
		if ended > 0 && s.collector != nil {
			s.collector.name(root.workspace.resource()) // a mark is no resource
		}
		return &ImportFinished{Ended: ended, More: more}
	}, nil
}
