package fsm

import "github.com/creditd/creditd/fsm/fields"

// QuotaKind is something that a workspace may have a quota of. The numbers are on disk: append only, with a ledger version.
type QuotaKind uint8

// The kinds. The ledger counts everything that it stores: also deleted things, until their records are removed.
const (
	KeysQuota QuotaKind = iota
	IdentitiesQuota
	APIsQuota
	PermissionsQuota
	RolesQuota
	NamespacesQuota
	OverridesQuota
	WindowsQuota
	OutcomesQuota // the weight of the idempotency records
	RequestsQuota // per second; nodes count them, not the ledger
	quotaKinds
)

// QuotaNames are the names of the kinds, for people and for the API.
var QuotaNames = [quotaKinds]string{
	"keys", "identities", "apis", "permissions", "roles", "namespaces", "overrides", "windows", "outcomes", "requestsPerSecond",
}

// Quota is the largest number of something that a workspace may have. The zero value is no limit.
type Quota struct {
	Limited bool
	Limit   int64
}

// Quotas are those of one workspace.
type Quotas [quotaKinds]Quota

// Usage is how much a workspace has of each kind. Nobody counts the requests here.
type Usage [quotaKinds]int64

func (q *Quotas) fields(v *fields.Visitor) {
	for i := range q {
		v.Bool(&q[i].Limited)
		v.Int(&q[i].Limit)
	}
}

func (u *Usage) fields(v *fields.Visitor) {
	for i := range u {
		v.Int(&u[i])
	}
}

// valid reports whether no limit is negative, and what is unlimited has none.
func (q *Quotas) valid() bool {
	for _, limit := range q {
		if limit.Limit < 0 || !limit.Limited && limit.Limit != 0 {
			return false
		}
	}
	return true
}

// QuotaChanges has one change for each kind of quota. Null removes a quota.
type QuotaChanges [quotaKinds]Field[int64]

func (c *QuotaChanges) fields(v *fields.Visitor) {
	for i := range c {
		c[i].visit(v, visitInt)
	}
}

// over returns the new quotas.
func (c *QuotaChanges) over(q Quotas) (Quotas, *Refusal) {
	for kind, change := range c {
		switch change.State {
		case Given:
			q[kind] = Quota{Limited: true, Limit: change.Value}
		case Null:
			q[kind] = Quota{}
		}
	}
	if !q.valid() || q[RequestsQuota] == (Quota{Limited: true}) {
		return q, invalid("a quota must not be negative, and that of requests must be at least 1")
	}
	return q, nil
}
