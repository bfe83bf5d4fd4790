package store_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

func replaceAll(t *testing.T, path, old, replacement string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(data), old)
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(data, []byte(old), []byte(replacement)), 0o600))
}

// prepare makes a closed directory whose state.db has branches, free pages with
// older versions of records, and a few versions of history.
func prepare(t *testing.T) (dir string, content map[string]string) {
	t.Helper()
	dir = t.TempDir()
	s := mustOpen(t, dir)
	require.NoError(t, s.Stable().SetUint64(currentTerm, 7))
	require.NoError(t, s.Stable().SetUint64(voteTerm, 7))
	require.NoError(t, s.Stable().Set(voteCand, []byte("node_a")))
	content = numbered(0, 1500, "v1")
	snapshot(t, s, 10, content)
	for i := range 4 {
		changed := numbered(i*200, i*200+150, "v2")
		for k, v := range changed {
			content[k] = v
		}
		snapshot(t, s, uint64(20+i), changed)
	}
	require.NoError(t, s.Log().StoreLogs(entries(1, 40, 2)))
	require.NoError(t, s.Close())
	return dir, content
}

// damagesOf calls fn with the file damaged in many ways, one at a time.
func damagesOf(t *testing.T, good []byte, n int, fn func(what string, bad []byte)) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	const page = 4096
	pages := len(good) / page
	for i := range n {
		bad := bytes.Clone(good)
		at := rng.IntN(pages)
		switch i % 8 {
		case 0, 1:
			bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
			fn("bit", bad)
		case 2: // in the page's head, where numbers and offsets are
			bad[at*page+rng.IntN(64)] ^= 1 << rng.IntN(8)
			fn("head bit", bad)
		case 3:
			clear(bad[at*page : (at+1)*page])
			fn("zeroed page", bad)
		case 4:
			copy(bad[at*page:(at+1)*page], good[rng.IntN(pages)*page:])
			fn("misdirected page", bad)
		case 5:
			fn("cut", bad[:rng.IntN(len(bad))])
		case 6:
			fn("cut at a page", bad[:at*page])
		case 7: // a page number exchanged for another valid one: stale pages are in reach
			off := at*page + 16 + 8 + 16*rng.IntN(8)
			bad[off] = byte(rng.IntN(pages))
			fn("page number", bad)
		}
	}
}

// state.db is loaded with its content or refused by name, never otherwise.
func TestDamage_State(t *testing.T) {
	dir, want := prepare(t)
	path := filepath.Join(dir, "state.db")
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, store.VerifyState(path))
	// Beyond its last page the file is a reserve of zeros.
	good = append(bytes.TrimRight(good, "\x00"), make([]byte, 4096)...)
	good = good[:len(good)/4096*4096]
	var refused, opened int
	damagesOf(t, good, 2000, func(what string, bad []byte) {
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		if err := store.VerifyState(path); err != nil {
			require.Equal(t, store.KindDamaged, store.KindOf(err), "%s: %v", what, err)
			require.ErrorContains(t, err, path)
			refused++
			if refused%100 == 0 {
				refuse(t, store.Options{Dir: dir}, store.KindDamaged, path)
			}
			return
		}
		if bytes.Equal(bad, good) || opened > 60 {
			return
		}
		opened++
		s := mustOpen(t, dir)
		require.Equal(t, want, contents(t, s), what)
		snapshot(t, s, 40, map[string]string{"key-000001": "written", "key-001499": ""})
		require.Len(t, contents(t, s), 1499)
		require.NoError(t, s.Close())
	})
	t.Logf("%d refused, %d opened", refused, opened)
	require.Positive(t, opened)
	require.Greater(t, refused, 500)
}

// The vote and the term are read as they were written or not at all, and damage
// of the log does not end the process.
func TestDamage_StableAndLog(t *testing.T) {
	for _, name := range []string{"stable.db", "log.db"} {
		dir, _ := prepare(t)
		path := filepath.Join(dir, name)
		good, err := os.ReadFile(path)
		require.NoError(t, err)
		damagesOf(t, good, 80, func(what string, bad []byte) {
			require.NoError(t, os.WriteFile(path, bad, 0o600))
			s, err := store.Open(store.Options{Dir: dir})
			if err != nil {
				require.NotEmpty(t, store.KindOf(err), err)
				return
			}
			term, candidate := vote(t, s)
			require.Equal(t, uint64(7), term, what)
			require.Equal(t, "node_a", candidate, what)
			require.NoError(t, s.Close())
		})
		require.NoError(t, os.WriteFile(path, good, 0o600))
		mustOpen(t, dir)
	}
}

// rewriteEntry changes a stored entry behind the back of the store that is opened, and returns that.
func rewriteEntry(t *testing.T, dir string, kind store.LogKind, index uint64, change func(*raft.Log)) *store.Store {
	t.Helper()
	var raw raft.LogStore
	s, err := store.OpenWithHooks(store.Options{Dir: dir, LogStore: kind}, store.TestHooks{Log: func(inner raft.LogStore) raft.LogStore { raw = inner; return inner }})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	last, err := raw.LastIndex()
	require.NoError(t, err)
	var end []*raft.Log
	for i := index; i <= last; i++ {
		e := &raft.Log{}
		require.NoError(t, raw.GetLog(i, e))
		end = append(end, e)
	}
	change(end[0])
	require.NoError(t, raw.DeleteRange(index, last))
	require.NoError(t, raw.StoreLogs(end))
	return s
}

// entryDamages are changes of a stored entry that both kinds of log take for good.
var entryDamages = map[string]func(*raft.Log){
	"type":               func(e *raft.Log) { e.Type ^= 1 }, // a command becomes an empty entry
	"term":               func(e *raft.Log) { e.Term ^= 1 << 6 },
	"data":               func(e *raft.Log) { e.Data[0] ^= 1 },
	"extensions":         func(e *raft.Log) { e.Extensions[0] ^= 1 },
	"checksum":           func(e *raft.Log) { e.Extensions[len(e.Extensions)-1] ^= 1 },
	"part of a checksum": func(e *raft.Log) { e.Extensions = e.Extensions[:3] },
	"no checksum":        func(e *raft.Log) { e.Extensions = nil },
	"moved byte": func(e *raft.Log) {
		n := len(e.Data) - 1
		e.Extensions = append([]byte{e.Data[n]}, e.Extensions...)
		e.Data = e.Data[:n]
	},
}

// raft skips an entry that lost its type, and would roll back an acknowledged debit.
func TestDamage_Entry(t *testing.T) {
	for _, kind := range kinds {
		for what, change := range entryDamages {
			t.Run(string(kind)+" "+what, func(t *testing.T) {
				dir := t.TempDir()
				s := mustOpen(t, dir, withLog(kind))
				require.NoError(t, s.Log().StoreLogs(entries(1, 10, 2)))
				require.NoError(t, s.Close())
				s = rewriteEntry(t, dir, kind, 5, change)
				for i := uint64(1); i <= 10; i++ {
					if i != 5 {
						require.NoError(t, s.Log().GetLog(i, &raft.Log{}))
					}
				}
				err := s.Log().GetLog(5, &raft.Log{})
				require.Equal(t, store.KindDamaged, store.KindOf(err), err)
				require.ErrorContains(t, err, "index 5")
				require.NoError(t, s.Close())
				refuse(t, store.Options{Dir: dir}, store.KindDamaged, dir, "index 5")
			})
		}
	}
}

// raft would end the process with a panic, and without advice.
func TestOpen_RefusesAnEntryThatCannotBeDecoded(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	require.NoError(t, s.Log().StoreLogs(entries(1, 10, 2)))
	require.NoError(t, s.Close())
	path := filepath.Join(dir, "log.db")
	replaceAll(t, path, "\xa7entry 5", "\xc1entry 5") // no type of msgpack
	refuse(t, store.Options{Dir: dir}, store.KindDamaged, path, "index 5", "decoded")
}

// An installed snapshot leaves a gap in boltdb, but nothing may be missing behind it.
func TestOpen_RefusesAMissingEntryBehindTheSnapshot(t *testing.T) {
	for at, refused := range map[uint64]bool{4: true, 5: false} {
		dir := t.TempDir()
		s := mustOpen(t, dir)
		snapshot(t, s, at, nil)
		require.NoError(t, s.Log().StoreLogs(entries(1, 10, 2)))
		require.NoError(t, s.Log().DeleteRange(5, 5))
		require.NoError(t, s.Close())
		if refused {
			refuse(t, store.Options{Dir: dir}, store.KindDamaged, dir, "index 5", "missing")
		} else {
			mustOpen(t, dir)
		}
	}
}

// Damage that comes while the node runs is found when the record is read.
func TestDamage_WhileOpen(t *testing.T) {
	dir := t.TempDir()
	reported := make(chan error, 1)
	s := mustOpen(t, dir, func(o *store.Options) { o.OnFatal = func(err error) { reported <- err } })
	snapshot(t, s, 10, numbered(0, 1500, "v1"))
	f, err := os.OpenFile(filepath.Join(dir, "state.db"), os.O_RDWR, 0)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	data, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("w"), int64(bytes.Index(data, []byte("v1-777"))))
	require.NoError(t, err)
	_, r := openOnly(t, s)
	defer func() { require.NoError(t, r.Close()) }()
	_, err = recordsOf(r)
	require.Equal(t, store.KindDamaged, store.KindOf(err))
	require.ErrorIs(t, <-reported, &store.Error{Kind: store.KindDamaged})
}

// The walk must accept every file that bbolt writes over a long life, with pages that split, merge, or lose their first key or all keys.
func TestVerify_AcceptsWhatBoltWrites(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	s := mustOpen(t, dir)
	for round := range 150 {
		changed := map[string]string{}
		from, n := rng.IntN(4000), rng.IntN(1200)
		for i := from; i < from+n; i++ {
			switch round % 3 {
			case 0: // a range appears
				changed[fmt.Sprintf("key-%06d", i)] = strings.Repeat("x", rng.IntN(120))
			case 1: // a range vanishes
				changed[fmt.Sprintf("key-%06d", i)] = ""
			default: // here and there
				if rng.IntN(9) == 0 {
					changed[fmt.Sprintf("key-%06d", i)] = strings.Repeat("y", rng.IntN(3)*60)
				}
			}
		}
		snapshot(t, s, uint64(10+round), changed)
		require.NoError(t, store.VerifyState(filepath.Join(dir, "state.db")))
	}
}
