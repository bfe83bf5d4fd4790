package fsmtest

import (
	"slices"

	"github.com/creditd/creditd/fsm"
)

func (t *Model) identityIDTaken(id string) bool {
	return slices.ContainsFunc(t.identities, func(i *identity) bool { return i.id == id })
}

func (t *Model) identityByExternalID(root *rootKey, externalID string) *identity {
	for _, i := range t.identities {
		if i.externalID == externalID && i.workspace == root.workspace && !i.deleted {
			return i
		}
	}
	return nil
}

// findIdentity tries an id, then an externalId: contract 2.0, IdentityRef.
func (t *Model) findIdentity(root *rootKey, ref string) *identity {
	for _, i := range t.identities {
		if i.id == ref && i.workspace == root.workspace && !i.deleted {
			return i
		}
	}
	return t.identityByExternalID(root, ref)
}

func (i *identity) shown() *fsm.Identity {
	return &fsm.Identity{
		ID: i.id, ExternalID: i.externalID, Meta: i.meta, Credits: i.account.shown(), Policy: i.policy,
		Ratelimits: byName(i.limits),
	}
}

func (t *Model) createIdentity(root *rootKey, c *fsm.CreateIdentity) fsm.Result {
	if r := need(root, "identity.*.create_identity"); r != nil {
		return r
	}
	opening, ok := opened(c.Credits)
	if !ok {
		return refusal(fsm.InvalidInput)
	}
	if t.identityByExternalID(root, c.ExternalID) != nil {
		return refusal(fsm.IdentityExists)
	}
	if t.identityIDTaken(c.ID) {
		return refusal(fsm.IDTaken)
	}
	if r := t.room(root, fsm.Usage{fsm.IdentitiesQuota: 1}); r != nil {
		return r
	}
	t.identities = append(t.identities, &identity{
		id: c.ID, externalID: c.ExternalID, workspace: root.workspace, meta: c.Meta, policy: c.Policy, account: opening,
		limits: replaced(nil, c.Ratelimits), createdAt: t.now,
	})
	return &fsm.Created{ID: c.ID}
}

// updateIdentity is contract 2.4 and 4.6: the permission first.
func (t *Model) updateIdentity(root *rootKey, c *fsm.UpdateIdentity) fsm.Result {
	if r := need(root, "identity.*.update_identity"); r != nil {
		return r
	}
	i := t.findIdentity(root, c.Identity)
	if i == nil {
		return refusal(fsm.IdentityNotFound)
	}
	after, ok := i.account.updated(c.Credits)
	if !ok {
		return refusal(fsm.InvalidInput)
	}
	if twice(c.Ratelimits.Value) {
		return refusal(fsm.InvalidInput)
	}
	if c.Ratelimits.State == fsm.Given {
		i.limits = replaced(i.limits, c.Ratelimits.Value)
	}
	i.account = after
	change(&i.meta, c.Meta, "")
	change(&i.policy, c.Policy, i.policy)
	return i.shown()
}

// deleteIdentity is contract 2.4: the permission first.
func (t *Model) deleteIdentity(root *rootKey, c *fsm.DeleteIdentity) fsm.Result {
	if r := need(root, "identity.*.delete_identity"); r != nil {
		return r
	}
	if c.DeleteKeys {
		if r := need(root, "api.*.delete_key"); r != nil {
			return r
		}
	}
	i := t.findIdentity(root, c.Identity)
	if i == nil {
		return refusal(fsm.IdentityNotFound)
	}
	i.deleted = true
	t.forget("identity "+i.id, i.limits)
	if t.version >= FourthRules {
		i.meta, i.limits = "", nil
	}
	if t.version < SecondRules {
		return &fsm.Done{}
	}
	i.hadBalance, i.ended = i.account.limited, c.DeleteKeys
	for _, k := range t.keys {
		if k.identity == i.id {
			k.lost = i.account.limited && !k.account.limited
			k.ended = c.DeleteKeys
		}
	}
	i.account = account{}
	return &fsm.Done{}
}

// updateIdentityCredits is contract 2.4 and 4.4: the lookup first.
func (t *Model) updateIdentityCredits(root *rootKey, c *fsm.UpdateIdentityCredits) fsm.Result {
	i := t.findIdentity(root, c.Identity)
	if i == nil {
		return refusal(fsm.IdentityNotFound)
	}
	if r := need(root, either("identity", i.id, "update_identity")...); r != nil {
		return r
	}
	return move(&i.account, c.Change)
}

// getIdentity is contract 2.4: the lookup first.
func (t *Model) getIdentity(root *rootKey, q *fsm.GetIdentity) fsm.Result {
	i := t.findIdentity(root, q.Identity)
	if i == nil {
		return refusal(fsm.IdentityNotFound)
	}
	if r := need(root, either("identity", i.id, "read_identity")...); r != nil {
		return r
	}
	return i.shown()
}
