package unkey

import (
	"slices"
	"strings"

	"github.com/creditd/creditd/api/records"
)

// lost keeps in mind that a row cannot be taken over, for those that refer to it.
func (s *Source) lost(d *draft) {
	if d.lost {
		s.Miss(d.table, d.id)
	}
}

// Miss keeps in mind that a row is not taken over: it is lost, or the cluster refused it.
func (s *Source) Miss(table, id string) {
	if s.missing[table] == nil {
		s.missing[table] = map[string]bool{}
	}
	s.missing[table][strings.Clone(id)] = true // not the whole row
}

// kept leaves out of the links those to rows that are not taken over.
func (s *Source) kept(ids []records.ID, table string) (kept []records.ID) {
	for _, id := range ids {
		if !s.missing[table][string(id)] {
			kept = append(kept, id)
		}
	}
	return kept
}

// Referred reports whether rows of other tables refer to those of a table, so that it matters which of them are not taken over.
func Referred(table string) bool {
	return slices.Contains([]string{"permissions", "roles", "apis", "ratelimit_namespaces", "identities"}, table)
}

// Missing are the ids of rows that could not be taken over, by table. A resumed migration gives them back.
func (s *Source) Missing() map[string][]string {
	missing := map[string][]string{}
	for table, ids := range s.missing {
		for id := range ids {
			missing[table] = append(missing[table], id)
		}
	}
	return missing
}

// Remember takes what Missing returned.
func (s *Source) Remember(missing map[string][]string) {
	for table, ids := range missing {
		for _, id := range ids {
			s.Miss(table, id)
		}
	}
}
