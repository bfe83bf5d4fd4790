package unkey

import (
	"maps"

	"github.com/creditd/creditd/api/records"
)

// ratelimitColumns are those of rate limits of keys and identities.
var ratelimitColumns = []string{"id", "name", "limit", "duration", "auto_apply", "workspace_id"}

// ratelimits turns rows into rate limits. Older releases had no column auto_apply: every rate limit of a key applied by itself.
func (d *draft) ratelimits(s *Source, rows []row) (limits []records.Ratelimit) {
	for _, r := range rows {
		limit := records.Ratelimit{
			ID: records.ID(r.text("id")), Name: r.text("name"), Limit: d.number(r, "limit", "ratelimits.limit"),
			Duration: d.number(r, "duration", "ratelimits.duration"), AutoApply: r.isSet("auto_apply"),
		}
		if !s.has("ratelimits", "auto_apply") {
			limit.AutoApply = d.table == "keys"
		}
		limits = append(limits, limit)
	}
	return limits
}

// withParts adds the columns that the parts of a balance and of rate limits come from.
func withParts(c balanceColumns, names map[string]string) map[string]string {
	names = maps.Clone(names)
	for property, column := range map[string]string{
		"credits.remaining": c.shown + c.remaining, "credits.refill.amount": c.shown + c.amount, "credits.refill.refillDay": c.shown + c.day,
		"credits.refilledAt": c.shown + c.refilled, "credits.consideredAt": c.shown + c.refilled,
		"ratelimits": "ratelimits", "ratelimits[].id": "ratelimits.id", "ratelimits[].name": "ratelimits.name", "ratelimits[].limit": "ratelimits.limit",
		"ratelimits[].duration": "ratelimits.duration",
	} {
		names[property] = column
	}
	return names
}

var identityColumns = withParts(creditColumns, map[string]string{
	"id": "id", "externalId": "external_id", "meta": "meta", "createdAt": "created_at",
})

func (s *Source) identities(from *reader, rows []row) (convert, error) {
	ids := distinct(rows, "id")
	credits, err := from.related("credits", "identity_id", ids, "key_id", "remaining", "refill_day", "refill_amount", "refilled_at")
	if err != nil {
		return nil, err
	}
	limits, err := from.related("ratelimits", "identity_id", ids, ratelimitColumns...)
	if err != nil {
		return nil, err
	}
	return forEach(rows, func(r row, p *Page) {
		d := &draft{page: p, table: "identities", id: r.text("id")}
		if r.isSet("deleted") {
			p.skip(SkipDeleted)
			return
		}
		identity := &records.Identity{
			ID: records.ID(d.id), ExternalID: r.text("external_id"), Meta: d.meta(r), Ratelimits: d.ratelimits(s, limits[d.id]),
			CreatedAt: d.millis(r, "created_at", "created_at"),
		}
		if rows := credits[d.id]; len(rows) > 0 {
			identity.Credits = d.creditRow(rows[0], "key_id", s.days)
		}
		if !plainExternalID.MatchString(identity.ExternalID) {
			d.note(Noted, "external_id", "keys.createKey and keys.updateKey take only letters, digits and _ . - in an externalId: "+
				"new keys cannot name this one")
		}
		d.environment(r)
		d.finish(records.Record{Identity: identity}, identityColumns)
		s.lost(d)
	}), nil
}

// environment reports an environment, which the cluster does not have.
func (d *draft) environment(r row) {
	if name := r.text("environment"); name != "" && name != "default" {
		d.note(Partly, "environment", "the cluster has no environments; this one is "+name)
	}
}
