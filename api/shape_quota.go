package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

// quotaChanges are the limits of workspaces.updateWorkspace, docs/contract.md 7.2.
type quotaChanges struct {
	Keys              schema.Nullable[int64] `json:"keys" schema:"minimum=0"`
	Identities        schema.Nullable[int64] `json:"identities" schema:"minimum=0"`
	APIs              schema.Nullable[int64] `json:"apis" schema:"minimum=0"`
	Permissions       schema.Nullable[int64] `json:"permissions" schema:"minimum=0"`
	Roles             schema.Nullable[int64] `json:"roles" schema:"minimum=0"`
	Namespaces        schema.Nullable[int64] `json:"namespaces" schema:"minimum=0"`
	Overrides         schema.Nullable[int64] `json:"overrides" schema:"minimum=0"`
	Windows           schema.Nullable[int64] `json:"windows" schema:"minimum=0"`
	Outcomes          schema.Nullable[int64] `json:"outcomes" schema:"minimum=0"`
	RequestsPerSecond schema.Nullable[int64] `json:"requestsPerSecond" schema:"minimum=1"`
}

func (q *quotaChanges) changes() (changes fsm.QuotaChanges) {
	if q == nil {
		return changes
	}
	for kind, change := range map[fsm.QuotaKind]schema.Nullable[int64]{
		fsm.KeysQuota: q.Keys, fsm.IdentitiesQuota: q.Identities, fsm.APIsQuota: q.APIs, fsm.PermissionsQuota: q.Permissions,
		fsm.RolesQuota: q.Roles, fsm.NamespacesQuota: q.Namespaces, fsm.OverridesQuota: q.Overrides, fsm.WindowsQuota: q.Windows,
		fsm.OutcomesQuota: q.Outcomes, fsm.RequestsQuota: q.RequestsPerSecond,
	} {
		changes[kind] = field(change, same[int64])
	}
	return changes
}

// quotasOut are the quotas of a workspace. What has none is left out.
type quotasOut struct {
	Keys              *int64 `json:"keys,omitempty"`
	Identities        *int64 `json:"identities,omitempty"`
	APIs              *int64 `json:"apis,omitempty"`
	Permissions       *int64 `json:"permissions,omitempty"`
	Roles             *int64 `json:"roles,omitempty"`
	Namespaces        *int64 `json:"namespaces,omitempty"`
	Overrides         *int64 `json:"overrides,omitempty"`
	Windows           *int64 `json:"windows,omitempty"`
	Outcomes          *int64 `json:"outcomes,omitempty"`
	RequestsPerSecond *int64 `json:"requestsPerSecond,omitempty"`
}

func showQuotas(q *fsm.Quotas) *quotasOut {
	if *q == (fsm.Quotas{}) {
		return nil
	}
	of := func(kind fsm.QuotaKind) *int64 {
		if !q[kind].Limited {
			return nil
		}
		return &q[kind].Limit
	}
	return &quotasOut{
		Keys: of(fsm.KeysQuota), Identities: of(fsm.IdentitiesQuota), APIs: of(fsm.APIsQuota), Permissions: of(fsm.PermissionsQuota),
		Roles: of(fsm.RolesQuota), Namespaces: of(fsm.NamespacesQuota), Overrides: of(fsm.OverridesQuota), Windows: of(fsm.WindowsQuota),
		Outcomes: of(fsm.OutcomesQuota), RequestsPerSecond: of(fsm.RequestsQuota),
	}
}

// usageOut is how much a workspace has of what there are quotas of.
type usageOut struct {
	Keys        int64 `json:"keys"`
	Identities  int64 `json:"identities"`
	APIs        int64 `json:"apis"`
	Permissions int64 `json:"permissions"`
	Roles       int64 `json:"roles"`
	Namespaces  int64 `json:"namespaces"`
	Overrides   int64 `json:"overrides"`
	Windows     int64 `json:"windows"`
	Outcomes    int64 `json:"outcomes"`
}

func showUsage(u *fsm.Usage) usageOut {
	return usageOut{
		Keys: u[fsm.KeysQuota], Identities: u[fsm.IdentitiesQuota], APIs: u[fsm.APIsQuota], Permissions: u[fsm.PermissionsQuota],
		Roles: u[fsm.RolesQuota], Namespaces: u[fsm.NamespacesQuota], Overrides: u[fsm.OverridesQuota], Windows: u[fsm.WindowsQuota],
		Outcomes: u[fsm.OutcomesQuota],
	}
}
