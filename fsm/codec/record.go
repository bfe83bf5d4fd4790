package codec

import (
	"encoding/binary"
	"fmt"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fields"
)

// AppendRecordKey appends the bytes under which a record is stored. Records are restored in the order of these bytes.
func AppendRecordKey(buf []byte, k fsm.RecordKey) []byte {
	return append(append(buf, byte(k.Kind)), k.ID...)
}

// AppendRecord appends the bytes that are stored under a record's key.
func AppendRecord(buf []byte, r fsm.Record) []byte {
	v := fields.NewWriter(buf)
	fsm.WriteRecord(v, r)
	return v.Bytes()
}

// DecodeRecord is the inverse of AppendRecord; it also needs the key. The record keeps no reference to its arguments.
func DecodeRecord(key, value []byte) (fsm.Record, error) {
	if len(key) == 0 {
		return nil, fmt.Errorf("decode record: empty key")
	}
	v := fields.NewReader(value)
	r := fsm.ReadRecord(v, fsm.Kind(key[0]))
	if err := v.Finish(); err != nil {
		return nil, fmt.Errorf("decode record %q: %w", key, err)
	}
	if name := r.Key(); name.Kind != fsm.Kind(key[0]) || name.ID != string(key[1:]) {
		return nil, fmt.Errorf("decode record %q: it names itself %v", key, name)
	}
	return r, nil
}

// AppendDigest appends the encoding of a digest, as snapshots store it.
func AppendDigest(buf []byte, d fsm.Digest) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(buf, d.A), d.B)
}

// DecodeDigest is the inverse of AppendDigest.
func DecodeDigest(data []byte) (fsm.Digest, error) {
	if len(data) != 16 {
		return fsm.Digest{}, fmt.Errorf("decode digest: %d bytes, want 16", len(data))
	}
	return fsm.Digest{A: binary.BigEndian.Uint64(data), B: binary.BigEndian.Uint64(data[8:])}, nil
}
