package fsm

import "github.com/creditd/creditd/fsm/fields"

// API is what apis.getApi shows.
type API struct{ ID, Name string }

var apiResultType = resultType{kind: 5, since: 1, create: createResult[API]}

func (*API) is() *resultType { return &apiResultType }

func (r *API) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Name)
}

// APIs is a page of APIs. Next is where the next page begins; empty: there is none.
type APIs struct {
	List []API
	Next string
}

var apisResultType = resultType{kind: 26, since: 1, create: createResult[APIs]}

func (*APIs) is() *resultType { return &apisResultType }

func (r *APIs) fields(v *fields.Visitor) {
	fields.List(v, &r.List, (*API).fields)
	v.String(&r.Next)
}

// keyInfo is what a key shows and what decides nothing. Records, results and keys in memory convert it in one method each.
type keyInfo struct{ name, meta string }

// Key is what keys.getKey shows.
type Key struct {
	ID          string
	Start       string
	Name        string
	Meta        string
	Enabled     bool
	CreatedAt   int64
	UpdatedAt   int64 // 0: never
	LastUsedAt  int64 // 0: never
	Expires     int64 // Unix ms, or Never
	Credits     Credits
	Identity    *Identity // nil: none
	Permissions []string  // slugs of direct permissions and of roles, without repetitions, sorted
	Roles       []string  // names, sorted
	Ratelimits  []Ratelimit
}

func (r *Key) setInfo(i keyInfo) { r.Name, r.Meta = i.name, i.meta }

var keyResultType = resultType{kind: 7, since: 1, create: createResult[Key]}

func (*Key) is() *resultType { return &keyResultType }

func (r *Key) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Start)
	v.String(&r.Name)
	v.String(&r.Meta)
	v.Bool(&r.Enabled)
	v.Int(&r.CreatedAt)
	v.Int(&r.UpdatedAt)
	v.Int(&r.LastUsedAt)
	v.Int(&r.Expires)
	r.Credits.fields(v)
	if fields.Optional(v, &r.Identity) {
		r.Identity.fields(v)
	}
	v.Strings(&r.Permissions)
	v.Strings(&r.Roles)
	visitRatelimits(&r.Ratelimits, v)
}

// Keys is a page of keys. Next is where the next page begins; empty: there is none.
type Keys struct {
	List []Key
	Next string
}

var keysResultType = resultType{kind: 20, since: 1, create: createResult[Keys]}

func (*Keys) is() *resultType { return &keysResultType }

func (r *Keys) fields(v *fields.Visitor) {
	fields.List(v, &r.List, (*Key).fields)
	v.String(&r.Next)
}

// KeyStart is what a proposer needs to know of a key that it will reroll.
type KeyStart struct {
	Text       string // the first characters, which the ledger keeps
	Ratelimits int64  // number of its own rate limits
}

var keyStartResultType = resultType{kind: 24, since: 1, create: createResult[KeyStart]}

func (*KeyStart) is() *resultType { return &keyStartResultType }

func (r *KeyStart) fields(v *fields.Visitor) {
	v.String(&r.Text)
	v.Int(&r.Ratelimits)
}

// Rerolled holds the id and the first characters of the new key.
type Rerolled struct {
	ID, Start string
	Nonce     ShortHash // since ledger version 3: see Created
}

var rerolledResultType = resultType{kind: 82, since: 1, newest: 3, answers: true, create: createResult[Rerolled]}

func (*Rerolled) is() *resultType { return &rerolledResultType }

func (r *Rerolled) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Start)
	visitNonce(&r.Nonce, v)
}

// Migrated holds the id of each added key and "" for each other one, in the order of the command.
type Migrated struct {
	IDs []string
	// Failures came with ledger version 2. Parallel to IDs, or empty: none failed, or the answer is older.
	Failures []MigrationFailure
}

// MigrationFailure is why a key was not added.
type MigrationFailure uint8

// The failures; 0: the key was added. Their numbers travel between nodes: append only.
const (
	HashUnfit     MigrationFailure = iota + 1 // it does not have the form of the migration's algorithm
	HashRepeated                              // an earlier key of the command has it
	HashInUse                                 // a key has it
	HashTakenOver                             // a key came with it, and has the hash of its full text since
)

func (f *MigrationFailure) fields(v *fields.Visitor) { fields.Enum(v, f, 0, HashTakenOver) }

// fail stores why a key was not added.
func (r *Migrated) fail(at int, why MigrationFailure) {
	if r.Failures == nil {
		r.Failures = make([]MigrationFailure, len(r.IDs))
	}
	r.Failures[at] = why
}

var migratedResultType = resultType{kind: 25, since: 1, newest: 2, answers: true, create: createResult[Migrated]}

func (*Migrated) is() *resultType { return &migratedResultType }

func (r *Migrated) fields(v *fields.Visitor) {
	v.Strings(&r.IDs)
	if v.Added(2, len(r.Failures) > 0) {
		fields.List(v, &r.Failures, (*MigrationFailure).fields)
	}
}
