package unkey

import (
	"fmt"
	"slices"

	"github.com/creditd/creditd/api/records"
)

// link is a table whose rows belong to rows of other tables.
type link struct {
	table string
	keys  []string // that name its rows
	ends  []end
	one   bool // exactly one of the ends must be there
}

type end struct{ column, table string }

// links are read on their own, to find the rows that belong to nothing.
var links = []link{
	{"credits", []string{"id"}, []end{{"key_id", "keys"}, {"identity_id", "identities"}}, true},
	{"ratelimits", []string{"id"}, []end{{"key_id", "keys"}, {"identity_id", "identities"}}, true},
	{"roles_permissions", []string{"role_id", "permission_id"}, []end{{"role_id", "roles"}, {"permission_id", "permissions"}}, false},
	{"keys_roles", []string{"key_id", "role_id"}, []end{{"key_id", "keys"}, {"role_id", "roles"}}, false},
	{"keys_permissions", []string{"key_id", "permission_id"}, []end{{"key_id", "keys"}, {"permission_id", "permissions"}}, false},
}

// orphans reports the rows of a page that belong to nothing.
func (l link) orphans(from *reader, rows []row) (convert, error) {
	ends := make([]map[string][]row, len(l.ends))
	for i, e := range l.ends {
		var err error
		if ends[i], err = from.related(e.table, "id", distinct(rows, e.column), "workspace_id"); err != nil {
			return nil, err
		}
	}
	return forEach(rows, func(r row, p *Page) {
		id := r.text(l.keys[0])
		if len(l.keys) > 1 {
			id += "/" + r.text(l.keys[1])
		}
		d := &draft{page: p, table: l.table, id: id}
		given := 0
		for i, e := range l.ends {
			to := r.text(e.column)
			if to == "" {
				continue
			}
			given++
			switch found := ends[i][to]; {
			case len(found) == 0:
				d.lose(e.column, fmt.Sprintf("there is no row %s in %s", to, e.table))
			case found[0].text("workspace_id") != from.workspace:
				d.lose(e.column, fmt.Sprintf("the row %s in %s belongs to another workspace", to, e.table))
			}
		}
		if l.one && given == 0 {
			d.lose(l.ends[0].column, "the row belongs neither to a key nor to an identity")
		}
	}), nil
}

// links reads a table that links rows of two others, by the first. Links to a row that does not exist, or of another workspace, are left
// out: the tables of links are read on their own, where each such link is a problem.
func (r *reader) links(table, from, to, target string, of []string) (map[string][]records.ID, error) {
	found := map[string][]records.ID{}
	rows, err := r.related(table, from, of, to)
	if err != nil {
		return nil, err
	}
	var all []row
	for _, some := range rows {
		all = append(all, some...)
	}
	existing, err := r.related(target, "id", distinct(all, to), "workspace_id")
	if err != nil {
		return nil, err
	}
	for id, some := range rows {
		for _, one := range some {
			if there := existing[one.text(to)]; len(there) > 0 && there[0].text("workspace_id") == r.workspace {
				found[id] = append(found[id], records.ID(one.text(to)))
			}
		}
	}
	for _, ids := range found {
		slices.Sort(ids)
	}
	return found, nil
}
