package backup

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

var thisBuild = store.Versions{Build: "v1", Oldest: 1, Newest: 4, Digest: 1}

func testHeader() Header {
	return Header{ClusterID: "cl_1", Index: 7, Term: 2, LedgerVersion: 4, Build: "v1", Records: 3, DigestDefinition: 1}
}

func write(t testing.TB, h Header) []byte {
	var b bytes.Buffer
	w, err := NewWriter(&b, h)
	require.NoError(t, err)
	for i := range h.Records {
		require.NoError(t, w.Put([]byte(fmt.Sprintf("k%d", i)), []byte(strings.Repeat("v", i*100))))
	}
	require.NoError(t, w.End())
	require.EqualValues(t, b.Len(), w.Bytes())
	return b.Bytes()
}

// readAll returns the records, and io.EOF if the file is whole.
func readAll(b []byte) (records []string, err error) {
	r, err := NewReader(bytes.NewReader(b), thisBuild)
	for err == nil {
		var key, value []byte
		if key, value, err = r.Next(); err == nil {
			records = append(records, fmt.Sprintf("%s=%d", key, len(value)))
		}
	}
	return records, err
}

func TestFormat_RoundTrip(t *testing.T) {
	records, err := readAll(write(t, testHeader()))
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, []string{"k0=0", "k1=100", "k2=200"}, records)
}

// No byte can be missing, added or changed.
func TestFormat_FindsEveryDamage(t *testing.T) {
	whole := write(t, testHeader())
	for i := range whole {
		_, err := readAll(whole[:i])
		require.Error(t, err)
		require.NotErrorIs(t, err, io.EOF, i)
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(whole)
			bad[i] ^= bit
			_, err = readAll(bad)
			require.NotErrorIs(t, err, io.EOF, i)
		}
	}
	_, err := readAll(append(whole, 1))
	require.ErrorContains(t, err, "bytes follow its end")
	_, err = readAll([]byte("something else entirely, and long enough"))
	require.ErrorContains(t, err, "no snapshot of creditd")
}

// A file of a later build is refused, and the message names the build that it takes.
func TestFormat_NamesTheBuildThatItTakes(t *testing.T) {
	h := testHeader()
	h.LedgerVersion, h.RaisedBy = 9, "v3.1.0"
	_, err := readAll(write(t, h))
	require.ErrorContains(t, err, "ledger version 9 (raised by creditd v3.1.0); this build (v1) reads ledger versions 1 to 4: start creditd v3.1.0 or newer")

	later := bytes.Replace(write(t, testHeader()), []byte(`{"format":1,`), []byte(`{"format":2,`), 1)
	_, err = readAll(later)
	require.ErrorContains(t, err, "the snapshot has format 2, this build (v1) reads formats up to 1: use creditd v1 or newer")
}

// The header only grows: what a later build adds is ignored.
func TestFormat_IgnoresFieldsOfLaterBuilds(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, testHeader())
	require.NoError(t, err)
	size := b.Len()
	require.NoError(t, w.Put([]byte("k"), nil))
	require.Less(t, size, b.Len())
	h := append(b.Bytes()[:size-1:size-1], `,"new":true}`...)
	h[len(magic)+3] += byte(len(`,"new":true`))
	r, err := NewReader(bytes.NewReader(h), thisBuild)
	require.NoError(t, err)
	require.EqualValues(t, 7, r.Header.Index)
}

// FuzzReader: no file makes the reader take more memory than it has bytes, or panic.
func FuzzReader(f *testing.F) {
	f.Add(write(f, testHeader()))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b), thisBuild)
		for err == nil {
			_, _, err = r.Next()
		}
	})
}

// A node reads its own backups: a million records must not bring its next garbage collection nearer.
func TestFormat_AllocatesNothingForARecord(t *testing.T) {
	allocations := func(records int) float64 {
		h := testHeader()
		h.Records = records
		var file bytes.Buffer
		return testing.AllocsPerRun(5, func() {
			file.Reset()
			w, err := NewWriter(&file, h)
			require.NoError(t, err)
			for range records {
				require.NoError(t, w.Put([]byte("key"), []byte("value")))
			}
			require.NoError(t, w.End())
			r, err := NewReader(&file, thisBuild)
			for err == nil {
				_, _, err = r.Next()
			}
			require.ErrorIs(t, err, io.EOF)
		})
	}
	require.InDelta(t, allocations(100), allocations(10_000), 100)
}
