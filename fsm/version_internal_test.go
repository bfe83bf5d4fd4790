package fsm

import (
	"bufio"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm/fields"
)

// What the build for tests of upgrades adds: nothing without the tag nextversion.
var (
	buildTags   []string
	nextSamples []Record // after those of oneOfEach
)

// future is a command that came with a ledger version which this ledger does not have yet.
type future struct{ done bool }

var futureType = commandType{kind: 254, since: OldestLedgerVersion + 1, unaudited: true, create: create[future]}

func (*future) is() *commandType { return &futureType }

func (*future) fields(*fields.Visitor) {}

func (c *future) apply(*State, *rootKey) Result {
	c.done = true
	return done
}

// A command that needs a newer version is refused wherever it could take effect, and leaves no trace.
func TestApply_RefusesWhatTheLedgerVersionDoesNotAllow(t *testing.T) {
	s := foundedLedger(t)
	c := &future{}
	call := Call{Actor: Hash{1}, Command: c}
	before, stats := s.Digest(), s.Stats()
	for what, r := range map[string]Result{
		"Apply":       s.Apply(Batch{Calls: []Call{call}})[0],
		"Peek":        peeked(t, s.Peek, call),
		"PeekUndated": peeked(t, s.PeekWithoutLastUsed, call),
	} {
		refusal, ok := r.(*Refusal)
		require.True(t, ok, what)
		require.Equal(t, LedgerVersionTooLow, refusal.Code, what)
		require.Equal(t, "The request needs ledger version 2, and the cluster has 1", refusal.Detail, what)
	}
	stranger := Call{Actor: Hash{9}, Command: c}
	for what, r := range map[string]Result{
		"Apply": s.Apply(Batch{Calls: []Call{stranger}})[0], "Peek": peeked(t, s.Peek, stranger),
	} {
		require.Equal(t, RootKeyNotFound, r.(*Refusal).Code, "%s: who is unknown learns no version", what)
	}
	require.False(t, c.done)
	require.Equal(t, before, s.Digest())
	require.Equal(t, stats, s.Stats())

	s.Apply(Batch{Calls: []Call{{Command: &RaiseLedgerVersion{Version: 2, Build: "v1.2.0"}}}})
	require.Equal(t, done, s.Apply(Batch{Calls: []Call{call}})[0])
	require.True(t, c.done)
}

// foundedLedger has the root key whose hash is 1.
func foundedLedger(t *testing.T) *State {
	t.Helper()
	s := New()
	r := s.Apply(Batch{Stamp: 5, Calls: []Call{{Command: &Bootstrap{ClusterID: "cl_1", WorkspaceID: "ws_1", RootKeyID: "key_r", RootKeyHash: Hash{1}}}}})
	require.Equal(t, []Result{done}, r)
	return s
}

func peeked(t *testing.T, peek func(*Call) (Result, bool), call Call) Result {
	t.Helper()
	r, ok := peek(&call)
	require.True(t, ok)
	return r
}

// An entry that is older than the ledger, such as one of a leader that was cut off, changes nothing.
func TestRaiseLedgerVersion_NeverLowers(t *testing.T) {
	s := foundedLedger(t)
	raise := func(version uint64, build string) {
		t.Helper()
		require.Equal(t, []Result{done}, s.Apply(Batch{Calls: []Call{{Command: &RaiseLedgerVersion{Version: version, Build: build}}}}))
	}
	require.EqualValues(t, 1, s.LedgerVersion())
	first := s.Digest()
	raise(1, "v1.1.0")
	require.Equal(t, first, s.Digest())
	raise(2, "v1.2.0")
	require.EqualValues(t, 2, s.LedgerVersion())
	require.Equal(t, "v1.2.0", s.raisedBy)
	raised := s.Digest()
	require.NotEqual(t, first, raised, "nodes that differ in the version differ in the ledger")
	raise(2, "v1.3.0")
	raise(1, "v1.1.0")
	require.EqualValues(t, 2, s.LedgerVersion())
	require.Equal(t, "v1.2.0", s.raisedBy)
	require.Equal(t, raised, s.Digest())
}

// Where a digest is made without the visitor, it is the one that the visitor makes.
func TestDigest_OfAHotRecordIsThatOfItsFields(t *testing.T) {
	samples := append(oneOfEach(), nextSamples...)
	samples = append(samples, &SessionRecord{ID: 2, Node: "n", LastSeen: 7, Base: 5, Results: []SessionResult{{5, 6, done}, {9, 7, done}}},
		&IdempotencyRecord{WorkspaceID: "ws_1", KeyHash: ShortHash{1}, Fingerprint: ShortHash{2}, At: 3, Index: 4, Result: done})
	compared := map[Kind]int{}
	compare := func() {
		l := NewLoader()
		for _, r := range samples {
			if !recordTypes[r.Key().Kind].load(l.state, r) {
				return // the change broke a rule
			}
		}
		for _, n := range l.loaded.added {
			compared[n.key().Kind]++
			require.Equal(t, digestOf(n.record()), n.digest(), "%+v", n.record())
		}
	}
	compare()
	for _, r := range samples {
		switch r := r.(type) {
		case *SessionRecord: // its results are not hashed
			changes(&r.Node, compare)
			changes(&r.LastSeen, compare)
			changes(&r.Base, compare)
		case *CreditRecord, *WindowRecord:
			eachChange(reflect.ValueOf(r).Elem(), "", func(string) { compare() })
		case *IdempotencyRecord:
			changes(&r.Index, compare)
			changes(&r.Fingerprint, compare)
		}
	}
	for _, kind := range []Kind{KeyCreditKind, IdentityCreditKind, SessionKind, WindowKind, IdempotencyKind} {
		require.Greater(t, compared[kind], 100, "kind %d", kind)
	}
}

// changes makes several changes to *p, one at a time, and calls f after each.
func changes(p any, f func()) {
	eachChange(reflect.ValueOf(p).Elem(), "", func(string) { f() })
}

var updateDigests = flag.Bool("update", false, "rewrite testdata/digests.txt; only when a format was added, and never with a build tag")

// The digest of what an old build wrote is the same in every later build: a node of each meets the other in one cluster.
func TestDigest_OfOldFormsStaysAsItWas(t *testing.T) {
	var lines []string
	for _, version := range []string{"v1", "v2"} {
		golden, err := os.Open(filepath.Join("codec", "testdata", version, "records.txt"))
		require.NoError(t, err)
		defer func() { require.NoError(t, golden.Close()) }()
		for s := bufio.NewScanner(golden); s.Scan(); {
			key, value, _ := strings.Cut(s.Text(), " ")
			name, err := hex.DecodeString(key)
			require.NoError(t, err)
			data, err := hex.DecodeString(value)
			require.NoError(t, err)
			v := fields.NewReader(data)
			r := ReadRecord(v, Kind(name[0]))
			require.NoError(t, v.Finish())
			lines = append(lines, fmt.Sprintf("%s %s %s\n", version, key, digestOf(r)))
		}
	}
	path := filepath.Join("testdata", "digests.txt")
	if *updateDigests {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), strings.Join(lines, ""))
}
