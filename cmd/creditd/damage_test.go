package main

import (
	"bytes"
	encoding "encoding/binary" // binary is the program that is tested
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/store"
)

// damageCases is how many damaged directories are tried with each kind of log: one in two of every file with every damage, others in every
// run. CREDITD_DAMAGE sets another number, CREDITD_SEED repeats.
const damageCases = 20

// sealedDirectory is a data directory that was closed in order, an older copy of it, and the balances that it holds.
type sealedDirectory struct {
	now, old string
	files    []string // relative to now
	args     []string
	keys     []string
	balances []int64
}

// damages are what can happen to a file. good is its content, old that of the older copy.
var damages = []struct {
	name string
	do   func(rng *rand.Rand, good, old []byte) []byte
}{
	{"bit flip", func(rng *rand.Rand, good, _ []byte) []byte {
		bad := bytes.Clone(good)
		if used := len(bytes.TrimRight(bad, "\x00")); used > 0 {
			bad[rng.IntN(used)] ^= 1 << rng.IntN(8)
		}
		return bad
	}},
	{"zeroed page", func(rng *rand.Rand, good, _ []byte) []byte {
		bad := bytes.Clone(good)
		if used := len(bytes.TrimRight(bad, "\x00")); used > 0 {
			at := rng.IntN(used) / 4096 * 4096
			clear(bad[at:min(at+4096, len(bad))])
		}
		return bad
	}},
	{"cut", func(rng *rand.Rand, good, _ []byte) []byte {
		return good[:rng.IntN(len(bytes.TrimRight(good, "\x00"))+1)]
	}},
	{"emptied", func(*rand.Rand, []byte, []byte) []byte { return nil }},
	{"rolled back", func(_ *rand.Rand, _, old []byte) []byte { return old }},
}

// TestDamage_NeverServesAWrongBalance: after any damage to any file, a node either refuses to go on or answers correctly.
func TestDamage_NeverServesAWrongBalance(t *testing.T) {
	t.Parallel()
	seed, cases := uint64(time.Now().UnixNano()), damageCases
	for name, into := range map[string]func(uint64){
		"CREDITD_SEED": func(n uint64) { seed = n }, "CREDITD_DAMAGE": func(n uint64) { cases = int(n) },
	} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 64)
			require.NoError(t, err)
			into(n)
		}
	}
	for _, kind := range []string{"boltdb", "wal"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 0))
			sealed := sealDirectory(t, kind)
			refused, harmless := map[string]int{}, map[string]int{}
			order := rng.Perm(len(sealed.files) * len(damages))
			for i := range cases {
				at := order[i%len(order)]
				file, damage := sealed.files[at%len(sealed.files)], damages[at/len(sealed.files)]
				what := fmt.Sprintf("seed %d, case %d: %s, %s", seed, i, file, damage.name)
				dir := filepath.Join(t.TempDir(), "data")
				copyDir(t, sealed.now, dir)
				good, err := os.ReadFile(filepath.Join(sealed.now, file))
				require.NoError(t, err)
				old, err := os.ReadFile(filepath.Join(sealed.old, file))
				require.NoError(t, err)
				writeSparsely(t, filepath.Join(dir, file), damage.do(rng, good, old))
				if sealed.refuses(t, dir, what) {
					refused[damage.name]++
				} else {
					harmless[damage.name]++
				}
				require.NoError(t, os.RemoveAll(dir))
			}
			t.Logf("seed %d: %d cases in %v; refused %v, harmless %v", seed, cases, sealed.files, refused, harmless)
			require.NotEmpty(t, refused)
		})
	}
}

// sealDirectory runs a node, keeps a copy of its directory, and runs it again.
func sealDirectory(t *testing.T, kind string) *sealedDirectory {
	t.Helper()
	root := t.TempDir()
	s := &sealedDirectory{now: filepath.Join(root, "now"), old: filepath.Join(root, "old")}
	s.args = []string{"--log-store", kind, "--snapshot-threshold", "10", "--trailing-logs", "20", "--snapshot-interval", "1s"}
	p, c := startMember(t, alone(t, s.now, s.args...)...)
	const begin = 1000
	for i := range 3 {
		s.keys = append(s.keys, addCustomer(t, c, fmt.Sprintf("customer%d", i), begin))
		s.balances = append(s.balances, begin)
	}
	charge := func(times int) {
		for n := range times {
			must[object](t, c, "keys.verifyKey", object{"key": s.keys[n%3]})
			s.balances[n%3]--
		}
	}
	charge(20)
	p.terminate()
	copyDir(t, s.now, s.old)
	p, c = startMember(t, alone(t, s.now, s.args...)...)
	charge(30)
	await(t, func() bool { return !strings.Contains(metricsOf(t, c), "creditd_snapshot_completed_total 0\n") })
	charge(7)
	p.terminate()
	require.NoError(t, filepath.WalkDir(s.now, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			relative, _ := filepath.Rel(s.now, path) // path is below
			if _, err := os.Stat(filepath.Join(s.old, relative)); err == nil {
				s.files = append(s.files, relative)
			}
		}
		return err
	}))
	return s
}

// refuses starts a node on a directory. If it comes up, every balance must be right and can be spent.
func (s *sealedDirectory) refuses(t *testing.T, dir, what string) bool {
	t.Helper()
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, dir, s.args...)...)
	ready := regexp.MustCompile(`msg=ready`)
	for !ready.MatchString(p.stderr.String()) {
		select {
		case <-p.Ended():
			require.Equal(t, exitStuck, p.State().ExitCode(), "%s\n%s", what, p.stderr)
			require.Contains(t, p.stderr.String(), "creditd server: ", what)
			require.Contains(t, p.stderr.String(), "mv '"+dir+"' '"+dir+".damaged'", "%s\n%s", what, p.stderr)
			return true
		case <-time.After(5 * time.Millisecond):
		}
	}
	c := p.client(testRootKey)
	for i, key := range s.keys {
		require.EqualValues(t, s.balances[i], balance(t, c, fmt.Sprintf("customer%d", i)), what)
		require.EqualValues(t, s.balances[i]-1, must[object](t, c, "keys.verifyKey", object{"key": key})["credits"], what)
	}
	p.Kill()
	return false
}

// TestDamage_ChargeThatBecameAnEmptyEntry: one flipped bit in the type of an entry would make raft skip it, and roll back an acknowledged
// debit.
func TestDamage_ChargeThatBecameAnEmptyEntry(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	args := alone(t, dir, "--log-store", "wal")
	p, c := startMember(t, args...)
	key := addCustomer(t, c, "customer", 1000)
	for range 3 {
		must[object](t, c, "keys.verifyKey", object{"key": key})
	}
	p.terminate()
	segments, err := filepath.Glob(filepath.Join(dir, "wal", "*.wal"))
	require.NoError(t, err)
	segment, err := os.ReadFile(segments[0])
	require.NoError(t, err)
	types := typesOfCommands(segment)
	require.Greater(t, len(types), 3)
	segment[types[len(types)-3]] ^= byte(raft.LogCommand ^ raft.LogNoop)
	writeSparsely(t, segments[0], segment)
	refuses(t, nil, args, exitStuck, filepath.Join(dir, "wal"), "damaged", "mv '"+dir+"' '"+dir+".damaged'")
}

// typesOfCommands returns where the types of commands are in a segment of raft-wal. A frame has a kind, three bytes, a length, and that
// many bytes, rounded up to eight. The bytes begin with index, term and type as varints.
func typesOfCommands(segment []byte) (offsets []int) {
	const fileHeader, frameHeader, entryFrame, commitFrame = 32, 8, 1, 3
	for at := fileHeader; segment[at] != 0; {
		length := int(encoding.LittleEndian.Uint32(segment[at+4:]))
		switch segment[at] {
		case entryFrame:
			offset := at + frameHeader
			for range 2 {
				_, n := encoding.Uvarint(segment[offset:])
				offset += n
			}
			if raft.LogType(segment[offset]) == raft.LogCommand {
				offsets = append(offsets, offset)
			}
		case commitFrame: // a checksum in the place of the length
			length = 0
		}
		at += frameHeader + (length+7)/8*8
	}
	return offsets
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if e.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		data, err := os.ReadFile(path)
		if err == nil {
			writeSparsely(t, target, data)
		}
		return err
	}))
}

// writeSparsely writes a file whose end may be a large reserve of zeros.
func writeSparsely(t *testing.T, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, bytes.TrimRight(data, "\x00"), 0o600))
	require.NoError(t, os.Truncate(path, int64(len(data))))
}

// TestDamage_TheAdviceRebuildsTheNode: the printed command, pasted, rebuilds a damaged node completely. This holds for a path with spaces,
// and for a node that was rebuilt before.
func TestDamage_TheAdviceRebuildsTheNode(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "it's here")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "2.damaged"), 0o700))
	gossip := []string{freeAddress(t), freeAddress(t), freeAddress(t)}
	var args [][]string
	var nodes []*process
	env := []string{"CREDITD_ROOT_KEY=" + testRootKey}
	for i := range 3 {
		args = append(args, []string{"server", "--data-dir", filepath.Join(root, fmt.Sprint(i)), "--bootstrap-expect", "3",
			"--join", strings.Join(gossip, ","), "--http-addr", "127.0.0.1:0", "--peer-addr", freeAddress(t), "--gossip-addr", gossip[i]})
		nodes = append(nodes, start(t, env, args[i]...))
	}
	for _, p := range nodes {
		p.await(p.stderr, `msg=ready`)
	}
	addCustomer(t, nodes[0].client(testRootKey), "customer", 77)
	nodes[2].terminate()
	state := filepath.Join(root, "2", "stable.db")
	require.NoError(t, os.Truncate(state, 5000))
	p := start(t, env, args[2]...)
	require.Equal(t, exitStuck, p.wait())
	require.Contains(t, p.stderr.String(), state)
	advice := regexp.MustCompile(`(?m)^  (mv .*)$`).FindStringSubmatch(p.stderr.String())
	require.NotNil(t, advice, p.stderr)
	out, err := exec.Command("sh", "-c", advice[1]).CombinedOutput()
	require.NoError(t, err, string(out))

	again := start(t, env, args[2]...)
	again.await(again.stderr, `msg=ready`)
	c := again.client(testRootKey)
	require.EqualValues(t, 77, balance(t, c, "customer"))
	await(t, func() bool { // its old self is replaced
		voters := 0
		nodes := must[api.Status](t, c, "cluster.getStatus", object{}).Nodes
		for _, n := range nodes {
			if n.Voter && n.Health == "alive" {
				voters++
			}
		}
		return voters == 3 && len(nodes) == 3
	})
}

// TestDamage_ASnapshotThatDoesNotLoadIsNamed: raft itself says only that it failed to load any existing snapshots.
func TestDamage_ASnapshotThatDoesNotLoadIsNamed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "node")
	args := []string{"server", "--data-dir", dir, "--http-addr", "127.0.0.1:0", "--bootstrap-expect", "1",
		"--peer-addr", freeAddress(t), "--gossip-addr", freeAddress(t)}
	env := []string{"CREDITD_ROOT_KEY=" + testRootKey}
	p := start(t, env, args...)
	p.await(p.stderr, `msg=ready`)
	p.terminate()

	data, err := store.Open(store.Options{Dir: dir, Reads: replica.Reads("test")})
	require.NoError(t, err)
	last, err := data.Log().LastIndex()
	require.NoError(t, err)
	sink, err := data.Snapshots().Create(1, last, 1, raft.Configuration{}, 1, nil)
	require.NoError(t, err)
	require.NoError(t, sink.(store.SnapshotSink).Put([]byte("no record"), []byte("of a ledger")))
	require.NoError(t, sink.Close())
	require.NoError(t, data.Close())

	p = start(t, env, args...)
	require.Equal(t, exitStuck, p.wait())
	require.Contains(t, p.stderr.String(), filepath.Join(dir, "state.db")+": the snapshot at index")
	require.Contains(t, p.stderr.String(), "mv '"+dir+"'")
}
