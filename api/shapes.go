package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

// The answer schemas that endpoints share, docs/contract.md 2.0. What has no value is left out: 1.8.

type creditsOut struct {
	Remaining *int64     `json:"remaining"` // null: unlimited
	Refill    *refillOut `json:"refill,omitempty"`
}

type refillOut struct {
	Interval  string `json:"interval"`
	Amount    int64  `json:"amount"`
	RefillDay int64  `json:"refillDay,omitempty"` // monthly only
}

func showCredits(c *fsm.Credits) *creditsOut {
	if !c.Limited {
		return &creditsOut{}
	}
	shown := &creditsOut{Remaining: &c.Remaining}
	switch c.Refill.Interval {
	case fsm.Daily:
		shown.Refill = &refillOut{Interval: daily, Amount: c.Refill.Amount}
	case fsm.Monthly:
		shown.Refill = &refillOut{Interval: monthly, Amount: c.Refill.Amount, RefillDay: int64(c.Refill.Day)}
	}
	return shown
}

// showRecord is showCredits where unlimited credits are left out.
func showRecord(c *fsm.Credits) *creditsOut {
	if !c.Limited {
		return nil
	}
	return showCredits(c)
}

type identityOut struct {
	ID           string         `json:"id"`
	ExternalID   string         `json:"externalId"`
	Meta         schema.Object  `json:"meta,omitempty"`
	Credits      *creditsOut    `json:"credits,omitempty"`
	CreditPolicy string         `json:"creditPolicy,omitempty"`
	Ratelimits   []ratelimitOut `json:"ratelimits,omitempty"`
}

func showIdentity(i *fsm.Identity) *identityOut {
	shown := &identityOut{
		ID: i.ID, ExternalID: i.ExternalID, Meta: showMeta(i.Meta), Credits: showRecord(&i.Credits),
		Ratelimits: showRatelimits(i.Ratelimits),
	}
	if i.Policy != fsm.IdentityPays {
		shown.CreditPolicy = creditPolicies[i.Policy]
	}
	return shown
}

type keyOut struct {
	KeyID       string         `json:"keyId"`
	Start       string         `json:"start"`
	Enabled     bool           `json:"enabled"`
	CreatedAt   int64          `json:"createdAt"`
	Name        string         `json:"name,omitempty"`
	Meta        schema.Object  `json:"meta,omitempty"`
	UpdatedAt   int64          `json:"updatedAt,omitempty"`
	LastUsedAt  int64          `json:"lastUsedAt,omitempty"`
	Expires     int64          `json:"expires,omitempty"`
	Credits     *creditsOut    `json:"credits,omitempty"`
	Identity    *identityOut   `json:"identity,omitempty"`
	Permissions []string       `json:"permissions,omitempty"`
	Roles       []string       `json:"roles,omitempty"`
	Ratelimits  []ratelimitOut `json:"ratelimits,omitempty"`
}

func showKey(k *fsm.Key) *keyOut {
	shown := &keyOut{
		KeyID: k.ID, Start: k.Start, Enabled: k.Enabled, CreatedAt: k.CreatedAt, Name: k.Name, Meta: showMeta(k.Meta),
		UpdatedAt: k.UpdatedAt, LastUsedAt: k.LastUsedAt, Expires: showExpiry(k.Expires), Credits: showRecord(&k.Credits),
		Permissions: k.Permissions, Roles: k.Roles, Ratelimits: showRatelimits(k.Ratelimits),
	}
	if k.Identity != nil {
		shown.Identity = showIdentity(k.Identity)
	}
	return shown
}

// showMeta returns "", which is left out, for an empty object.
func showMeta(stored string) schema.Object {
	if stored == "{}" {
		return ""
	}
	return schema.Object(stored)
}

// showExpiry returns 0, which is left out, for what never expires.
func showExpiry(stored int64) int64 {
	if stored == fsm.Never {
		return 0
	}
	return stored
}
