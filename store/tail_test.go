package store_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// crashed returns a copy of a directory that is in use: what a crash leaves.
func crashed(t *testing.T, dir string) (copied, segment string) {
	t.Helper()
	copied = filepath.Join(t.TempDir(), "crashed")
	require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
	segments, err := filepath.Glob(filepath.Join(copied, "wal", "*.wal"))
	require.NoError(t, err)
	require.Len(t, segments, 1)
	return copied, segments[0]
}

func segmentOf(t *testing.T, dir string) []byte {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(dir, "wal", "*.wal"))
	require.NoError(t, err)
	require.Len(t, segments, 1)
	segment, err := os.ReadFile(segments[0])
	require.NoError(t, err)
	return segment
}

// raft-wal ends a log at the first frame that it cannot read, and after a crash there is no shutdown marker.
func TestDamage_FrameAfterACrash(t *testing.T) {
	rng := seeded(t)
	dir := t.TempDir()
	s := mustOpen(t, dir, withLog(store.LogWAL))
	for _, e := range entries(1, 20, 2) {
		require.NoError(t, s.Log().StoreLog(e))
	}
	crash, path := crashed(t, dir)
	good := segmentOf(t, crash)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	flip := func(at, bit int, flipped byte) {
		_, err := file.WriteAt([]byte{good[at+bit/8] ^ flipped<<(bit%8)}, int64(at+bit/8))
		require.NoError(t, err)
	}
	for _, data := range []string{"entry 1", "entry 7", "entry 19"} {
		at := bytes.Index(good, []byte(data))
		entry := at - at%8 // its frame begins on a multiple of eight, before index, term, type and length
		for good[entry] != 1 || binary.LittleEndian.Uint16(good[entry+1:]) != 0 {
			entry -= 8
		}
		commit := entry + 8 + int(binary.LittleEndian.Uint32(good[entry+4:])+7)/8*8
		require.Equal(t, byte(3), good[commit])
		for bit := range 64 {
			for _, frame := range []int{entry, commit} {
				if bit >= 8 && (bit < 32 || frame == commit) {
					continue // reserved, or a checksum that matters for the last batch only
				}
				if raceDetector && rng.IntN(8) != 0 {
					continue // each takes ten times as long
				}
				flip(frame, bit, 1)
				refuse(t, store.Options{Dir: crash}, store.KindDamaged, filepath.Join(crash, "wal"))
				flip(frame, bit, 0)
			}
		}
	}
	last, err := mustOpen(t, crash).Log().LastIndex()
	require.NoError(t, err)
	require.EqualValues(t, 20, last)
}

// seeded returns numbers that the seed in the test's log repeats.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// The parts of batches that several power failures leave are no damage: the log continues where it was synced.
func TestOpen_TakesATornBatchForTheEnd(t *testing.T) {
	rng := seeded(t)
	dir, last := t.TempDir(), uint64(0)
	crashes := 12
	if raceDetector {
		crashes = 3
	}
	for range crashes {
		s := mustOpen(t, dir, withLog(store.LogWAL))
		got, err := s.Log().LastIndex()
		require.NoError(t, err)
		require.GreaterOrEqual(t, got, last, "all that was synced")
		last = got
		for range rng.IntN(3) {
			n := 1 + rng.Uint64N(5)
			require.NoError(t, s.Log().StoreLogs(entries(last+1, last+n, 2)))
			last += n
		}
		old := segmentOf(t, dir)
		require.NoError(t, s.Log().StoreLogs(entries(last+1, last+1+rng.Uint64N(200), 2)))
		crash, path := crashed(t, dir)
		torn := segmentOf(t, crash)
		require.NoError(t, s.Close())
		const sector = 512
		for at := 0; at < len(torn); at += sector {
			if end := min(at+sector, len(torn)); rng.IntN(3) == 0 && !bytes.Equal(torn[at:end], old[at:end]) {
				copy(torn[at:end], old[at:end])
			}
		}
		require.NoError(t, os.WriteFile(path, torn, 0o600))
		dir = crash
	}
}
