package api

import (
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type keyID string

func (keyID) SchemaTag() string {
	return `schema:"minLength=3,maxLength=255,pattern=^[a-zA-Z0-9_]+$"`
}

// secretKey is a full key as a caller presents it.
type secretKey string

func (secretKey) SchemaTag() string {
	return `schema:"minLength=1,maxLength=512" doc:"The full key, as it was shown at its creation."`
}

// createKeyData is the only answer that shows a full key.
type createKeyData struct {
	KeyID string `json:"keyId"`
	Key   string `json:"key"`
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
	Expires     *int64         `json:"expires,omitempty"`
	Credits     *creditsOut    `json:"credits,omitempty"`
	Identity    *identityOut   `json:"identity,omitempty"`
	Permissions []string       `json:"permissions,omitempty"`
	Roles       []string       `json:"roles,omitempty"`
	Ratelimits  []ratelimitOut `json:"ratelimits,omitempty"`
}

func (k *keyOut) metas() []*schema.Object {
	if k.Identity == nil {
		return []*schema.Object{&k.Meta}
	}
	return []*schema.Object{&k.Meta, &k.Identity.Meta}
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

// exportedKey is a key as a record, without what it refers to and without its credits.
func exportedKey(r *fsm.KeyRecord) records.Key {
	k := records.Key{
		ID: records.ID(r.ID), APIID: records.ID(r.APIID), Hash: exportedHash(r.Hash), Start: r.Start, Name: r.Name, Meta: showMeta(r.Meta),
		Enabled: r.Enabled, Expires: exportedExpiry(r.Expires), Ratelimits: exportedRatelimits(r.Ratelimits),
		CreatedAt: records.Time(r.CreatedAt), UpdatedAt: records.Time(r.UpdatedAt), LastUsedAt: records.Time(r.LastUsedAt),
	}
	if r.FormerHash != (fsm.Hash{}) {
		k.FormerHash = exportedHash(r.FormerHash)
	}
	return k
}

func importedKey(k *records.Key) *fsm.KeyRecord {
	r := &fsm.KeyRecord{
		ID: string(k.ID), Hash: importedHash(k.Hash), Start: k.Start, APIID: string(k.APIID), IdentityID: string(k.IdentityID), Name: k.Name,
		Meta: keptMeta(k.Meta), CreatedAt: int64(k.CreatedAt), UpdatedAt: int64(k.UpdatedAt), LastUsedAt: int64(k.LastUsedAt),
		Expires: importedExpiry(k.Expires), Enabled: k.Enabled, Permissions: plainIDs(k.Permissions), Roles: plainIDs(k.Roles),
		Ratelimits: importedRatelimits(k.Ratelimits),
	}
	if k.FormerHash != "" {
		r.FormerHash = importedHash(k.FormerHash)
	}
	return r
}
