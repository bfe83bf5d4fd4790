package codec_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// Whatever decodes is what a build would have written: one encoding per value. The fuzzer makes the body, the checksum is added
// here, because it would never find one.
func FuzzDecodeBatch(f *testing.F) {
	for _, e := range readGolden(f, "testdata/v1/batches.txt") {
		f.Add(body(e.value))
	}
	for _, c := range allCommands() {
		f.Add(body(codec.AppendBatch(nil, fsm.Batch{Stamp: 1, Calls: []fsm.Call{{Command: c}}})))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = codec.DecodeBatch(data)
		b, err := codec.DecodeBatch(sealed(data))
		if err != nil {
			return
		}
		again := codec.AppendBatch(nil, b)
		require.Equal(t, sealed(data), again)
		c, err := codec.DecodeBatch(again)
		require.NoError(t, err)
		require.Equal(t, b, c)
	})
}

func FuzzDecodeResult(f *testing.F) {
	for _, r := range allResults() {
		f.Add(body(codec.AppendResult(nil, r)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = codec.DecodeResult(data)
		r, err := codec.DecodeResult(sealed(data))
		if err != nil {
			return
		}
		require.Equal(t, sealed(data), codec.AppendResult(nil, r))
	})
}

// Records carry no checksum here: package store puts one around them.
func FuzzDecodeRecord(f *testing.F) {
	for _, e := range readGolden(f, "testdata/v1/records.txt") {
		key, err := hex.DecodeString(e.name)
		require.NoError(f, err)
		f.Add(key, e.value)
	}
	for _, r := range allRecords() {
		f.Add(codec.AppendRecordKey(nil, r.Key()), codec.AppendRecord(nil, r))
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		r, err := codec.DecodeRecord(key, value)
		if err != nil {
			return
		}
		require.Equal(t, key, codec.AppendRecordKey(nil, r.Key()))
		require.Equal(t, value, codec.AppendRecord(nil, r))
	})
}
