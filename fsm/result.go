package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// Result is the ledger's answer to a command or a query. A refusal is a result too; after a fault there is no result.
type Result interface {
	is() *resultType
	fields(v *fields.Visitor)
}

// resultType describes all results of one type.
type resultType struct {
	kind    byte   // in records and between nodes; never reused
	since   uint64 // the ledger version that the type came with
	newest  uint64 // the ledger version that its youngest field came with; 0: none was added
	answers bool   // answers a command, so an idempotency record may hold it
	create  func() Result
}

func createResult[T any, P interface {
	*T
	Result
}]() Result {
	return P(new(T))
}

// resultTypes finds the type of a result by its kind. Each result has one row here.
var resultTypes = resultTable(
	&doneResultType, &createdResultType, &refusalResultType, &openedResultType, &idempotentReplayResultType,
	&creditsResultType, &identityResultType, &identitiesResultType,
	&apiResultType, &apisResultType, &keyResultType, &keysResultType, &keyStartResultType, &rerolledResultType, &migratedResultType,
	&verdictResultType, &verdictsResultType, &previewResultType,
	&rootKeysResultType, &workspacesResultType,
	&permissionResultType, &permissionListResultType, &roleResultType, &roleListResultType,
	&ratelimitResultsType, &overrideResultType, &overridesResultType,
	&auditEntriesResultType,
	&importedResultType, &importFinishedResultType, &importStateResultType, &exportScopeResultType,
)

func resultTable(types ...*resultType) (table [256]*resultType) {
	for _, t := range append(types, nextResults...) {
		if table[t.kind] != nil || t.kind == formMark {
			panic(fmt.Sprintf("fsm: result kind %d is taken", t.kind))
		}
		table[t.kind] = t
	}
	return table
}

// VisitResult visits the kind, the form and the fields of a result.
func VisitResult(v *fields.Visitor, p *Result) {
	kind, form := v.Form()
	if v.Reading() {
		readResult(v, p)
	} else if finds, deep := v.FindsVersion(); !finds {
		t := (*p).is()
		writeForm(v, t.kind, oldestForm(v, *p, t.since, t.newest))
		(*p).fields(v)
	} else if deep {
		v.Needs((*p).is().since)
		(*p).fields(v)
	}
	v.SetForm(kind, form)
}

func readResult(v *fields.Visitor, p *Result) {
	kind := readForm(v, "a result")
	t := resultTypes[kind]
	if t == nil {
		v.Fail(fmt.Errorf("result of unknown kind %d", kind))
		return
	}
	*p = t.create()
	(*p).fields(v)
	_, form := v.Form()
	checkOldest(v, *p, form, t.since, t.newest)
}

// Done is the answer that holds nothing.
type Done struct{}

var doneResultType = resultType{kind: 1, since: 1, answers: true, create: createResult[Done]}

func (*Done) is() *resultType { return &doneResultType }

func (*Done) fields(*fields.Visitor) {}

// Created holds the id of the new thing.
type Created struct {
	ID string
	// Nonce came with ledger version 3. It is that of the command: random, and one of the things that a derived secret comes from. An
	// idempotency record keeps it with the answer. Zero: there is none.
	Nonce ShortHash
}

var createdResultType = resultType{kind: 2, since: 1, newest: 3, answers: true, create: createResult[Created]}

func (*Created) is() *resultType { return &createdResultType }

func (r *Created) fields(v *fields.Visitor) {
	v.String(&r.ID)
	visitNonce(&r.Nonce, v)
}

// visitNonce visits the last field of a command or a result that has a nonce.
func visitNonce(p *ShortHash, v *fields.Visitor) {
	if v.Added(3, *p != ShortHash{}) {
		p.fields(v)
	}
}

// Refusal is the answer to a command that was not executed. Nothing changed.
type Refusal struct {
	Code RefusalCode
	// Detail is for people. Empty: the code is enough.
	Detail string
	// Accepted are the permission strings that suffice, for InsufficientPermissions. The caller needs one of them.
	Accepted []string
	// RetryAfter is the number of seconds after which another attempt may succeed, for IdempotencyStoreFull.
	RetryAfter int64
}

var refusalResultType = resultType{kind: 3, since: 1, create: createResult[Refusal]}

func (*Refusal) is() *resultType { return &refusalResultType }

func (r *Refusal) fields(v *fields.Visitor) {
	fields.Known(v, &r.Code)
	v.String(&r.Detail)
	v.Strings(&r.Accepted)
	v.Int(&r.RetryAfter)
}

func refuse(code RefusalCode) *Refusal { return &Refusal{Code: code} }

func invalid(detail string) *Refusal { return &Refusal{Code: InvalidInput, Detail: detail} }

var done = &Done{}
