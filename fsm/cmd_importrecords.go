package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// ImportRecords takes over things that another ledger or another system had, with their ids and times. Each is decided on its own, in order.
// See contract 7.5.
type ImportRecords struct {
	OnConflict ConflictRule
	Track      bool  // remember the balances that owners come with: see importMark
	ReadAt     int64 // when the source was read, Unix ms; 0: unknown
	Items      []ImportItem
}

// ConflictRule says what happens to a thing that exists and differs.
type ConflictRule uint8

// The rules.
const (
	FailOnConflict ConflictRule = iota
	SkipOnConflict
	ReplaceOnConflict
)

// ImportItem is one thing. Its record names a workspace, or something in one.
type ImportItem struct {
	WorkspaceID string // empty: the caller's
	Record      Record // of a kind in importKinds. An ImportMarkRecord is a balance in another system
	Credits     ImportedCredits
}

// ImportedCredits are the credits of a key or an identity; zero: unlimited.
type ImportedCredits struct {
	Limited    bool
	Remaining  int64
	Refill     Refill
	RefilledAt int64 // Unix ms; 0: never
	Considered int64 // day since 1970-01-01
}

var importRecordsType = commandType{kind: 110, since: 4, event: RecordsImported, nests: true, create: create[ImportRecords]}

func (*ImportRecords) is() *commandType { return &importRecordsType }

func (c *ImportRecords) fields(v *fields.Visitor) {
	fields.Enum(v, &c.OnConflict, FailOnConflict, ReplaceOnConflict)
	v.Bool(&c.Track)
	v.Int(&c.ReadAt)
	fields.List(v, &c.Items, (*ImportItem).fields)
}

func (i *ImportItem) fields(v *fields.Visitor) {
	v.String(&i.WorkspaceID)
	visitImported(&i.Record, v)
	i.Credits.fields(v)
}

func (n *ImportedCredits) fields(v *fields.Visitor) {
	v.Bool(&n.Limited)
	v.Int(&n.Remaining)
	n.Refill.fields(v)
	v.Int(&n.RefilledAt)
	v.Int(&n.Considered)
}

// visitImported visits the kind, the form and the fields of a record in a command.
func visitImported(p *Record, v *fields.Visitor) {
	kind, form := v.Form()
	switch finds, _ := v.FindsVersion(); {
	case v.Reading():
		var of byte
		v.Byte(&of)
		if _, known := importKinds[Kind(of)]; v.Err() == nil && !known {
			v.Fail(fmt.Errorf("a record of kind %d cannot be imported", of))
		}
		if v.Err() != nil {
			return
		}
		*p = ReadRecord(v, Kind(of))
	case finds:
		t := (*p).is()
		v.Needs(t.since)
		(*p).fields(v)
	default:
		of := byte((*p).is().kind)
		v.Byte(&of)
		WriteRecord(v, *p)
	}
	v.SetForm(kind, form)
}

// Work estimates the work of one record.
func (i *ImportItem) Work() Work { return importKindOf(i.Record).parts(i.Record).work() }

// work also counts what the things have now: they are compared, and hashed when they change.
func (c *ImportRecords) work(s *State, root *rootKey) (w Work) {
	w = changeWork
	for i := range c.Items {
		w += c.Items[i].Work()
		switch r := c.Items[i].Record.(type) {
		case *KeyRecord:
			w += s.recordWork(s.keys.find(r.ID))
		case *IdentityRecord:
			w += s.ownerWork(root, r.ID)
		}
	}
	return w
}

// plan checks only the caller. What becomes of a record depends on those before it, so it is decided when they are there.
func (c *ImportRecords) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if refusal := root.requires(ImportPermission); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		m := importer{State: s, root: root, rule: c.OnConflict, track: c.Track, readAt: c.ReadAt, operator: root.may(OperateClusterPermission, "")}
		answer := &Imported{Outcomes: make([]ImportOutcome, 0, len(c.Items))}
		room := maxImportedOver
		for i := range c.Items {
			r := c.Items[i].Record
			if room -= importKindOf(r).before(s, r).size(); room < 0 && i > 0 {
				break // an entry must stay short
			}
			answer.Outcomes = append(answer.Outcomes, m.take(&c.Items[i]))
		}
		return answer
	}, nil
}

// maxImportedOver is how large the things may be that one command replaces, unless it is one thing. The others have no outcome, and come with
// the next command. What is replaced is hashed, and the caller does not know how large it is.
const maxImportedOver = 256 << 10
