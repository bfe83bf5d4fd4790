package records

import "fmt"

// MaxImport is the number of records of one ImportRequest.
const MaxImport = 1000

// ImportRequest is the body of records.importRecords. Its size is also bounded by that of every body: 10 MiB.
type ImportRequest struct {
	OnConflict    string   `json:"onConflict,omitempty" schema:"enum=fail|skip|replace,default=fail" doc:"What happens to a thing that exists and differs."`
	TrackBalances bool     `json:"trackBalances,omitempty" schema:"default=false" doc:"Remember the balances that owners come with, for records of kind balance."`
	ReadAt        Time     `json:"readAt,omitempty" doc:"When the source was read. What is older than the last balances of an owner changes none."`
	Records       []Record `json:"records" schema:"required,minItems=1,maxItems=1000"`
}

// ImportAnswer is the data of the answer: one outcome for each record, in the order of the request.
type ImportAnswer struct {
	Outcomes []Outcome `json:"outcomes"`
}

// Outcome is what became of one record.
type Outcome struct {
	Index   int64  `json:"index" doc:"The place of the record in the request, from 0."`
	Outcome string `json:"outcome" doc:"created, unchanged, replaced, skipped, conflict, invalid or interrupted."`
	Reason  string `json:"reason,omitempty" doc:"Why a record is a conflict, skipped or invalid."`
	// Shortfall is how many credits a balance lacked: it would have become negative, and is 0.
	Shortfall int64 `json:"shortfall,omitempty" doc:"Credits by which a balance would have become negative. It is 0 instead."`
}

// The outcomes.
const (
	Created     = "created"
	Unchanged   = "unchanged"   // the ledger has it already; nothing was written
	Replaced    = "replaced"    // it differed, and is now as the record says
	Skipped     = "skipped"     // it differs, and stays as it is, because of onConflict skip
	Conflict    = "conflict"    // it differs or cannot be, and nothing was written
	Invalid     = "invalid"     // no ledger could take the record as it is
	Interrupted = "interrupted" // the request ended before: send the record again
)

// The reasons.
const (
	Different          = "different"     // the thing exists and has other fields
	IDTaken            = "id_taken"      // another thing has the id, perhaps in another workspace
	Deleted            = "deleted"       // a thing with the id was deleted, and does not come back
	HashTaken          = "hash_taken"    // another key has the hash
	NameTaken          = "name_taken"    // another thing of the workspace has the name, slug, externalId or identifier
	ReferenceMissing   = "not_found"     // what the record refers to is not in the workspace
	QuotaExceeded      = "quota"         // the workspace may have no more
	LimitExceeded      = "limit"         // a limit of docs/contract.md 1.10
	NotTracked         = "not_tracked"   // a balance of an owner whose balance is not tracked
	ChangedHere        = "changed_here"  // one is unlimited and the other is not, because the cluster changed it
	ChangedThere       = "changed_there" // the same, because the source changed it
	BelowZero          = "below_zero"    // the difference exceeds the balance
	AboveMaximum       = "above_maximum" // the balance would exceed the largest 64-bit integer
	OperatorOnly       = "operator_only" // workspaces, root keys and other workspaces need cluster.*.operate
	ImmutableReference = "immutable"     // a key cannot change its API, nor an override its namespace
)

// WorkspaceFault returns why no record can go into the workspace that a record names, where its outcome says that; nil: others may.
func (o *Outcome) WorkspaceFault(r *Record) error {
	switch {
	case r.WorkspaceID == "":
		return nil
	case o.Reason == OperatorOnly && r.Workspace == nil && r.RootKey == nil:
		return fmt.Errorf("the root key may not write into the workspace %s: it is of another one and lacks cluster.*.operate", r.WorkspaceID)
	case o.Reason == ReferenceMissing && (r.API != nil || r.Migration != nil || r.Permission != nil || r.Identity != nil || r.Namespace != nil):
		return fmt.Errorf("the cluster has no workspace %s", r.WorkspaceID) // these refer to nothing else
	}
	return nil
}

// FinishAnswer is the data of the answer.
type FinishAnswer struct {
	Ended int64 `json:"ended" doc:"Balances that are no longer tracked."`
	More  bool  `json:"more" doc:"There are others: send the request again."`
}

// ImportState is the data of the answer of records.getImport.
type ImportState struct {
	ClusterID   string `json:"clusterId" doc:"The cluster. One that was recovered has another id."`
	WorkspaceID string `json:"workspaceId" doc:"The workspace that the records go into."`
	Followed    int64  `json:"followed" doc:"Keys, identities and APIs whose import the ledger remembers."`
}
