package migrate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// Report writes problems, one JSON object per line, and a summary at the end. A nil Report writes nothing.
type Report struct {
	file    *os.File
	buffer  *bufio.Writer
	written int64
	synced  int64 // of written
}

// OpenReport opens the file and drops what stands after the first keep bytes: a resumed pass finds it again.
func OpenReport(name string, keep int64) (*Report, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		if info.Size() < keep {
			_ = file.Close()
			return nil, fmt.Errorf("%s has %d bytes, and the state says %d: is it the report of this pass?", name, info.Size(), keep)
		}
		if err := file.Truncate(keep); err != nil {
			_ = file.Close()
			return nil, err
		}
		if _, err := file.Seek(keep, io.SeekStart); err != nil {
			_ = file.Close()
			return nil, err
		}
	}
	return &Report{file: file, buffer: bufio.NewWriter(file), written: keep}, nil
}

func (r *Report) line(value any) error {
	if r == nil {
		return nil
	}
	text, err := json.Marshal(value)
	if err == nil {
		_, err = r.buffer.Write(append(text, '\n'))
		r.written += int64(len(text)) + 1
	}
	return err
}

func (r *Report) problem(p unkey.Problem) error {
	return r.line(struct {
		Problem unkey.Problem `json:"problem"`
	}{p})
}

func (r *Report) difference(d Difference) error {
	return r.line(struct {
		Difference Difference `json:"difference"`
	}{d})
}

func (r *Report) end(s *Summary) error {
	if err := r.line(struct {
		Summary *Summary `json:"summary"`
	}{s}); err != nil {
		return err
	}
	_, err := r.flush()
	return err
}

// flush returns how long the report is.
func (r *Report) flush() (int64, error) {
	if r == nil {
		return 0, nil
	}
	return r.written, r.buffer.Flush()
}

// sync returns how long the report is, once that much is on the disk.
func (r *Report) sync() (int64, error) {
	length, err := r.flush()
	if r == nil || err != nil || length == r.synced {
		return length, err
	}
	if err := r.file.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) { // a pipe cannot
		return 0, err
	}
	r.synced = length
	return length, nil
}

// Close ends the report.
func (r *Report) Close() error {
	if r == nil {
		return nil
	}
	_, err := r.flush()
	if closed := r.file.Close(); err == nil {
		err = closed
	}
	return err
}

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
