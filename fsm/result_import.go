package fsm

import "github.com/creditd/creditd/fsm/fields"

// Imported is the answer to ImportRecords: an outcome for each of the first items. Those without one come with another command.
type Imported struct{ Outcomes []ImportOutcome }

// ImportOutcome is what became of one record.
type ImportOutcome struct {
	Status    ImportStatus
	Reason    ImportReason
	Shortfall int64 // credits that a balance lacked; it is 0 now
}

// ImportStatus is the kind of an outcome. The numbers travel between nodes: append only.
type ImportStatus uint8

// The kinds.
const (
	ImportCreated ImportStatus = iota + 1
	ImportUnchanged
	ImportReplaced
	ImportSkipped
	ImportConflict
	ImportInvalid
)

// ImportReason is why a record was not taken. The numbers travel between nodes: append only.
type ImportReason uint8

// The reasons; 0: none.
const (
	ImportDifferent ImportReason = iota + 1
	ImportIDTaken
	ImportDeleted
	ImportHashTaken
	ImportNameTaken
	ImportNotFound
	ImportOverQuota
	ImportOverLimit
	ImportNotTracked
	ImportChangedHere
	ImportChangedThere
	ImportBelowZero
	ImportAboveMaximum
	ImportOperatorOnly
	ImportImmutable
)

var importedResultType = resultType{kind: 110, since: 4, answers: true, create: createResult[Imported]}

func (*Imported) is() *resultType { return &importedResultType }

func (r *Imported) fields(v *fields.Visitor) {
	fields.List(v, &r.Outcomes, (*ImportOutcome).fields)
}

func (o *ImportOutcome) fields(v *fields.Visitor) {
	fields.Enum(v, &o.Status, ImportCreated, ImportInvalid)
	fields.Enum(v, &o.Reason, 0, ImportImmutable)
	v.Int(&o.Shortfall)
}

// ImportFinished is the answer to FinishImport.
type ImportFinished struct {
	Ended int64
	More  bool
}

var importFinishedResultType = resultType{kind: 111, since: 4, answers: true, create: createResult[ImportFinished]}

func (*ImportFinished) is() *resultType { return &importFinishedResultType }

func (r *ImportFinished) fields(v *fields.Visitor) {
	v.Int(&r.Ended)
	v.Bool(&r.More)
}

// ImportState is the answer to GetImport.
type ImportState struct {
	ClusterID   string
	WorkspaceID string
	Followed    int64 // keys, identities and APIs that have a mark
}

var importStateResultType = resultType{kind: 113, since: 4, create: createResult[ImportState]}

func (*ImportState) is() *resultType { return &importStateResultType }

func (r *ImportState) fields(v *fields.Visitor) {
	v.String(&r.ClusterID)
	v.String(&r.WorkspaceID)
	v.Int(&r.Followed)
}
