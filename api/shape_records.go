package api

import (
	"strings"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/fsm"
)

const dayMillis = 86_400_000

// imported converts a record that records.Check has accepted.
func imported(r *records.Record) fsm.ImportItem {
	item := fsm.ImportItem{WorkspaceID: r.WorkspaceID}
	switch {
	case r.Workspace != nil:
		item.Record = importedWorkspace(r.Workspace)
	case r.RootKey != nil:
		k := r.RootKey
		item.Record = &fsm.RootKeyRecord{
			ID: string(k.ID), Hash: importedHash(k.Hash), Name: k.Name, Permissions: k.Permissions, CreatedAt: int64(k.CreatedAt),
			Expires: importedExpiry(k.Expires), Enabled: k.Enabled,
		}
	case r.API != nil:
		item.Record = importedAPI(r.API)
	case r.Migration != nil:
		item.Record = &fsm.MigrationRecord{ID: r.Migration.ID, Algorithm: algorithms[r.Migration.Algorithm], CreatedAt: int64(r.Migration.CreatedAt)}
	case r.Permission != nil:
		p := r.Permission
		item.Record = &fsm.PermissionRecord{ID: string(p.ID), Name: p.Name, Slug: p.Slug, Description: p.Description, CreatedAt: int64(p.CreatedAt)}
	case r.Role != nil:
		item.Record = &fsm.RoleRecord{
			ID: string(r.Role.ID), Name: r.Role.Name, Description: r.Role.Description, Permissions: plainIDs(r.Role.Permissions), CreatedAt: int64(r.Role.CreatedAt),
		}
	case r.Identity != nil:
		i := r.Identity
		item.Record = &fsm.IdentityRecord{
			ID: string(i.ID), ExternalID: i.ExternalID, Meta: keptMeta(i.Meta), Policy: creditPolicy(i.CreditPolicy).policy(), CreatedAt: int64(i.CreatedAt),
			Ratelimits: importedRatelimits(i.Ratelimits),
		}
		item.Credits = importedCredits(i.Credits, i.CreatedAt)
	case r.Key != nil:
		item.Record = importedKey(r.Key)
		item.Credits = importedCredits(r.Key.Credits, r.Key.CreatedAt)
	case r.Namespace != nil:
		item.Record = &fsm.NamespaceRecord{ID: string(r.Namespace.ID), Name: r.Namespace.Name, CreatedAt: int64(r.Namespace.CreatedAt)}
	case r.Override != nil:
		o := r.Override
		item.Record = &fsm.OverrideRecord{
			ID: string(o.ID), NamespaceID: string(o.NamespaceID), Identifier: o.Identifier, Limit: o.Limit, Duration: o.Duration, CreatedAt: int64(o.CreatedAt),
		}
	case r.Balance != nil:
		mark := &fsm.ImportMarkRecord{Owner: string(r.Balance.KeyID + r.Balance.IdentityID)}
		if r.Balance.IdentityID != "" {
			mark.Of = fsm.MarkedIdentity
		}
		item.Record = mark
		item.Credits = importedCredits(r.Balance.Credits, 0)
	}
	return item
}

func importedWorkspace(w *records.Workspace) *fsm.WorkspaceRecord {
	r := &fsm.WorkspaceRecord{ID: string(w.ID), Name: w.Name, CreatedAt: int64(w.CreatedAt), Enabled: w.Enabled}
	if w.Limits != nil {
		for kind, limit := range w.Limits.Fields() {
			if *limit != nil {
				r.Quotas[kind] = fsm.Quota{Limited: true, Limit: **limit}
			}
		}
	}
	return r
}

// importedAPI gives an API without a keyspace one that follows from its id, so that a repetition is equal.
func importedAPI(a *records.API) *fsm.APIRecord {
	keyspace := string(a.KeyspaceID)
	if keyspace == "" {
		keyspace = mint.Keyspace + "_" + strings.TrimPrefix(string(a.ID), mint.API+"_")
	}
	return &fsm.APIRecord{ID: string(a.ID), KeyspaceID: keyspace, Name: a.Name, CreatedAt: int64(a.CreatedAt), Protected: a.Protected}
}

func importedHash(h records.Hash) fsm.Hash {
	_, hash := mint.ParseHash(string(h))
	return hash
}

func importedExpiry(at *records.Time) int64 {
	if at == nil {
		return fsm.Never
	}
	return int64(*at)
}

func plainIDs(ids []records.ID) (list []string) {
	for _, id := range ids {
		list = append(list, string(id))
	}
	return list
}

func importedRatelimits(limits []records.Ratelimit) (list []fsm.Ratelimit) {
	for _, r := range limits {
		list = append(list, fsm.Ratelimit{ID: string(r.ID), Name: r.Name, Limit: r.Limit, Duration: r.Duration, AutoApply: r.AutoApply})
	}
	return list
}

// importedCredits says which refills are decided: see docs/records.md.
func importedCredits(c *records.Credits, created records.Time) fsm.ImportedCredits {
	if c == nil {
		return fsm.ImportedCredits{}
	}
	n := fsm.ImportedCredits{Limited: true, Remaining: c.Remaining, RefilledAt: int64(c.RefilledAt)}
	if c.Refill == nil {
		return n
	}
	n.Refill = refill{Interval: c.Refill.Interval, Amount: c.Refill.Amount, RefillDay: c.Refill.RefillDay}.refill()
	for _, at := range []records.Time{c.ConsideredAt, c.RefilledAt, created} {
		if at != 0 {
			n.Considered = int64(at) / dayMillis
			break
		}
	}
	return n
}
