package api

import (
	"encoding/base64"
	"slices"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/fsm"
)

// exportedKinds are what an export has, in the order of the format. Balances stand in the records of their owners.
var exportedKinds = []fsm.Kind{
	fsm.WorkspaceKind, fsm.RootKeyKind, fsm.APIKind, fsm.MigrationKind, fsm.PermissionKind, fsm.RoleKind, fsm.IdentityKind, fsm.KeyKind,
	fsm.NamespaceKind, fsm.OverrideKind,
}

// exported is a record as an export shows it, and its workspace; nil: it is deleted. It is valid until the next call.
func (x *exporter) exported(r fsm.Record) (*records.Record, string, error) {
	switch r := r.(type) {
	case *fsm.WorkspaceRecord:
		return &records.Record{Workspace: &records.Workspace{
			ID: records.ID(r.ID), Name: r.Name, CreatedAt: records.Time(r.CreatedAt), Enabled: r.Enabled, Limits: exportedLimits(&r.Quotas),
		}}, r.ID, nil
	case *fsm.RootKeyRecord:
		return &records.Record{RootKey: &records.RootKey{
			ID: records.ID(r.ID), Hash: exportedHash(r.Hash), Name: r.Name, Permissions: r.Permissions, CreatedAt: records.Time(r.CreatedAt),
			Expires: exportedExpiry(r.Expires), Enabled: r.Enabled,
		}}, r.WorkspaceID, nil
	case *fsm.APIRecord:
		return live(r.Deleted, &records.Record{API: &records.API{
			ID: records.ID(r.ID), Name: r.Name, KeyspaceID: records.ID(r.KeyspaceID), CreatedAt: records.Time(r.CreatedAt), Protected: r.Protected,
		}}), r.WorkspaceID, nil
	case *fsm.MigrationRecord:
		return &records.Record{Migration: &records.Migration{
			ID: r.ID, Algorithm: algorithmName(r.Algorithm), CreatedAt: records.Time(r.CreatedAt),
		}}, r.WorkspaceID, nil
	case *fsm.PermissionRecord:
		return live(r.Deleted, &records.Record{Permission: &records.Permission{
			ID: records.ID(r.ID), Name: r.Name, Slug: r.Slug, Description: r.Description, CreatedAt: records.Time(r.CreatedAt),
		}}), r.WorkspaceID, nil
	case *fsm.RoleRecord:
		permissions, err := x.liveIDs(fsm.PermissionKind, r.Permissions)
		return live(r.Deleted, &records.Record{Role: &records.Role{
			ID: records.ID(r.ID), Name: r.Name, Description: r.Description, Permissions: permissions, CreatedAt: records.Time(r.CreatedAt),
		}}), r.WorkspaceID, err
	case *fsm.IdentityRecord:
		return x.identity(r)
	case *fsm.KeyRecord:
		return x.key(r)
	case *fsm.NamespaceRecord:
		return live(r.Deleted, &records.Record{Namespace: &records.Namespace{
			ID: records.ID(r.ID), Name: r.Name, CreatedAt: records.Time(r.CreatedAt),
		}}), r.WorkspaceID, nil
	case *fsm.OverrideRecord:
		of, err := x.find(fsm.NamespaceKind, r.NamespaceID)
		return live(of.deleted, &records.Record{Override: &records.Override{
			ID: records.ID(r.ID), NamespaceID: records.ID(r.NamespaceID), Identifier: r.Identifier, Limit: r.Limit, Duration: r.Duration,
			CreatedAt: records.Time(r.CreatedAt),
		}}), of.workspace, err
	}
	return nil, "", nil
}

func live(deleted bool, r *records.Record) *records.Record {
	if deleted {
		return nil
	}
	return r
}

func (x *exporter) identity(r *fsm.IdentityRecord) (*records.Record, string, error) {
	if r.Deleted || !x.all && r.WorkspaceID != x.workspace {
		return nil, "", nil
	}
	credits, err := x.credits(fsm.IdentityCreditKind, r.ID)
	policy := creditPolicies[r.Policy]
	if r.Policy == fsm.IdentityPays {
		policy = "" // the default
	}
	return &records.Record{Identity: &records.Identity{
		ID: records.ID(r.ID), ExternalID: r.ExternalID, Meta: showMeta(r.Meta), CreditPolicy: policy, Ratelimits: exportedRatelimits(r.Ratelimits),
		CreatedAt: records.Time(r.CreatedAt), Credits: credits,
	}}, r.WorkspaceID, err
}

// key leaves out a key that was deleted with its API or its identity. One whose balance went with its identity has nothing to spend.
func (x *exporter) key(r *fsm.KeyRecord) (*records.Record, string, error) {
	if r.Deleted {
		return nil, "", nil
	}
	of, err := x.find(fsm.APIKind, r.APIID)
	if err != nil || of.deleted || !x.all && of.workspace != x.workspace {
		return nil, "", err
	}
	credits, err := x.credits(fsm.KeyCreditKind, r.ID)
	if err != nil {
		return nil, "", err
	}
	if r.Lost && credits == nil {
		credits = &records.Credits{}
	}
	owner := r.IdentityID
	if owner != "" {
		i, err := x.find(fsm.IdentityKind, owner)
		if err != nil || i.keysDeleted {
			return nil, "", err
		}
		if i.deleted {
			owner = ""
			if i.hadBalance && credits == nil {
				credits = &records.Credits{}
			}
		}
	}
	permissions, err := x.liveIDs(fsm.PermissionKind, r.Permissions)
	if err != nil {
		return nil, "", err
	}
	roles, err := x.liveIDs(fsm.RoleKind, r.Roles)
	if err != nil {
		return nil, "", err
	}
	k := &x.reused.key
	*k = exportedKey(r)
	k.IdentityID, k.Permissions, k.Roles, k.Credits = records.ID(owner), permissions, roles, credits
	x.reused.record = records.Record{Key: k}
	return &x.reused.record, of.workspace, nil
}

// reused is the memory of what most records are: it is used again for each.
type reused struct {
	record  records.Record
	key     records.Key
	credits records.Credits
	refill  records.Refill
}

// credits are the balance of an owner; nil: it has none.
func (x *exporter) credits(kind fsm.Kind, owner string) (*records.Credits, error) {
	found, err := x.view.Find(fsm.RecordKey{Kind: kind, ID: owner})
	if err != nil || found == nil {
		return nil, err
	}
	r := found.(*fsm.CreditRecord)
	c := &x.reused.credits
	*c = records.Credits{Remaining: r.Remaining, RefilledAt: records.Time(r.RefilledAt)}
	if shown := showRefill(r.Refill); shown != nil {
		x.reused.refill = records.Refill{Interval: shown.Interval, Amount: shown.Amount, RefillDay: shown.RefillDay}
		c.Refill = &x.reused.refill
		c.ConsideredAt = records.Time(r.Considered * dayMillis)
	}
	return c, nil
}

func exportedHash(h fsm.Hash) records.Hash {
	return records.Hash(base64.StdEncoding.EncodeToString(h[:]))
}

func exportedExpiry(at int64) *records.Time {
	if at == fsm.Never {
		return nil
	}
	t := records.Time(at)
	return &t
}

func exportedRatelimits(list []fsm.Ratelimit) (shown []records.Ratelimit) {
	for _, r := range list {
		shown = append(shown, records.Ratelimit{ID: records.ID(r.ID), Name: r.Name, Limit: r.Limit, Duration: r.Duration, AutoApply: r.AutoApply})
	}
	return shown
}

func exportedLimits(q *fsm.Quotas) *records.Limits {
	if *q == (fsm.Quotas{}) {
		return nil
	}
	limits := &records.Limits{}
	for kind, at := range limits.Fields() {
		if q[kind].Limited {
			*at = &q[kind].Limit
		}
	}
	return limits
}

func algorithmName(a fsm.Algorithm) string {
	for name, of := range algorithms {
		if of == a {
			return name
		}
	}
	return ""
}

// known remembers what many records refer to. It is bounded, and begins anew when it is full.
type known map[fsm.RecordKey]referred

// referred is what an export needs to know of a thing that a record refers to.
type referred struct {
	workspace                        string
	deleted, hadBalance, keysDeleted bool
}

const maxKnown = 50_000

func (k *known) reset() { *k = make(known) }

func (x *exporter) find(kind fsm.Kind, id string) (referred, error) {
	name := fsm.RecordKey{Kind: kind, ID: id}
	if r, ok := x.known[name]; ok {
		return r, nil
	}
	found, err := x.view.Find(name)
	if err != nil {
		return referred{}, err
	}
	r := referred{deleted: true}
	switch found := found.(type) {
	case *fsm.APIRecord:
		r = referred{workspace: found.WorkspaceID, deleted: found.Deleted}
	case *fsm.NamespaceRecord:
		r = referred{workspace: found.WorkspaceID, deleted: found.Deleted}
	case *fsm.PermissionRecord:
		r = referred{workspace: found.WorkspaceID, deleted: found.Deleted}
	case *fsm.RoleRecord:
		r = referred{workspace: found.WorkspaceID, deleted: found.Deleted}
	case *fsm.IdentityRecord:
		r = referred{workspace: found.WorkspaceID, deleted: found.Deleted, hadBalance: found.HadBalance, keysDeleted: found.KeysDeleted}
	}
	if len(x.known) >= maxKnown {
		x.known.reset()
	}
	x.known[name] = r
	return r, nil
}

// liveIDs leaves out what was deleted.
func (x *exporter) liveIDs(kind fsm.Kind, ids []string) (list []records.ID, err error) {
	for _, id := range ids {
		r, err := x.find(kind, id)
		if err != nil {
			return nil, err
		}
		if !r.deleted {
			list = append(list, records.ID(id))
		}
	}
	return slices.Clip(list), nil
}
