package unkey

import (
	"regexp"
	"strings"
	"time"

	"github.com/creditd/creditd/api/records"
)

// Effect says what a problem means for its row.
type Effect string

const (
	NotTaken Effect = "not_taken" // the row is not taken over
	Partly   Effect = "partly"    // it is taken over without what the problem names
	Noted    Effect = "noted"     // it is taken over as it is, and there is something to know
)

// Problem is a row that the cluster cannot keep as it is.
type Problem struct {
	Table  string `json:"table"`
	ID     string `json:"id"` // of a row that links two others: both ids, with a slash
	Column string `json:"column"`
	Effect Effect `json:"effect"`
	Reason string `json:"reason"`
}

// Item is a record and the row that it comes from.
type Item struct {
	Table, ID string
	Record    records.Record
}

// Page is what some rows of one table become.
type Page struct {
	Table    string
	Read     int                 // rows
	Items    []Item              // in the order of the rows
	Problems []Problem           // in the order of the rows
	Skipped  map[string]int      // rows that need not be taken over, by the reason
	Cursor   Cursor              // where the next page begins
	Last     bool                // of its table
	ReadAt   time.Time           // a moment before it was read, by the source's clock
	Missing  map[string][]string // see Source.Missing, as it was when the page was read
}

func (p *Page) skip(why string) {
	if p.Skipped == nil {
		p.Skipped = map[string]int{}
	}
	p.Skipped[why]++
}

// Reasons to skip a row.
const (
	SkipDeleted = "deleted"
	SkipRootKey = "root key"
	SkipParent  = "of something deleted"
)

// draft is a row that becomes a record. A problem that loses the row is kept once: the first.
type draft struct {
	page  *Page
	table string
	id    string
	lost  bool
	notes []Problem // kept if the row is taken over
}

// lose notes why the row cannot be taken over.
func (d *draft) lose(column, reason string) {
	if !d.lost {
		d.lost = true
		d.page.Problems = append(d.page.Problems, Problem{d.table, d.id, column, NotTaken, reason})
	}
}

// note notes something of a row that is taken over all the same.
func (d *draft) note(effect Effect, column, reason string) {
	d.notes = append(d.notes, Problem{d.table, d.id, column, effect, reason})
}

// finish adds the record, if the row can be taken over. columns names the column that a property of the record comes from.
func (d *draft) finish(record records.Record, columns map[string]string) {
	if d.lost {
		return
	}
	if err := record.Validate(); err != nil {
		reason := err.Error()
		property := atProperty.FindString(reason)
		reason = strings.TrimPrefix(reason, property+": ")
		_, property, _ = strings.Cut(property, ".")
		column, known := columns[property]
		if !known {
			column = property
		}
		d.lose(column, reason)
		return
	}
	d.page.Problems = append(d.page.Problems, d.notes...)
	d.page.Items = append(d.page.Items, Item{Table: d.table, ID: d.id, Record: record})
}

// atProperty is how a reason begins that concerns one property.
var atProperty = regexp.MustCompile(`^[a-z][a-zA-Z]*(\.[a-zA-Z\[\]]+)+`)
