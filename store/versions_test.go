package store_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// The build of the tests reads versions 1 to 2, the newer one has one more, and the newest has dropped the first.
var (
	thisBuild   = store.Versions{Build: "v1.4.2", Oldest: 1, Newest: 2}
	newerBuild  = store.Versions{Build: "v1.5.0", Oldest: 1, Newest: 3}
	newestBuild = store.Versions{Build: "v2.0.0", Oldest: 2, Newest: 4}
)

func reading(v store.Versions) func(*store.Options) { return func(o *store.Options) { o.Reads = v } }

// fingerprint is every file of a directory, with its mode and its time, by name.
func fingerprint(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		files[path] = info.Mode().String() + info.ModTime().String()
		if !entry.IsDir() {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			files[path] += string(data)
		}
		return nil
	}))
	return files
}

// ofLedger is a directory with a term, a log and a snapshot, whose ledger has a version. It returns its copy after a crash, too.
func ofLedger(t *testing.T, kind store.LogKind, l store.Ledger) (closed, killed string) {
	t.Helper()
	closed, killed = filepath.Join(t.TempDir(), "closed"), filepath.Join(t.TempDir(), "killed")
	s := mustOpen(t, closed, withLog(kind), reading(store.Versions{Build: "v1.5.0", Newest: 9, Digest: 9}))
	require.NoError(t, s.Stable().SetUint64([]byte("CurrentTerm"), 2))
	require.NoError(t, s.Log().StoreLogs(entries(1, 20, 2)))
	k := create(t, s, 10, 2)
	require.NoError(t, k.Put([]byte("a"), []byte("1")))
	k.SetLedger(l)
	require.NoError(t, k.Close())
	require.NoError(t, os.CopyFS(killed, os.DirFS(closed)))
	require.NoError(t, s.Close())
	return closed, killed
}

// A build that does not read a directory says by version which one does, and leaves every byte as it is.
func TestOpen_LeavesAnotherLedgerVersionUntouched(t *testing.T) {
	const needs3 = "the directory has ledger version 3 (raised by creditd v1.5.0); this build (v1.4.2) reads ledger versions 1 to 2: start creditd v1.5.0 or newer"
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			closed, killed := ofLedger(t, kind, store.Ledger{Version: 3, Build: "v1.5.0"})
			unlocked := filepath.Join(t.TempDir(), "unlocked")
			require.NoError(t, os.CopyFS(unlocked, os.DirFS(closed)))
			require.NoError(t, os.Remove(filepath.Join(unlocked, "LOCK")))
			for _, dir := range []string{closed, killed, unlocked} {
				for _, leftover := range []string{"state.db.incoming.1", "stable.db.tmp", "meta.json.tmp"} {
					require.NoError(t, os.WriteFile(filepath.Join(dir, leftover), []byte("rest"), 0o600))
				}
				before := fingerprint(t, dir)
				refuse(t, store.Options{Dir: dir, Reads: thisBuild}, store.KindNewer, dir, needs3)
				require.Equal(t, before, fingerprint(t, dir))

				s := mustOpen(t, dir, reading(newerBuild))
				version, build := s.LedgerVersion()
				require.EqualValues(t, 3, version)
				require.Equal(t, "v1.5.0", build)
				require.NoError(t, s.Close())
			}
		})
	}
}

// So does a build that has dropped the directory's version.
func TestOpen_LeavesAnOldLedgerVersionUntouched(t *testing.T) {
	closed, killed := ofLedger(t, store.LogWAL, store.Ledger{Version: 1})
	for _, dir := range []string{closed, killed} {
		before := fingerprint(t, dir)
		refuse(t, store.Options{Dir: dir, Reads: newestBuild}, store.KindOlder, "the directory has ledger version 1; this build (v2.0.0) reads ledger versions 2 to 4",
			"let an older creditd, which reads both versions 1 and 2, raise the ledger version and take a snapshot first")
		require.Equal(t, before, fingerprint(t, dir))
	}
}

// A snapshot that came into the directory by hand is refused like the directory itself.
func TestOpen_LeavesASnapshotOfAnotherVersionUntouched(t *testing.T) {
	for want, l := range map[string]store.Ledger{
		"the snapshot has ledger version 3; this build (v1.4.2) reads ledger versions 1 to 2: start the newer creditd that wrote it":                {Version: 3},
		"the digest of the snapshot has definition 2; this build (v1.4.2) knows definitions up to 1: start the newer creditd that wrote it":         {DigestDefinition: 2},
		"the digest of the snapshot has definition 9; this build (v1.4.2) knows definitions up to 1: start creditd v1.5.0 or newer":                 {DigestDefinition: 9, Build: "v1.5.0"},
		"the snapshot has ledger version 3 (raised by creditd v1.5.0); this build (v1.4.2) reads ledger versions 1 to 2: start creditd v1.5.0 or n": {Version: 3, Build: "v1.5.0", DigestDefinition: 2},
	} {
		dir, _ := ofLedger(t, store.LogBolt, store.Ledger{})
		newer, _ := ofLedger(t, store.LogBolt, l)
		state, err := os.ReadFile(filepath.Join(newer, "state.db"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "state.db"), state, 0o600))
		before := fingerprint(t, dir)
		refuse(t, store.Options{Dir: dir, Reads: thisBuild}, store.KindNewer, "state.db", want)
		require.Equal(t, before, fingerprint(t, dir))
	}
}

// The version is on disk when the call returns, and never falls.
func TestRaiseLedgerVersion_IsDurableAndNeverLowers(t *testing.T) {
	dir := t.TempDir()
	meta := filepath.Join(dir, "meta.json")
	open := func() *store.Store { return mustOpen(t, dir, reading(newerBuild)) }
	requireVersion := func(s *store.Store, version uint64, build string) {
		t.Helper()
		gotVersion, gotBuild := s.LedgerVersion()
		require.Equal(t, version, gotVersion)
		require.Equal(t, build, gotBuild)
	}
	s := open()
	requireVersion(s, 1, "")
	first, err := os.ReadFile(meta)
	require.NoError(t, err)
	require.Contains(t, string(first), `"layout_version":2`)
	require.NotContains(t, string(first), "ledger_version")
	require.NotContains(t, string(first), `"build"`)
	require.NoError(t, s.RaiseLedgerVersion(1, "v1.4.2"))
	same, err := os.ReadFile(meta)
	require.NoError(t, err)
	require.Equal(t, first, same, "the directory of version 1 stays one that the first builds open")

	require.NoError(t, s.RaiseLedgerVersion(2, "v1.4.2"))
	raised, err := os.ReadFile(meta)
	require.NoError(t, err)
	require.Contains(t, string(raised), `"ledger_version":2,"build":"v1.4.2"`)
	require.Contains(t, string(raised), `"layout_version":3`, "the first builds do not know the field, but they know what a layout is")
	for range 2 {
		require.NoError(t, s.RaiseLedgerVersion(2, "v1.5.0"))
		require.NoError(t, s.RaiseLedgerVersion(1, ""))
		requireVersion(s, 2, "v1.4.2")
		require.NoError(t, s.Close())
		s = open()
	}
	require.NoError(t, s.RaiseLedgerVersion(3, "v1.5.0"))
	requireVersion(s, 3, "v1.5.0")
	require.Equal(t, store.KindNewer, store.KindOf(s.RaiseLedgerVersion(4, "v2.0.0")))
	requireVersion(s, 3, "v1.5.0")
}

// A snapshot's version is in meta.json before the snapshot is current: where meta.json cannot be written, the old snapshot stays.
func TestSnapshot_RaisesTheLedgerVersionFirst(t *testing.T) {
	sender := mustOpen(t, t.TempDir(), reading(newerBuild))
	k := create(t, sender, 20, 2)
	k.SetLedger(store.Ledger{Version: 3, Build: "v1.5.0"})
	require.NoError(t, k.Close())
	for what, install := range map[string]func(s *store.Store) error{
		"changes": func(s *store.Store) error {
			k := create(t, s, 20, 2)
			k.SetLedger(store.Ledger{Version: 3, Build: "v1.5.0"})
			return k.Close()
		},
		"all records": func(s *store.Store) error {
			k := create(t, s, 20, 2)
			require.NoError(t, k.Reset())
			k.SetLedger(store.Ledger{Version: 3, Build: "v1.5.0"})
			return k.Close()
		},
		"a received file": func(s *store.Store) error { return copyInto(t, sender, s).Close() },
	} {
		for _, writable := range []bool{false, true} {
			dir := t.TempDir()
			s := mustOpen(t, dir, reading(newerBuild))
			snapshot(t, s, 10, map[string]string{"a": "1"})
			before, err := os.ReadFile(filepath.Join(dir, "state.db"))
			require.NoError(t, err)
			if !writable { // in the way of the file that would become meta.json
				require.NoError(t, os.Mkdir(filepath.Join(dir, "meta.json.tmp"), 0o700))
			}
			err = install(s)
			after, readErr := os.ReadFile(filepath.Join(dir, "state.db"))
			require.NoError(t, readErr)
			version, _ := s.LedgerVersion()
			require.Equal(t, writable, err == nil, "%s: %v", what, err)
			require.Equal(t, writable, version == 3, what)
			require.Equal(t, !writable, bytes.Equal(before, after), what)
		}
	}
}

// copyInto streams the snapshot of one store into another, but for the end.
func copyInto(t *testing.T, from, to *store.Store) raft.SnapshotSink {
	t.Helper()
	meta, r := openOnly(t, from)
	k, err := to.Snapshots().Create(meta.Version, meta.Index, meta.Term, meta.Configuration, meta.ConfigurationIndex, nil)
	require.NoError(t, err)
	data := new(bytes.Buffer)
	_, err = data.ReadFrom(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	_, err = k.Write(data.Bytes())
	require.NoError(t, err)
	return k
}

// What a node cannot read does not take the place of what it can, and the node ends: its cluster goes on without it.
func TestSnapshot_ACopyOfAnotherVersionIsRefused(t *testing.T) {
	for want, c := range map[string]struct {
		sent  store.Ledger
		reads store.Versions
		kind  store.Kind
	}{
		"the snapshot has ledger version 3 (raised by creditd v1.5.0); this build (v1.4.2) reads ledger versions 1 to 2: start creditd v1.5.0 or newer": {
			store.Ledger{Version: 3, Build: "v1.5.0"}, thisBuild, store.KindNewer,
		},
		"the digest of the snapshot has definition 2; this build (v1.4.2) knows definitions up to 1": {
			store.Ledger{DigestDefinition: 2}, thisBuild, store.KindNewer,
		},
		"the snapshot has ledger version 2; this build (v3.0.0) reads only ledger version 5: let an older creditd": {
			store.Ledger{Version: 2, Build: "v1.4.2"}, store.Versions{Build: "v3.0.0", Oldest: 5, Newest: 5}, store.KindOlder,
		},
	} {
		sender, _ := ofLedger(t, store.LogBolt, c.sent)
		from := mustOpen(t, sender, reading(store.Versions{Newest: 9, Digest: 9}))
		dir, fatal := t.TempDir(), make(chan error, 1)
		func() {
			s := mustOpen(t, dir, reading(store.Versions{Newest: 9})) // a directory that has the version of the receiver
			defer func() { require.NoError(t, s.Close()) }()
			k := create(t, s, 3, 2)
			require.NoError(t, k.Put([]byte("mine"), []byte("1")))
			k.SetLedger(store.Ledger{Version: c.reads.Oldest, Build: "v3.0.0"})
			require.NoError(t, k.Close())
		}()
		to := mustOpen(t, dir, reading(c.reads), func(o *store.Options) { o.OnFatal = func(err error) { fatal <- err } })
		before, err := os.ReadFile(filepath.Join(dir, "state.db"))
		require.NoError(t, err)
		err = copyInto(t, from, to).Close()
		require.Equal(t, c.kind, store.KindOf(err), err)
		require.ErrorContains(t, err, want)
		require.False(t, store.NeedsRebuild(err))
		require.Equal(t, err, <-fatal)
		after, err := os.ReadFile(filepath.Join(dir, "state.db"))
		require.NoError(t, err)
		require.True(t, bytes.Equal(before, after))
		require.Empty(t, leftovers(t, dir))
	}
}

// What a snapshot says of its ledger travels with it. One of the first versions looks like those of the first builds.
func TestSnapshot_KeepsWhatItSaysOfItsLedger(t *testing.T) {
	ledger := store.Ledger{Digest: []byte("d"), DigestDefinition: 2, Version: 3, Build: "v1.5.0"}
	reads := reading(store.Versions{Newest: 3, Digest: 2})
	leader, follower := mustOpen(t, t.TempDir(), reads), mustOpen(t, t.TempDir(), reads)
	k := create(t, leader, 5, 1)
	k.SetLedger(ledger)
	require.NoError(t, k.Close())
	send(t, leader, follower)
	for _, s := range []*store.Store{leader, follower} {
		_, r := openOnly(t, s)
		records, err := store.RecordsOf(r)
		require.NoError(t, err)
		require.Equal(t, ledger, records.Ledger())
		require.NoError(t, r.Close())
	}

	dir := t.TempDir()
	s := mustOpen(t, dir)
	k = create(t, s, 5, 1)
	k.SetLedger(store.Ledger{Digest: []byte("d"), DigestDefinition: 1, Version: 1})
	require.NoError(t, k.Close())
	_, r := openOnly(t, s)
	records, err := store.RecordsOf(r)
	require.NoError(t, err)
	require.Equal(t, store.Ledger{Digest: []byte("d"), DigestDefinition: 1, Version: 1}, records.Ledger())
	require.NoError(t, r.Close())
	require.NoError(t, s.Close())
	state, err := os.ReadFile(filepath.Join(dir, "state.db"))
	require.NoError(t, err)
	require.Contains(t, string(state), `"digest":"ZA=="`)
	require.NotContains(t, string(state), "digest_definition")
	require.NotContains(t, string(state), "ledger_version")
}

func TestOpen_RefusesVersionsThatCannotBe(t *testing.T) {
	refuse(t, store.Options{Dir: t.TempDir(), Reads: store.Versions{Oldest: 3, Newest: 2}}, store.KindInvalid, "oldest ledger version 3")
}
