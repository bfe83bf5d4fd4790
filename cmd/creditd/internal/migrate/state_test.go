package migrate

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// A pass that ends early leaves a state of every page that it counted, and of none that it counted half.
func TestState_CatchesUp(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state")
	state, err := LoadState(name, Place{Workspace: "ws_1"})
	require.NoError(t, err)
	_, _, err = state.Begin(time.UnixMilli(1_800_000_000_000), Wanted{})
	require.NoError(t, err)
	pass := &Pass{State: state}
	count := func(cursor string) {
		page := &unkey.Page{Table: "keys", Read: 1, Cursor: unkey.Cursor{cursor}, Missing: map[string][]string{}}
		require.NoError(t, pass.commit(3, step{table: "keys"}, &sent{page: page}))
		state.written = time.Now().Add(time.Hour) // the next one waits
	}
	kept := func() string {
		s, err := LoadState(name, Place{Workspace: "ws_1"})
		require.NoError(t, err)
		return s.Cursor[0]
	}
	count("7")
	count("8")
	require.Equal(t, "7", kept())
	require.NoError(t, state.catchUp(nil))
	require.Equal(t, "8", kept())
	count("9")
	state.begin()
	require.NoError(t, state.catchUp(nil))
	require.Equal(t, "8", kept(), "a page was being counted")
}

// Whatever a killed pass wrote to the report after its last state is cut, so that nothing is listed twice.
func TestState_ReportEndsWhereThePassGoesOn(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "report")
	state, err := LoadState(filepath.Join(dir, "state"), Place{Workspace: "ws_1"})
	require.NoError(t, err)
	now := time.UnixMilli(1_800_000_000_000)
	_, _, err = state.Begin(now, Wanted{})
	require.NoError(t, err)
	report, err := OpenReport(name, 0)
	require.NoError(t, err)
	pass := &Pass{Report: report, State: state}
	one := &sent{page: &unkey.Page{
		Table: "keys", Read: 1, Cursor: unkey.Cursor{"7"}, Missing: map[string][]string{},
		Problems: []unkey.Problem{{Table: "keys", ID: "key_1", Column: "hash", Effect: unkey.NotTaken, Reason: "r"}},
	}}
	require.NoError(t, pass.commit(3, step{table: "keys"}, one))
	kept, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, `{"problem":{"table":"keys","id":"key_1","column":"hash","effect":"not_taken","reason":"r"}}`+"\n", string(kept))
	require.NoError(t, report.problem(one.page.Problems[0]), "the page after it, whose state was not written")
	require.NoError(t, report.Close())

	again, err := LoadState(filepath.Join(dir, "state"), Place{Workspace: "ws_1"})
	require.NoError(t, err)
	since, goesOn, err := again.Begin(now.Add(time.Hour), Wanted{})
	require.NoError(t, err)
	require.True(t, goesOn)
	require.True(t, since.IsZero())
	require.Equal(t, unkey.Cursor{"7"}, again.Cursor)
	require.Equal(t, 3, again.Step)
	require.Equal(t, 1, again.Summary.Problems())
	report, err = OpenReport(name, again.Report)
	require.NoError(t, err)
	require.NoError(t, report.Close())
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(kept), string(text))
	_, err = OpenReport(name, again.Report+1)
	require.ErrorContains(t, err, "is it the report of this pass?")
	_, err = LoadState(filepath.Join(dir, "state"), Place{Workspace: "ws_2"})
	require.ErrorContains(t, err, "is of the workspace ws_1, not of ws_2")
}

// A state says what is written in one cluster, from one database. Elsewhere nothing of it may be there. A file of an earlier build names neither.
func TestState_OfOnePlace(t *testing.T) {
	place := Place{Workspace: "ws_1", Source: "db:3306/unkey", Cluster: "cluster_1", ClusterWorkspace: "ws_9"}
	name := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(name, []byte(`{"version":2,"workspace":"ws_1","started":1800000000000,"finished":true,"step":0,"report":0,"summary":{}}`), 0o600))
	s, err := LoadState(name, place)
	require.NoError(t, err, "of an earlier build")
	since, _, err := s.Begin(time.UnixMilli(1_800_000_100_000), Wanted{Last: true})
	require.NoError(t, err)
	require.Equal(t, time.UnixMilli(1_800_000_000_000).Add(-overlap), since)
	require.NoError(t, s.Write(nil))

	_, err = LoadState(name, place)
	require.NoError(t, err)
	_, err = LoadState(name, Place{Workspace: "ws_1", Source: "db:3306/unkey"})
	require.NoError(t, err, "a dry run has no cluster, and is refused for another reason")
	for other, says := range map[Place]string{
		{Workspace: "ws_2"}:                            "is of the workspace ws_1, not of ws_2",
		{Workspace: "ws_1", Source: "copy:3306/unkey"}: "is of the database db:3306/unkey, not of copy:3306/unkey",
		{Workspace: "ws_1", Source: "db:3306/unkey", Cluster: "cluster_2", ClusterWorkspace: "ws_9"}: "is of the cluster cluster_1, not of cluster_2",
		{Workspace: "ws_1", Source: "db:3306/unkey", Cluster: "cluster_1", ClusterWorkspace: "ws_8"}: "is of the workspace of the cluster ws_9, not of ws_8",
	} {
		_, err := LoadState(name, other)
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, "Name another file")
	}
}

// An interrupted pass goes on if it reads at least what is wanted. The last complete one is never a dry run, which brought nothing over.
func TestState_WhichPassGoesOn(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state")
	now := time.UnixMilli(1_800_000_000_000)
	begin := func(s *State, want Wanted) (time.Time, bool) {
		since, goesOn, err := s.Begin(now, want)
		require.NoError(t, err)
		return since, goesOn
	}
	fresh := func() *State {
		s, err := LoadState(name, Place{Workspace: "ws_1"})
		require.NoError(t, err)
		return s
	}
	_, _, err := fresh().Begin(now, Wanted{Last: true})
	require.ErrorContains(t, err, "has no pass that was completed")

	for _, want := range []Wanted{{}, {Last: true}, {Since: now.Add(-time.Hour)}} { // an interrupted complete pass reads all
		s := fresh()
		begin(s, Wanted{})
		since, goesOn := begin(s, want)
		require.True(t, goesOn)
		require.True(t, since.IsZero())
	}
	hourAgo := now.Add(-time.Hour)
	for want, goes := range map[Wanted]bool{
		{Last: true}: true, {Since: hourAgo.Add(time.Minute)}: true, {Since: hourAgo}: true, {Since: hourAgo.Add(-time.Minute)}: false, {}: false,
	} {
		s := fresh()
		begin(s, Wanted{Since: hourAgo})
		s.Report, s.Step = 7, 3
		since, goesOn := begin(s, want)
		require.Equal(t, goes, goesOn, want)
		if !goes {
			require.Equal(t, want.Since, since)
			require.Zero(t, s.Report+int64(s.Step), "it begins anew")
		}
	}

	interrupted := fresh()
	begin(interrupted, Wanted{})
	interrupted.Step = 3
	_, goesOn := begin(interrupted, Wanted{Anew: true})
	require.False(t, goesOn)
	require.Zero(t, interrupted.Step)
	_, _, err = interrupted.Begin(now.Add(-time.Second), Wanted{})
	require.ErrorContains(t, err, "the clock of the source shows 2027-01-15T07:59:59Z, and the last pass began at 2027-01-15T08:00:00Z by it")

	complete, dry := fresh(), fresh()
	begin(complete, Wanted{})
	require.NoError(t, complete.finish(nil, &Summary{}))
	since, goesOn := begin(complete, Wanted{Last: true})
	require.False(t, goesOn)
	require.Equal(t, now.Add(-overlap), since)
	_, _, err = complete.Begin(now, Wanted{DryRun: true})
	require.ErrorContains(t, err, "is of a pass that writes; a dry run needs a file of its own")
	begin(dry, Wanted{DryRun: true})
	require.NoError(t, dry.finish(nil, &Summary{}))
	_, _, err = dry.Begin(now, Wanted{Last: true})
	require.ErrorContains(t, err, "is of a dry run; a pass that writes needs a file of its own")
}

// A state that cannot be written is known before anything else is written, and told once.
func TestState_CannotBeWritten(t *testing.T) {
	s, err := LoadState(filepath.Join(t.TempDir(), "nowhere", "state"), Place{Workspace: "ws_1"})
	require.NoError(t, err)
	_, _, err = s.Begin(time.UnixMilli(1), Wanted{})
	require.NoError(t, err)
	require.ErrorContains(t, s.Write(nil), "write the state: open ")
	s.behind = true
	require.Error(t, s.write(nil))
	require.NoError(t, s.catchUp(nil))
}
