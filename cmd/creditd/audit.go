package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{use: "audit", short: "look at the audit log", long: "The audit log has one entry per change by a root key, for 30 days."})

var _ = register(registration{group: "audit", use: "list", short: "show who changed what",
	long: `Shows the changes in the root key's workspace, newest first. Section 7.4 of docs/contract.md lists
the events. --from and --to take a time like 2030-01-31T00:00:00Z or a duration before now like 24h.
The table names a few resources and balances of an entry; -o json has all.`,
	make: func() command {
		f := &auditFilters{}
		return &list[auditShown]{limit: pageSize, endpoint: "audit.listEntries", header: []string{"TIME", "EVENT", "ACTOR", "RESOURCES", "BALANCES", "FROM"},
			row: auditShown.row, filters: f.bind, ask: f.ask}
	}})

type auditFilters struct{ resource, actor, event, from, to string }

func (f *auditFilters) bind(s *settings.Set) {
	s.Text(&f.resource, "resource", "ID", "only changes of this resource: the id of a key, an identity, an API, …")
	s.Text(&f.actor, "actor", "KEYID", "only changes by this root key")
	s.Text(&f.event, "event", "EVENT", "only changes of this kind, such as key.credits.update")
	s.Text(&f.from, "from", "TIME", "only changes from this time on")
	s.Text(&f.to, "to", "TIME", "only changes before this time")
}

func (f *auditFilters) ask(in invocation, s *settings.Set, request map[string]any) {
	for field, value := range map[string]string{"resourceId": f.resource, "actorId": f.actor, "event": f.event} {
		if value != "" {
			request[field] = value
		}
	}
	for flag, value := range map[string]string{"from": f.from, "to": f.to} {
		if value == "" {
			continue
		}
		at, err := parsePast(value, in.now)
		if err != nil {
			s.Refuse(flag, "%q: %v", value, err)
			continue
		}
		request[flag] = at.UnixMilli()
	}
}

// parsePast reads a moment, or a duration before now.
func parsePast(raw string, now time.Time) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, raw)
	if err == nil {
		return at, nil
	}
	ago, err := time.ParseDuration(raw)
	if err != nil || ago < 0 {
		return at, errors.New("neither a time like 2030-01-31T00:00:00Z nor a duration before now like 24h")
	}
	return now.Add(-ago), nil
}

// auditShown is an entry as audit.listEntries shows it.
type auditShown struct {
	Time  int64  `json:"time"`
	Event string `json:"event"`
	Actor struct {
		KeyID string `json:"keyId"`
		Name  string `json:"name"`
	} `json:"actor"`
	Resources  []auditedThing `json:"resources"`
	Omitted    int            `json:"omitted"`
	Balances   []auditedThing `json:"balances"`
	RemoteAddr string         `json:"remoteAddr"`
}

type auditedThing struct {
	Type   string `json:"type"`
	ID     string `json:"id"`
	Before *int64 `json:"before"`
	After  *int64 `json:"after"`
}

func (a auditShown) row() []string {
	actor := a.Actor.KeyID
	if a.Actor.Name != "" {
		actor += " (" + a.Actor.Name + ")"
	}
	resource := func(r auditedThing) string { return r.Type + " " + r.ID }
	balance := func(b auditedThing) string {
		return fmt.Sprintf("%s: %s → %s", b.ID, amount(b.Before, "unlimited"), amount(b.After, "unlimited"))
	}
	return []string{moment(a.Time), a.Event, actor, some(a.Resources, a.Omitted, resource), some(a.Balances, 0, balance), a.RemoteAddr}
}

// cellThings is how many things a cell of the table names: an import changes hundreds at once, and the longest cell makes its column.
const cellThings = 3

// some names the first things, and counts the others with those that the entry itself leaves out.
func some(things []auditedThing, omitted int, name func(auditedThing) string) string {
	var names []string
	for _, thing := range things[:min(len(things), cellThings)] {
		names = append(names, name(thing))
	}
	if omitted += len(things) - len(names); omitted > 0 {
		names = append(names, fmt.Sprintf("and %d more", omitted))
	}
	return strings.Join(names, ", ")
}
