package codec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// charges is an entry of 1024 charges by four root keys.
func charges() fsm.Batch {
	b := fsm.Batch{Stamp: 1_764_000_000_123, Calls: make([]fsm.Call, 1024)}
	for i := range b.Calls {
		b.Calls[i] = fsm.Call{Actor: hash(byte(i % 4)), Command: &fsm.VerifyKey{Hash: hash(byte(i)), Cost: int64(1 + i%7)}}
	}
	return b
}

func BenchmarkDecodeBatch(b *testing.B) {
	data := codec.AppendBatch(nil, charges())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := codec.DecodeBatch(data)
		require.NoError(b, err)
	}
}

func BenchmarkAppendBatch(b *testing.B) {
	batch := charges()
	buf := codec.AppendBatch(nil, batch)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = codec.AppendBatch(buf[:0], batch)
	}
}

func BenchmarkAppendVerdict(b *testing.B) {
	var r fsm.Result = &fsm.Verdict{Code: fsm.Valid, Enabled: true, Limited: true, Credits: 1000, Expires: fsm.Never, KeyID: "key_000000001"}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = codec.AppendResult(buf[:0], r)
	}
}
