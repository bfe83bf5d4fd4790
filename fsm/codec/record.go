package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fields"
)

// AppendRecordKey appends the bytes under which a record is stored. Records are restored in the order of these bytes.
func AppendRecordKey(buf []byte, k fsm.RecordKey) []byte {
	return append(append(buf, byte(k.Kind)), k.ID...)
}

// AppendKeyOf appends the bytes under which a record is stored: see AppendRecordKey.
func AppendKeyOf(buf []byte, r fsm.Record) []byte {
	return fsm.AppendRecordID(append(buf, byte(fsm.KindOf(r))), r)
}

// AppendRecord appends the bytes that are stored under a record's key.
func AppendRecord(buf []byte, r fsm.Record) []byte { return new(RecordEncoder).Append(buf, r) }

// RecordEncoder encodes many records one after the other, without allocations. The zero value is usable, by one goroutine at a time.
type RecordEncoder struct{ visitor fields.Visitor }

// Append is AppendRecord.
func (e *RecordEncoder) Append(buf []byte, r fsm.Record) []byte {
	e.visitor.Rewrite(buf)
	fsm.WriteRecord(&e.visitor, r)
	return e.visitor.Bytes()
}

// DecodeRecord is the inverse of AppendRecord; it also needs the key. The record keeps no reference to its arguments.
func DecodeRecord(key, value []byte) (fsm.Record, error) {
	return decodeRecord(fields.NewReader(value), nil, key, nil)
}

// RecordDecoder decodes many records one after the other, with few allocations. The zero value is usable, by one goroutine at a time.
type RecordDecoder struct {
	visitor fields.Visitor
	id      []byte
}

// Decode is DecodeRecord. It may use the memory of an earlier record: what was made of that one keeps its lists and texts.
func (d *RecordDecoder) Decode(key, value []byte, spare fsm.Record) (fsm.Record, error) {
	d.visitor.Reread(value)
	return decodeRecord(&d.visitor, &d.id, key, spare)
}

// decodeRecord uses id, unless it is nil, as a buffer.
func decodeRecord(v *fields.Visitor, id *[]byte, key []byte, spare fsm.Record) (fsm.Record, error) {
	if len(key) == 0 {
		return nil, fmt.Errorf("decode record: empty key")
	}
	r := fsm.RereadRecord(v, fsm.Kind(key[0]), spare)
	if err := v.Finish(); err != nil {
		return nil, fmt.Errorf("decode record %q: %w", key, err)
	}
	if id == nil {
		id = new([]byte)
	}
	if *id = fsm.AppendRecordID((*id)[:0], r); fsm.KindOf(r) != fsm.Kind(key[0]) || !bytes.Equal(*id, key[1:]) {
		return nil, fmt.Errorf("decode record %q: it names itself %v", key, r.Key())
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
