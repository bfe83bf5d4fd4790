package migrate

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// Summary counts what a pass did.
type Summary struct {
	Workspace string     `json:"workspace"`       // of the source
	Since     *time.Time `json:"since,omitempty"` // only rows that changed since then were read, and all balances
	Complete  bool       `json:"complete"`
	Tables    []*Tally   `json:"tables"`
}

// Tally counts the rows of a table.
type Tally struct {
	Table     string         `json:"table"`
	Part      unkey.Part     `json:"part,omitempty"`
	Rows      int            `json:"rows"`
	Taken     int            `json:"taken"`
	Removed   int            `json:"removed,omitempty"` // in the cluster, because they were deleted at the source
	Skipped   map[string]int `json:"skipped,omitempty"`
	NotTaken  int            `json:"notTaken,omitempty"`
	Partly    int            `json:"partly,omitempty"`
	Noted     int            `json:"noted,omitempty"`
	Outcomes  map[string]int `json:"outcomes,omitempty"`
	Shortfall int64          `json:"shortfall,omitempty"` // credits
}

func (s *Summary) of(at step) *Tally {
	i := slices.IndexFunc(s.Tables, func(t *Tally) bool { return t.Table == at.table && t.Part == at.part })
	if i < 0 {
		i, s.Tables = len(s.Tables), append(s.Tables, &Tally{Table: at.table, Part: at.part})
	}
	return s.Tables[i]
}

// Problems is the number of problems.
func (s *Summary) Problems() (n int) {
	for _, t := range s.Tables {
		n += t.NotTaken + t.Partly + t.Noted
	}
	return n
}

func (t *Tally) skip(why string, n int) {
	if t.Skipped == nil {
		t.Skipped = map[string]int{}
	}
	t.Skipped[why] += n
}

func (t *Tally) outcome(name string) {
	if t.Outcomes == nil {
		t.Outcomes = map[string]int{}
	}
	t.Outcomes[name]++
}

func (t *Tally) count(effect unkey.Effect) {
	switch effect {
	case unkey.NotTaken:
		t.NotTaken++
	case unkey.Partly:
		t.Partly++
	case unkey.Noted:
		t.Noted++
	}
}

// WriteText writes the summary for people.
func (s *Summary) WriteText(w io.Writer) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "TABLE\tROWS\tTAKEN OVER\tCREATED\tCHANGED\tSKIPPED\tREMOVED\tNOT TAKEN\tPARTLY\tNOTED")
	for _, t := range s.Tables {
		skipped := 0
		for _, n := range t.Skipped {
			skipped += n
		}
		fmt.Fprintf(columns, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", step{t.Table, t.Part}, t.Rows, t.Taken, t.Outcomes["created"], t.Outcomes["replaced"], skipped, t.Removed,
			t.NotTaken, t.Partly, t.Noted)
	}
	if err := columns.Flush(); err != nil || s.Since == nil {
		return err
	}
	_, err := fmt.Fprintf(w, "Only what changed since %s was read. A removed role, permission or rate limit leaves no time in the source:\n"+
		"only a pass without --since finds it.\n", s.Since.UTC().Format(time.RFC3339))
	return err
}
