package fields_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm/fields"
)

// door is a value that has grown twice.
type door struct {
	Name  string
	Locks []string // came with version 2
	Bell  bool     // came with version 4
}

func (d *door) show(v *fields.Visitor) {
	v.String(&d.Name)
	if v.Added(2, len(d.Locks) > 0) {
		v.Strings(&d.Locks)
	}
	if v.Added(4, d.Bell) {
		v.Bool(&d.Bell)
	}
}

func need(d *door) uint64 {
	v := fields.NewVersionFinder(false)
	d.show(&v)
	return v.Need()
}

func written(d *door) []byte {
	v := fields.NewWriter(nil)
	v.SetForm(0, need(d))
	d.show(v)
	return v.Bytes()
}

func hashed(d *door) [2]uint64 {
	v := fields.NewHashing(fields.NewHasher(1))
	d.show(&v)
	a, b := v.Sum()
	return [2]uint64{a, b}
}

// A field at its default value leaves the bytes and the hash as they were before the field existed.
func TestAdded_DefaultsLeaveNoTrace(t *testing.T) {
	plain := door{Name: "front"}
	require.EqualValues(t, 1, need(&plain))
	v := fields.NewWriter(nil)
	v.String(&plain.Name)
	require.Equal(t, v.Bytes(), written(&plain))
	h := fields.NewHasher(1)
	h.String("front")
	a, b := h.Sum()
	require.Equal(t, [2]uint64{a, b}, hashed(&plain))
}

// A value is written in the oldest form that holds it, and reads back from there.
func TestAdded_OldestFormHoldsTheValue(t *testing.T) {
	for version, d := range map[uint64]door{
		1: {Name: "front"},
		2: {Name: "front", Locks: []string{"a"}},
		4: {Name: "front", Bell: true},
	} {
		require.Equal(t, version, need(&d))
		r := fields.NewReader(written(&d))
		r.SetForm(0, version)
		var got door
		got.show(r)
		require.NoError(t, r.Finish())
		require.Equal(t, d.Name, got.Name)
		require.Equal(t, d.Bell, got.Bell)
		require.Len(t, got.Locks, len(d.Locks))
	}
}

// Two fields of different versions never hash alike.
func TestAdded_HashTellsFieldsApart(t *testing.T) {
	seen := map[[2]uint64]bool{}
	for _, d := range []door{{}, {Bell: true}, {Locks: []string{""}}, {Locks: []string{"", ""}}, {Locks: []string{""}, Bell: true}} {
		require.False(t, seen[hashed(&d)])
		seen[hashed(&d)] = true
	}
}

// Reading is strict: what no writer writes is an error, and nothing is read after the first one.
func TestReader_IsStrict(t *testing.T) {
	for name, data := range map[string][]byte{
		"nothing": {}, "a cut text": {3, 'a'}, "a long integer": {0x83, 0, 'a', 'b', 'c'}, "more than the value": {1, 'a', 0},
	} {
		r := fields.NewReader(data)
		var d door
		d.show(r)
		require.Error(t, r.Finish(), name)
	}
}
