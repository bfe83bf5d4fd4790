package backup

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// keeping is a node that keeps backups in a directory, with a clock of its own.
type keeping struct {
	*Keeper
	t     *testing.T
	dir   string
	now   time.Time
	leads bool
	index uint64
	opens int
	turns int
	log   bytes.Buffer

	openErr error
	spoil   func([]byte) // the file before it is written; nil: leaves it
	midway  func()       // called before the last byte is written; nil: nothing
	close   func() error // of the ledger; nil: no error
	cluster string
	writes  string // the cluster in the file; empty: the same
}

func newKeeping(t *testing.T, dir, nodeID string, keep int) *keeping {
	k := &keeping{t: t, dir: dir, now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), leads: true, index: 40, cluster: "cl_1.2.k3f9"}
	k.Keeper = NewKeeper(KeeperConfig{
		Schedule: Schedule{Dir: dir, Interval: time.Hour, Keep: keep}, NodeID: nodeID,
		ClusterID: func() string { return k.cluster }, Leads: func() bool { return k.leads }, Now: func() time.Time { return k.now },
		Open: func(context.Context) (Ledger, error) {
			k.opens++
			return k, k.openErr
		},
		Pace:  func() Pace { return k },
		Reads: thisBuild, Logger: slog.New(slog.NewTextHandler(&k.log, nil)),
	})
	return k
}

// Turn and Rest implement Pace.
func (k *keeping) Turn(context.Context) (end func(), err error) {
	k.turns++
	return func() { k.turns-- }, nil
}

func (k *keeping) Rest(context.Context, time.Duration) error { return nil }

// Write implements Ledger.
func (k *keeping) Write(_ context.Context, w io.Writer) error {
	h := testHeader()
	h.ClusterID, h.Index, h.CreatedAt = cmp.Or(k.writes, k.cluster), k.index, k.now.UnixMilli()
	file := write(k.t, h)
	if k.spoil != nil {
		k.spoil(file)
	}
	last := len(file) - 1
	if _, err := w.Write(file[:last]); err != nil {
		return err
	}
	if k.midway != nil {
		k.midway()
	}
	_, err := w.Write(file[last:])
	return err
}

// Close implements Ledger.
func (k *keeping) Close() error {
	if k.close != nil {
		return k.close()
	}
	return nil
}

// after steps once a time has passed.
func (k *keeping) after(d time.Duration) {
	k.now, k.index = k.now.Add(d), k.index+1
	k.step(k.t.Context())
	require.Zero(k.t, k.turns, "a turn was not given back")
}

func (k *keeping) files() (names []string) {
	entries, err := os.ReadDir(k.dir)
	require.NoError(k.t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (k *keeping) failure() string {
	s, on := k.Status()
	require.True(k.t, on)
	return s.Failure
}

// A backup is made when the interval has passed since the newest in the directory, whoever made it, and is whole.
func TestKeeper_MakesOneEachInterval(t *testing.T) {
	dir := t.TempDir()
	k := newKeeping(t, dir, "node_a", 24)
	k.after(0)
	first := "creditd-cl_1.2.k3f9-000000000041-20300102T030405Z.snapshot"
	require.Equal(t, []string{first}, k.files())
	file, err := os.Open(filepath.Join(dir, first))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	inside, err := Inspect(file, thisBuild)
	require.NoError(t, err)
	require.EqualValues(t, 41, inside.Header.Index)
	s, _ := k.Status()
	info, err := file.Stat()
	require.NoError(t, err)
	require.Equal(t, info.Size(), s.Size)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	require.True(t, s.Last.Equal(k.now))

	k.after(time.Hour - time.Second)
	require.Len(t, k.files(), 1)

	// The next leader shares the directory: it makes none at once, and one in time.
	next := newKeeping(t, dir, "node_b", 24)
	next.index, next.now = 50, k.now
	next.after(0)
	require.Zero(t, next.opens, "a change of the leader doubled a backup")
	s, _ = next.Status()
	require.False(t, s.Last.IsZero(), "it does not know the backup of the leader before")
	next.after(time.Second)
	require.Len(t, next.files(), 2, "a change of the leader skipped a backup")

	k.now = next.now
	k.after(time.Second)
	require.Equal(t, 1, k.opens)
}

func TestKeeper_MakesNoneUnlessItLeads(t *testing.T) {
	k := newKeeping(t, t.TempDir(), "node_a", 24)
	k.leads = false
	k.after(0)
	require.Zero(t, k.opens)
	k.leads, k.cluster = true, ""
	k.after(0)
	require.Zero(t, k.opens)

	// It may cease to lead while the file is written. That is no failure, and leaves no file.
	k.cluster, k.midway = "cl_1", func() { k.leads = false }
	k.after(0)
	require.Equal(t, 1, k.opens)
	require.Empty(t, k.files())
	require.Empty(t, k.failure())
}

// A node that cannot write and leads no longer has mended nothing. It says that backups work once it made one.
func TestKeeper_DoesNotCallAFollowerMended(t *testing.T) {
	k := newKeeping(t, t.TempDir(), "node_a", 24)
	k.openErr = errors.New("no space left")
	k.after(0)
	require.Equal(t, 1, strings.Count(k.log.String(), "backups fail"))
	k.leads = false
	k.after(time.Hour)
	require.Empty(t, k.failure(), "it makes none, so none fails")
	require.NotContains(t, k.log.String(), "work again")
	k.leads = true
	k.after(time.Hour)
	require.Equal(t, "no space left", k.failure())
	k.openErr = nil
	k.after(time.Hour)
	require.Equal(t, 1, strings.Count(k.log.String(), "backups work again"))

	k.leads, k.conf.Dir = false, filepath.Join(k.dir, "gone") // a directory that cannot be read is known before it leads
	k.after(time.Hour)
	require.NotEmpty(t, k.failure())
	k.conf.Dir = k.dir
	k.after(time.Hour)
	require.Equal(t, 2, strings.Count(k.log.String(), "backups work again"))
}

// A clock that was wrong once does not end the backups, and one that is a little behind makes none twice.
func TestKeeper_SurvivesAWrongClock(t *testing.T) {
	k := newKeeping(t, t.TempDir(), "node_a", 24)
	k.after(1000 * time.Hour)
	k.after(-1000 * time.Hour)
	require.Len(t, k.files(), 2)
	k.after(-time.Second)
	require.Len(t, k.files(), 2)
	k.after(time.Hour + time.Second)
	require.Len(t, k.files(), 3)

	// Nor is a rest after a failure longer than it was meant.
	k.openErr = errors.New("no snapshot")
	k.after(time.Hour)
	k.openErr = nil
	k.after(-10 * time.Hour)
	require.Empty(t, k.failure())
}

// Only files that a keeper of this cluster has named are removed, and the oldest first.
func TestKeeper_RemovesOnlyItsOwnOldest(t *testing.T) {
	dir := t.TempDir()
	k := newKeeping(t, dir, "node_a", 2)
	others := []string{
		"creditd-cl_1-000000000001-20200102T030405Z.snapshot",             // another generation
		"creditd-cl_1.2.k3f9-1-20200102T030405Z.snapshot",                 // not as it would write it
		"creditd-cl_1.2.k3f9-000000000001-20200102T030405Z.snapshot.keep", // renamed
		"creditd-cl_1.2.k3f9-000000000001-2020.snapshot", "creditd-cl_1.2.k3f9.snapshot", "before-upgrade.snapshot",
		".creditd-cl_1.2.k3f9-node_b.part", // another node writes it
	}
	for _, name := range others {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	directory := "creditd-cl_1.2.k3f9-000000000002-20200102T030405Z.snapshot"
	require.NoError(t, os.Mkdir(filepath.Join(dir, directory), 0o700))
	for range 4 {
		k.after(time.Hour)
	}
	require.Empty(t, k.failure())
	want := append(slices.Clone(others), directory,
		"creditd-cl_1.2.k3f9-000000000043-20300102T060405Z.snapshot", "creditd-cl_1.2.k3f9-000000000044-20300102T070405Z.snapshot")
	require.ElementsMatch(t, want, k.files())

	// Fewer are kept from the next look on, not only from the next backup.
	k.conf.Keep = 1
	k.after(time.Second)
	require.ElementsMatch(t, append(slices.Clone(others), directory, "creditd-cl_1.2.k3f9-000000000044-20300102T070405Z.snapshot"), k.files())
}

// Whatever fails leaves no file that looks like a backup, is tried again after a while, and logged when it begins and ends.
func TestKeeper_AFailureIsLoud(t *testing.T) {
	broken := errors.New("it broke")
	for name, one := range map[string]struct {
		breaks func(*keeping)
		says   string
	}{
		"no snapshot":       {func(k *keeping) { k.openErr = broken }, "it broke"},
		"closing":           {func(k *keeping) { k.close = func() error { return broken } }, "it broke"},
		"a changed byte":    {func(k *keeping) { k.spoil = func(b []byte) { b[len(b)/2] ^= 1 } }, "the backup is not what was written"},
		"another cluster":   {func(k *keeping) { k.writes = "cl_9" }, "the backup is of cluster cl_9"},
		"no such directory": {func(k *keeping) { k.conf.Dir = filepath.Join(k.dir, "missing") }, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeeping(t, t.TempDir(), "node_a", 24)
			one.breaks(k)
			k.after(0)
			require.Contains(t, k.failure(), one.says)
			require.Empty(t, k.files())
			opens := k.opens
			k.after(retryAfter - time.Second)
			require.Equal(t, opens, k.opens, "it did not rest")
			k.after(time.Second)
			s, _ := k.Status()
			require.EqualValues(t, 2, s.Failures)
			require.Equal(t, 1, strings.Count(k.log.String(), "backups fail"), "it is logged when it begins, not while it lasts")

			k.openErr, k.spoil, k.close, k.writes, k.conf.Dir = nil, nil, nil, "", k.dir
			k.after(retryAfter)
			s, _ = k.Status()
			require.Empty(t, s.Failure)
			require.EqualValues(t, 2, s.Failures)
			require.Len(t, k.files(), 1)
			require.Equal(t, 1, strings.Count(k.log.String(), "backups work again"))
		})
	}
}

// What a crash left is overwritten.
func TestKeeper_OverwritesWhatACrashLeft(t *testing.T) {
	k := newKeeping(t, t.TempDir(), "node_a", 24)
	require.NoError(t, os.WriteFile(filepath.Join(k.dir, ".creditd-cl_1.2.k3f9-node_a.part"), bytes.Repeat([]byte("x"), 10_000), 0o600))
	k.after(0)
	require.Empty(t, k.failure())
	require.Len(t, k.files(), 1)
}

func TestSchedule_Validate(t *testing.T) {
	require.NoError(t, Schedule{}.Validate())
	require.NoError(t, Schedule{Dir: "d", Interval: 1, Keep: 1}.Validate())
	require.Error(t, Schedule{Dir: "d", Keep: 1}.Validate())
	require.Error(t, Schedule{Dir: "d", Interval: 1}.Validate())
	_, on := NewKeeper(KeeperConfig{}).Status()
	require.False(t, on)
}
