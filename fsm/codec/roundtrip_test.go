package codec_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

const roundTrips = 300 // of each type

// The size that is estimated for a call covers what it takes, and not much more.
func TestCall_SizeCoversItsEncoding(t *testing.T) {
	many := &fsm.VerifyKeys{Items: make([]fsm.Verification, 1000)}
	for i := range many.Items {
		many.Items[i].Command = &fsm.VerifyKey{Hash: hash(byte(i)), Cost: 1 << 40}
	}
	for _, c := range append(allCommands(), many, &fsm.CreateIdentity{ID: "id_1", ExternalID: "u", Meta: strings.Repeat("m", 1<<20)}) {
		call := fsm.Call{Actor: hash(1), Command: c}
		written := len(codec.AppendBatch(nil, fsm.Batch{Stamp: 1 << 41, IdempotencyMaxKeys: 1 << 30, Calls: []fsm.Call{call}}))
		require.GreaterOrEqual(t, call.Size(), written, "%T", c)
		require.Less(t, call.Size(), 2*written+1024, "%T", c)
	}
}

// Every command survives its encoding, whatever its fields hold. A field that the codec forgets comes back as zero.
func TestBatch_RoundTripsEveryCommand(t *testing.T) {
	types := samplesByType(allCommands())
	requireAllTypes(t, types, "is", "commandType")
	for name, typ := range types {
		t.Run(name, func(t *testing.T) {
			f := newFiller()
			for range roundTrips {
				b := fsm.Batch{Stamp: f.rng.Int64()}
				for range f.rng.IntN(4) {
					call := fsm.Call{Actor: hash(byte(f.rng.IntN(3))), Command: f.make(typ).(fsm.Command)}
					if f.rng.IntN(2) == 0 {
						call.Origin = f.make(reflect.TypeFor[fsm.Origin]()).(*fsm.Origin)
					}
					b.Calls = append(b.Calls, call)
				}
				data := codec.AppendBatch([]byte("before"), b)
				require.True(t, bytes.HasPrefix(data, []byte("before")))
				got, err := codec.DecodeBatch(data[len("before"):])
				require.NoError(t, err)
				require.Equal(t, b.Stamp, got.Stamp)
				require.Len(t, got.Calls, len(b.Calls))
				for i := range b.Calls {
					require.Equal(t, b.Calls[i], got.Calls[i])
				}
			}
		})
	}
}

// Every result survives the way from one node to another.
func TestResult_RoundTripsEveryType(t *testing.T) {
	types := samplesByType(allResults())
	requireAllTypes(t, types, "is", "resultType", "Retransmitted")
	for name, typ := range types {
		t.Run(name, func(t *testing.T) {
			f := newFiller()
			for range roundTrips {
				r := f.make(typ).(fsm.Result)
				got, err := codec.DecodeResult(codec.AppendResult([]byte("before"), r)[len("before"):])
				require.NoError(t, err)
				require.Equal(t, r, got)
			}
		})
	}
}

// Every record survives on disk.
func TestRecord_RoundTripsEveryType(t *testing.T) {
	types := samplesByType(allRecords())
	requireAllTypes(t, types, "is", "recordType")
	for name, typ := range types {
		t.Run(name, func(t *testing.T) {
			f := newFiller()
			var decoder codec.RecordDecoder
			var again fsm.Record
			for range roundTrips {
				r := f.make(typ).(fsm.Record)
				key, value := codec.AppendRecordKey(nil, r.Key()), codec.AppendRecord([]byte("before"), r)[len("before"):]
				got, err := codec.DecodeRecord(key, value)
				require.NoError(t, err)
				require.Equal(t, r, got)
				again, err = decoder.Decode(key, value, again)
				require.NoError(t, err)
				require.Equal(t, r, again)
			}
		})
	}
}

// What was made of a record keeps its lists and texts when the next one is read into its memory.
func TestRecordDecoder_LeavesListsOfEarlierRecordsAlone(t *testing.T) {
	var decoder codec.RecordDecoder
	decode := func(spare fsm.Record, want *fsm.KeyRecord) *fsm.KeyRecord {
		r, err := decoder.Decode(codec.AppendRecordKey(nil, want.Key()), codec.AppendRecord(nil, want), spare)
		require.NoError(t, err)
		require.Equal(t, want, r)
		return r.(*fsm.KeyRecord)
	}
	key := func(text string) *fsm.KeyRecord {
		return &fsm.KeyRecord{
			ID: text, APIID: "api_1", Name: text, Permissions: []string{text, text + "x"}, Roles: []string{text},
			Ratelimits: []fsm.Ratelimit{{Name: text, Limit: 1, Duration: 1000}},
		}
	}
	first := decode(nil, key("a"))
	kept := *first
	second := decode(first, key("b"))
	require.Same(t, first, second)
	require.Equal(t, *key("a"), kept)
}

// Each single field matters: two values that differ in one of them have different bytes.
func TestCodec_EncodesEveryField(t *testing.T) {
	check := func(samples []any, encode func(any) []byte) {
		for name, typ := range samplesByType(samples) {
			f := newFiller()
			f.full = true
			whole := f.make(typ)
			leaves(reflect.ValueOf(whole).Elem(), name, func(path string, leaf reflect.Value) {
				before := encode(whole)
				kept := reflect.ValueOf(leaf.Interface())
				leaf.SetZero()
				if nonzero[leaf.Type()] {
					leaf.SetUint(1)
				}
				require.NotEqual(t, before, encode(whole), path)
				leaf.Set(kept)
			})
		}
	}
	check(anys(allCommands()), func(v any) []byte {
		return codec.AppendBatch(nil, fsm.Batch{Calls: []fsm.Call{{Command: v.(fsm.Command)}}})
	})
	check(anys(allResults()), func(v any) []byte { return codec.AppendResult(nil, v.(fsm.Result)) })
	check(anys(allRecords()), func(v any) []byte { return codec.AppendRecord(nil, v.(fsm.Record)) })
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

func samplesByType[T any](samples []T) map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, s := range samples {
		typ := reflect.TypeOf(s).Elem()
		types[typ.Name()] = typ
	}
	return types
}

// requireAllTypes compares the types that have samples with the types of package fsm that a method returns. So a new type cannot be
// forgotten here.
func requireAllTypes(t *testing.T, have map[string]reflect.Type, method, result string, but ...string) {
	t.Helper()
	var names []string
	for _, f := range parseLedger(t) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != method || fn.Type.Results == nil {
				continue
			}
			of, isPointer := fn.Type.Results.List[0].Type.(*ast.StarExpr)
			receiver, named := fn.Recv.List[0].Type.(*ast.StarExpr)
			if isPointer && named && fmt.Sprint(of.X) == result && !slices.Contains(but, fmt.Sprint(receiver.X)) {
				names = append(names, fmt.Sprint(receiver.X))
			}
		}
	}
	require.NotEmpty(t, names)
	for _, name := range names {
		require.Contains(t, have, name, "no sample of it in samples_test.go")
	}
	require.Len(t, have, len(names))
}

func parseLedger(t *testing.T) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob("../*.go")
	require.NoError(t, err)
	context := build.Default
	context.BuildTags = buildTags
	for _, path := range paths {
		built, err := context.MatchFile(filepath.Split(path))
		require.NoError(t, err)
		if !built || strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		files = append(files, f)
	}
	return files
}

// leaves calls f for each field of v that holds no further ones. A field whose state or interval says what follows is left out:
// the encoding rightly leaves out what it makes meaningless.
func leaves(v reflect.Value, path string, f func(string, reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		f(path, v)
		leaves(v.Elem(), path, f)
	case reflect.Interface:
		leaves(v.Elem().Elem(), path, f)
	case reflect.Slice:
		f(path, v)
		if v.Type().Elem().Kind() == reflect.Struct {
			leaves(v.Index(0), path, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			leaves(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	default:
		f(path, v)
	}
}

// filler makes random values of the ledger's types by reflection.
type filler struct {
	rng  *rand.Rand
	full bool // no field is left zero
}

func newFiller() *filler { return &filler{rng: rand.New(rand.NewPCG(1, 2))} }

// make returns a pointer to a random value of the type.
func (f *filler) make(typ reflect.Type) any {
	p := reflect.New(typ)
	f.fill(p.Elem())
	return p.Interface()
}

// enums are the largest values of the small numbers.
var enums = map[reflect.Type]uint64{
	reflect.TypeFor[fsm.FieldState]():  uint64(fsm.Given),
	reflect.TypeFor[fsm.Interval]():    uint64(fsm.Monthly),
	reflect.TypeFor[fsm.Policy]():      uint64(fsm.BothPay),
	reflect.TypeFor[fsm.BalanceOp]():   uint64(fsm.Decrement),
	reflect.TypeFor[fsm.LinkOp]():      uint64(fsm.SetLinks),
	reflect.TypeFor[fsm.Algorithm]():   uint64(fsm.PrefixedAPIKey),
	reflect.TypeFor[fsm.WindowScope](): uint64(fsm.NamespaceScope),

	reflect.TypeFor[fsm.ConflictRule]():     uint64(fsm.ReplaceOnConflict),
	reflect.TypeFor[fsm.MarkedKind]():       uint64(fsm.MarkedAPI),
	reflect.TypeFor[fsm.ImportStatus]():     uint64(fsm.ImportInvalid),
	reflect.TypeFor[fsm.ImportReason]():     uint64(fsm.ImportImmutable),
	reflect.TypeFor[fsm.MigrationFailure](): uint64(fsm.HashTakenOver),
	reflect.TypeFor[uint8]():                31, // the day of a refill
}

// knownNumbers are the numbers of a type that says itself which ones there are.
func knownNumbers(typ reflect.Type) (list []uint64) {
	if _, ok := reflect.Zero(typ).Interface().(interface{ Known() bool }); !ok {
		return nil
	}
	for n := range uint64(256) {
		v := reflect.New(typ).Elem()
		v.SetUint(n)
		if v.Interface().(interface{ Known() bool }).Known() {
			list = append(list, n)
		}
	}
	return list
}

// nonzero are the small numbers that have no zero: there is no such operation, code or outcome.
var nonzero = map[reflect.Type]bool{
	reflect.TypeFor[fsm.BalanceOp](): true, reflect.TypeFor[fsm.LinkOp](): true, reflect.TypeFor[fsm.RefusalCode](): true, reflect.TypeFor[fsm.VerdictCode](): true,
	reflect.TypeFor[fsm.Event](): true, reflect.TypeFor[fsm.ResourceType](): true,
	reflect.TypeFor[fsm.WindowScope](): true, reflect.TypeFor[fsm.ImportStatus](): true, reflect.TypeFor[fsm.Algorithm](): true,
}

// TestAppendBatch_RefusesWhatNobodyCouldRead: such an entry, once committed, would stop every node.
func TestAppendBatch_RefusesWhatNobodyCouldRead(t *testing.T) {
	for _, c := range []fsm.Command{
		&fsm.UpdateKeyCredits{KeyID: "key_1"},
		&fsm.CreateIdentity{ID: "id_1", Policy: fsm.BothPay + 1},
		&fsm.CreateKey{ID: "key_1", Credits: fsm.NewCredits{Refill: fsm.Refill{Interval: fsm.Monthly, Amount: 1, Day: 32}}},
	} {
		require.Panics(t, func() { codec.AppendBatch(nil, fsm.Batch{Calls: []fsm.Call{{Command: c}}}) })
	}
}

func (f *filler) fill(v reflect.Value) {
	if !f.full && v.Kind() != reflect.Struct && v.Kind() != reflect.Interface && !nonzero[v.Type()] && f.rng.IntN(6) == 0 {
		return
	}
	if last, ok := enums[v.Type()]; ok {
		// 0 is no operation, code or outcome: the zero value of those is never encoded.
		v.SetUint(1 + f.rng.Uint64N(last))
		if f.full {
			v.SetUint(last)
		}
		return
	}
	if list := knownNumbers(v.Type()); list != nil {
		v.SetUint(list[f.rng.IntN(len(list))])
		if f.full {
			v.SetUint(list[len(list)-1])
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(f.full || f.rng.IntN(2) == 0)
	case reflect.Int64:
		v.SetInt(f.int() | 1)
	case reflect.Uint64:
		v.SetUint(uint64(f.int()) | 1)
	case reflect.String:
		v.SetString(f.string())
	case reflect.Array:
		for i := range v.Len() {
			if v.Type().Elem().Kind() == reflect.Uint8 {
				v.Index(i).SetUint(1 + f.rng.Uint64N(255))
			} else {
				f.fill(v.Index(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+f.rng.IntN(3), 3))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Interface: // the result of a session's call, or an item of several verifications
		if v.Type() == reflect.TypeFor[fsm.Command]() {
			v.Set(reflect.ValueOf(f.make(reflect.TypeFor[fsm.VerifyKey]())))
			return
		}
		if v.Type() == reflect.TypeFor[fsm.Record]() {
			v.Set(reflect.ValueOf(f.make(reflect.TypeFor[fsm.KeyRecord]())))
			return
		}
		v.Set(reflect.ValueOf(f.make(reflect.TypeFor[fsm.Verdict]())))
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
		if v.CanInterface() { // else it is embedded, and has no rule
			normalize(v)
		}
	default:
		panic("codec_test: cannot fill a " + v.Kind().String())
	}
}

// normalize clears what a state or an interval makes meaningless.
func normalize(v reflect.Value) {
	if state := v.FieldByName("State"); state.IsValid() && state.Interface() != fsm.Given {
		v.FieldByName("Value").SetZero()
	}
	if r, ok := v.Addr().Interface().(*fsm.RatelimitCheck); ok && !r.AdHoc {
		r.Limit, r.Duration = 0, 0
	}
	if c, ok := v.Addr().Interface().(*fsm.RaiseLedgerVersion); ok { // this build reads no other
		c.Version = 1 + c.Version%fsm.NewestLedgerVersion
	}
	if r, ok := v.Addr().Interface().(*fsm.MetaRecord); ok {
		r.LedgerVersion = 1 + r.LedgerVersion%fsm.NewestLedgerVersion
	}
	if r, ok := v.Addr().Interface().(*fsm.Refill); ok && r.Interval == fsm.NoRefill {
		*r = fsm.Refill{}
	}
}

// int is of any magnitude and either sign.
func (f *filler) int() int64 { return f.rng.Int64() >> f.rng.IntN(64) * int64(1-2*f.rng.IntN(2)) }

func (f *filler) string() string {
	b := make([]byte, 1+f.rng.IntN(200))
	for i := range b {
		b[i] = byte(f.rng.Uint32())
	}
	return string(b)
}

// A command that is sent again may be encoded while its first copy still is; the race detector finds an encoding that writes.
func TestAppend_OnlyReads(t *testing.T) {
	var wg sync.WaitGroup
	batch := batchSample()
	for range 2 {
		wg.Go(func() {
			codec.AppendBatch(nil, batch)
			for _, r := range resultSamples {
				codec.AppendResult(nil, r)
			}
			for _, r := range recordSamples {
				codec.AppendRecord(nil, r)
			}
		})
	}
	wg.Wait()
}
