package fsm

import "github.com/creditd/creditd/fsm/fields"

// ExportScope is the answer to AuthorizeExport.
type ExportScope struct{ WorkspaceID string }

var exportScopeResultType = resultType{kind: 112, since: 4, create: createResult[ExportScope]}

func (*ExportScope) is() *resultType { return &exportScopeResultType }

func (r *ExportScope) fields(v *fields.Visitor) { v.String(&r.WorkspaceID) }
