package migrate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// State is how far a pass came. It only saves time: a pass that begins again finds its records in the cluster. Methods of a nil State do
// nothing.
type State struct {
	Version  int                 `json:"version"`
	Place                        // where it belongs
	Started  int64               `json:"started"` // by the source's clock, Unix ms
	Since    int64               `json:"since,omitempty"`
	DryRun   bool                `json:"dryRun,omitempty"`
	Finished bool                `json:"finished"`
	Step     int                 `json:"step"`
	Cursor   unkey.Cursor        `json:"cursor,omitempty"`
	Report   int64               `json:"report"` // bytes
	Missing  map[string][]string `json:"missing,omitempty"`
	Summary  Summary             `json:"summary"`

	name    string
	written time.Time // when the file was, by this process
	behind  bool      // the file lacks pages
}

// stateEvery is how often the file is written at most: it must reach the disk, and a pass that is killed repeats what came after it.
const stateEvery = 250 * time.Millisecond

const stateVersion = 2

// Place is from where to where a pass moves. A name that is empty is unknown: a dry run has no cluster, and files of earlier builds name only the
// workspace of the source.
type Place struct {
	Workspace        string `json:"workspace"`        // of the source
	Source           string `json:"source,omitempty"` // its database
	Cluster          string `json:"cluster,omitempty"`
	ClusterWorkspace string `json:"clusterWorkspace,omitempty"`
}

// differs says in what a place is not another one; empty: they may be the same.
func (p Place) differs(other Place) string {
	for _, one := range []struct{ what, has, is string }{
		{"workspace", p.Workspace, other.Workspace}, {"database", p.Source, other.Source}, {"cluster", p.Cluster, other.Cluster},
		{"workspace of the cluster", p.ClusterWorkspace, other.ClusterWorkspace},
	} {
		if one.has != "" && one.is != "" && one.has != one.is {
			return fmt.Sprintf("is of the %s %s, not of %s", one.what, one.has, one.is)
		}
	}
	return ""
}

// LoadState reads the file. Without it the state is that of a pass that has not begun.
func LoadState(name string, place Place) (*State, error) {
	s := &State{Version: stateVersion, Place: place, name: name}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the state %s: %w", name, err)
	case s.Version != stateVersion:
		return nil, fmt.Errorf("the state %s has version %d; this build reads %d", name, s.Version, stateVersion)
	}
	if differs := s.Place.differs(place); differs != "" {
		return nil, fmt.Errorf("the state %s %s: what it calls written may not be there. Name another file: a pass that begins anew finds what is there", name, differs)
	}
	s.Place = place
	return s, nil
}

// Wanted says which pass begins, or goes on.
type Wanted struct {
	DryRun bool
	Since  time.Time // zero: a complete one
	Last   bool      // since the last pass that was completed
	Anew   bool      // never goes on: what an interrupted one has done is followed, and a migration has to end before it begins anew
}

// overlap is how much earlier than the last pass began a later one reads: a transaction at the source may have ended later than the times that it wrote.
const overlap = 10 * time.Minute

// Begin begins the wanted pass at a time of the source, or goes on with an interrupted one that reads at least as much. It returns since when the
// pass reads.
func (s *State) Begin(now time.Time, want Wanted) (since time.Time, goesOn bool, err error) {
	if s.Started != 0 && s.DryRun != want.DryRun {
		kind := map[bool]string{true: "a dry run", false: "a pass that writes"}
		return since, false, fmt.Errorf("the state %s is of %s; %s needs a file of its own", s.name, kind[s.DryRun], kind[want.DryRun])
	}
	if began := time.UnixMilli(s.Started); s.Started != 0 && now.Before(began) {
		return since, false, fmt.Errorf("the clock of the source shows %s, and the last pass began at %s by it: balances that are read now would count as "+
			"older ones, and move nothing. Wait until then, or set the clock", now.UTC().Format(time.RFC3339), began.UTC().Format(time.RFC3339))
	}
	if s.Started != 0 && !s.Finished && !want.Anew {
		if s.Since != 0 {
			since = time.UnixMilli(s.Since)
		}
		if since.IsZero() || want.Last || !want.Since.IsZero() && !since.After(want.Since) {
			return since, true, nil
		}
	}
	since = want.Since
	if want.Last {
		if !s.Finished {
			return since, false, fmt.Errorf("--since last: %s has no pass that was completed", s.name)
		}
		since = time.UnixMilli(s.Started).Add(-overlap)
	}
	s.renew(now, since, want.DryRun)
	return since, false, nil
}

func (s *State) renew(now, since time.Time, dry bool) {
	missing := s.Missing
	if since.IsZero() {
		missing = nil
	}
	*s = State{Version: stateVersion, Place: s.Place, Started: now.UnixMilli(), DryRun: dry, Missing: missing, name: s.name}
	if !since.IsZero() {
		s.Since = since.UnixMilli()
	}
}

// begin says that a page is being counted: until it is saved, the state would be between two pages.
func (s *State) begin() {
	if s != nil {
		s.behind = false
	}
}

func (s *State) save(p *Pass, number int, page *unkey.Page) (err error) {
	if s == nil {
		return nil
	}
	s.Step, s.Cursor, s.Missing, s.Summary = number, page.Cursor, page.Missing, p.summary
	for _, row := range p.lost {
		s.Missing[row[0]] = append(s.Missing[row[0]], row[1])
	}
	if page.Last {
		s.Step, s.Cursor = number+1, nil
	}
	if s.behind = true; time.Since(s.written) < stateEvery {
		return nil
	}
	return s.write(p.Report)
}

// catchUp writes what the file lacks, before a pass ends early.
func (s *State) catchUp(report *Report) error {
	if s == nil || !s.behind {
		return nil
	}
	return s.write(report)
}

// Write writes the state of a pass that begins, so that one which cannot be written is known before anything else is.
func (s *State) Write(report *Report) error {
	if s == nil {
		return nil
	}
	return s.write(report)
}

func (s *State) finish(report *Report, summary *Summary) error {
	if s == nil {
		return nil
	}
	s.Finished, s.Summary = true, *summary
	return s.write(report)
}

// write replaces the file in one step, so that a crash leaves the old or the new one. The report reaches the disk first: the state says how long
// it is.
func (s *State) write(report *Report) (err error) {
	s.behind = false // also where this fails: it would fail again
	if s.Report, err = report.sync(); err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	temporary := filepath.Join(filepath.Dir(s.name), "."+filepath.Base(s.name)+".new")
	if err = writeSynced(temporary, text); err == nil {
		err = os.Rename(temporary, s.name)
	}
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	s.written = time.Now()
	return nil
}

func writeSynced(name string, text []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = file.Write(text); err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
