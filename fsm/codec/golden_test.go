package codec_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

var update = flag.Bool("update", false, "rewrite the golden files; for a format that was never released")

// Logs and snapshots of version 1 stay readable, and this build writes the same bytes: nodes compare them.
func TestGolden_Version1(t *testing.T) {
	var batches, results, records []string
	batches = append(batches, line("empty", codec.AppendBatch(nil, fsm.Batch{})))
	batches = append(batches, line("all", codec.AppendBatch(nil, batchSample())))
	for _, r := range resultSamples {
		results = append(results, line(fmt.Sprintf("%T", r), codec.AppendResult(nil, r)))
	}
	for _, r := range recordSamples {
		key := codec.AppendRecordKey(nil, r.Key())
		records = append(records, line(hex.EncodeToString(key), codec.AppendRecord(nil, r)))
	}
	golden(t, "testdata/v1/batches.txt", batches)
	golden(t, "testdata/v1/results.txt", results)
	golden(t, "testdata/v1/records.txt", records)
}

// What a released build wrote decodes to what it meant.
func TestGolden_Version1Decodes(t *testing.T) {
	entries := readGolden(t, "testdata/v1/batches.txt")
	require.Len(t, entries, 2)
	b, err := codec.DecodeBatch(entries[1].value)
	require.NoError(t, err)
	require.Equal(t, batchSample(), b)

	for i, e := range readGolden(t, "testdata/v1/results.txt") {
		r, err := codec.DecodeResult(e.value)
		require.NoError(t, err)
		require.Equal(t, resultSamples[i], r)
	}
	for i, e := range readGolden(t, "testdata/v1/records.txt") {
		key, err := hex.DecodeString(e.name)
		require.NoError(t, err)
		r, err := codec.DecodeRecord(key, e.value)
		require.NoError(t, err)
		require.Equal(t, recordSamples[i], r)
	}
}

// What came with a later ledger version stays readable likewise.
func TestGolden_LaterVersions(t *testing.T) {
	testGolden(t, "testdata/v2/", commandSamples2, resultSamples2, recordSamples2)
	testGolden(t, "testdata/v3/", commandSamples3, resultSamples3, recordSamples3)
	testGolden(t, "testdata/v4/", commandSamples4, resultSamples4, recordSamples4)
	testGolden(t, "testdata/v5/", commandSamples5, nil, recordSamples5)
}

func testGolden(t *testing.T, dir string, commands []fsm.Command, results []fsm.Result, records []fsm.Record) {
	t.Helper()
	b := fsm.Batch{Stamp: 7}
	for _, c := range commands {
		b.Calls = append(b.Calls, fsm.Call{Command: c})
	}
	golden(t, dir+"batches.txt", []string{line("all", codec.AppendBatch(nil, b))})
	got, err := codec.DecodeBatch(readGolden(t, dir+"batches.txt")[0].value)
	require.NoError(t, err)
	require.Equal(t, b, got)

	var lines []string
	for _, r := range results {
		lines = append(lines, line(fmt.Sprintf("%T", r), codec.AppendResult(nil, r)))
	}
	if len(lines) > 0 {
		golden(t, dir+"results.txt", lines)
	}
	for i, r := range results {
		got, err := codec.DecodeResult(readGolden(t, dir+"results.txt")[i].value)
		require.NoError(t, err)
		require.Equal(t, r, got)
	}
	lines = nil
	for _, r := range records {
		lines = append(lines, line(hex.EncodeToString(codec.AppendRecordKey(nil, r.Key())), codec.AppendRecord(nil, r)))
	}
	golden(t, dir+"records.txt", lines)
	for i, e := range readGolden(t, dir+"records.txt") {
		key, err := hex.DecodeString(e.name)
		require.NoError(t, err)
		got, err := codec.DecodeRecord(key, e.value)
		require.NoError(t, err)
		require.Equal(t, records[i], got)
	}
}

func line(name string, data []byte) string { return name + " " + hex.EncodeToString(data) + "\n" }

func golden(t *testing.T, path string, lines []string) {
	t.Helper()
	text := strings.Join(lines, "")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

type goldenEntry struct {
	name  string
	value []byte
}

func readGolden(t testing.TB, path string) []goldenEntry {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var entries []goldenEntry
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		name, value, ok := strings.Cut(s.Text(), " ")
		require.True(t, ok)
		b, err := hex.DecodeString(value)
		require.NoError(t, err)
		entries = append(entries, goldenEntry{name, b})
	}
	return entries
}
