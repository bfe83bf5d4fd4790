package fields

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// mode is what a visitor does with the fields that it is shown.
type mode uint8

const (
	reading mode = iota
	writing
	hashing
	measuring
	versioning // finds the ledger version that a value needs
)

// Visitor visits the fields of a value one by one. It keeps the first failure. See the package comment.
//
// Writing, hashing and measuring change nothing: several goroutines may write the same value at once, as a retransmission does.
type Visitor struct {
	// Kind is the kind of the value under way. A value with a short and a long kind reads it to find its own form.
	Kind byte
	// Idempotent reports that a call or an item had an idempotency key.
	Idempotent bool

	// Pool is for a type that takes its values from larger allocations.
	Pool any

	mode  mode
	deep  bool   // dating
	form  uint64 // of the value under way: the ledger version that it is written for
	need  uint64 // dating: the largest version found
	size  int    // measuring: bytes
	thing int    // measuring: bytes for each thing of a list, beside its texts
	hash  Hasher
	buf   []byte // writing: what was written; reading: what is left
	err   error
	kept  *kept
}

// kept is what a visitor keeps from one value to the next.
type kept struct {
	texts  *[64]string // reading: short texts that were read lately; nil: each is a copy of its own
	finder Visitor
}

// The failures of reading.
var (
	ErrShort    = errors.New("truncated")
	ErrTrailing = errors.New("trailing bytes")
	errVarint   = errors.New("malformed integer")
)

// NewReader returns a visitor that reads from data. The values keep no reference to data.
func NewReader(data []byte) *Visitor {
	v := MakeReader(data)
	return &v
}

// MakeReader is NewReader for a visitor that is used again for other data.
func MakeReader(data []byte) Visitor { return Visitor{mode: reading, form: 1, buf: data} }

// Reread makes a reader begin with other data. From then on, short texts that are equal to one read lately share its memory: of records, many
// name the same owner.
func (v *Visitor) Reread(data []byte) {
	if v.kept == nil || v.kept.texts == nil {
		v.kept = &kept{texts: new([64]string)}
	}
	*v = Visitor{Pool: v.Pool, mode: reading, form: 1, buf: data, kept: v.kept}
}

// NewWriter returns a visitor that appends to buf.
func NewWriter(buf []byte) *Visitor {
	v := MakeWriter(buf)
	return &v
}

// MakeWriter is NewWriter for a visitor that stays on the stack, or is used again for other values.
func MakeWriter(buf []byte) Visitor { return Visitor{mode: writing, form: 1, buf: buf} }

// Rewrite makes a visitor begin anew, as NewWriter does.
func (v *Visitor) Rewrite(buf []byte) {
	*v = Visitor{mode: writing, form: 1, buf: buf, kept: v.kept}
}

// NewHashing returns a visitor that hashes the fields, beginning with seed.
func NewHashing(seed Hasher) Visitor { return Visitor{mode: hashing, hash: seed} }

// NewMeasuring returns a visitor that adds up the sizes of texts and lists.
func NewMeasuring() Visitor { return Visitor{mode: measuring, thing: ListedThing} }

// encodedThing is what the numbers and hashes of a thing of a list take when they are written, with few exceptions.
const encodedThing = 64

// NewSizing is NewMeasuring for what things take when they are written, rather than in an answer.
func NewSizing() Visitor { return Visitor{mode: measuring, thing: encodedThing} }

// NewVersionFinder returns a visitor that finds the ledger version that a value needs. With deep, it also looks into commands and results
// inside the value, which have forms of their own.
func NewVersionFinder(deep bool) Visitor { return Visitor{mode: versioning, deep: deep, need: 1} }

// Finder returns a visitor as NewVersionFinder(false) does, always the same one.
func (v *Visitor) Finder() *Visitor {
	if v.kept == nil {
		v.kept = new(kept)
	}
	v.kept.finder = NewVersionFinder(false)
	return &v.kept.finder
}

// Reading reports whether the visitor fills in the fields.
func (v *Visitor) Reading() bool { return v.mode == reading }

// Writing reports whether the visitor writes the fields.
func (v *Visitor) Writing() bool { return v.mode == writing }

// Hashing reports whether the visitor hashes the fields.
func (v *Visitor) Hashing() bool { return v.mode == hashing }

// FindsVersion reports whether the visitor finds the ledger version that a value needs, and whether it looks into values inside.
func (v *Visitor) FindsVersion() (is, deep bool) { return v.mode == versioning, v.deep }

// Bytes returns the bytes that were written, or that are left to read.
func (v *Visitor) Bytes() []byte { return v.buf }

// Sum returns the hash of the fields.
func (v *Visitor) Sum() (a, b uint64) { return v.hash.Sum() }

// Hasher returns the present hash.
func (v *Visitor) Hasher() Hasher { return v.hash }

// Size returns the sizes that were added up: see NewMeasuring.
func (v *Visitor) Size() int { return v.size }

// Need returns the ledger version that the value needs.
func (v *Visitor) Need() uint64 { return v.need }

// Needs raises the ledger version that the value needs.
func (v *Visitor) Needs(version uint64) { v.need = max(v.need, version) }

// Err returns the first failure.
func (v *Visitor) Err() error { return v.err }

// Fail makes err the failure, unless there is one.
func (v *Visitor) Fail(err error) {
	if v.err == nil {
		v.err = err
		v.buf = nil
	}
}

// Finish returns the first failure, or an error if bytes are left to read.
func (v *Visitor) Finish() error {
	if v.err == nil && v.mode == reading && len(v.buf) > 0 {
		v.err = ErrTrailing
	}
	return v.err
}

// Peek returns the next byte without reading it. ok is false at the end, and if the visitor does not read.
func (v *Visitor) Peek() (b byte, ok bool) {
	if v.mode != reading || len(v.buf) == 0 {
		return 0, false
	}
	return v.buf[0], true
}

// Skip drops the byte that Peek returned.
func (v *Visitor) Skip() { v.buf = v.buf[1:] }

// Added reports whether to visit the fields that came with a ledger version. A value calls it once per version, in ascending order, after
// all older fields. set says whether one of the fields differs from its default.
func (v *Visitor) Added(version uint64, set bool) bool {
	switch v.mode {
	case reading, writing:
		return v.form >= version
	case hashing:
		if set {
			v.hash.Word(version)
		}
		return set
	case versioning:
		if set {
			v.need = max(v.need, version)
		}
		return false
	default:
		return set
	}
}

// SetForm sets the kind and the form of the values that follow.
func (v *Visitor) SetForm(kind byte, form uint64) { v.Kind, v.form = kind, form }

// Form returns the kind and the form of the value under way.
func (v *Visitor) Form() (kind byte, form uint64) { return v.Kind, v.form }

// Byte visits one byte.
func (v *Visitor) Byte(p *byte) {
	if v.mode == writing {
		v.buf = append(v.buf, *p)
		return
	}
	if v.mode == reading {
		if len(v.buf) == 0 {
			v.Fail(ErrShort)
			return
		}
		*p, v.buf = v.buf[0], v.buf[1:]
	} else if v.mode == hashing {
		v.hash.Int(int64(*p))
	}
}

// Uint visits an unsigned integer.
func (v *Visitor) Uint(p *uint64) {
	if v.mode == writing {
		v.buf = binary.AppendUvarint(v.buf, *p)
		return
	}
	if v.mode == reading {
		*p = v.readUint(*p)
	} else if v.mode == hashing {
		v.hash.Word(*p)
	}
}

// readUint returns the integer that it read, or was if it cannot read.
func (v *Visitor) readUint(was uint64) uint64 {
	if len(v.buf) > 0 && v.buf[0] < 0x80 { // most integers are small
		u := uint64(v.buf[0])
		v.buf = v.buf[1:]
		return u
	}
	u, n := binary.Uvarint(v.buf)
	switch {
	case n == 0:
		v.Fail(ErrShort)
	case n < 0, v.buf[n-1] == 0:
		v.Fail(errVarint)
	default:
		v.buf = v.buf[n:]
		return u
	}
	return was
}

// Int visits a signed integer. Small magnitudes are short.
func (v *Visitor) Int(p *int64) {
	if v.mode == writing {
		v.buf = binary.AppendUvarint(v.buf, zigzag(*p))
		return
	}
	if v.mode == reading {
		u := v.readUint(zigzag(*p))
		*p = int64(u>>1) ^ -int64(u&1)
	} else if v.mode == hashing {
		v.hash.Int(*p)
	}
}

func zigzag(n int64) uint64 { return uint64(n)<<1 ^ uint64(n>>63) }

// Bool visits a boolean.
func (v *Visitor) Bool(p *bool) {
	if v.mode == writing {
		v.buf = append(v.buf, bit(*p))
		return
	}
	if v.mode == reading {
		var b byte
		if v.Byte(&b); b > 1 {
			v.Fail(fmt.Errorf("boolean is %d", b))
		}
		*p = b == 1
	} else if v.mode == hashing {
		v.hash.Bool(*p)
	}
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// Length visits the number of elements of something whose elements take at least one byte each. A reader gets the number back.
func (v *Visitor) Length(n int) int {
	if v.mode == writing {
		v.buf = binary.AppendUvarint(v.buf, uint64(n))
		return n
	}
	if v.mode == reading {
		u := v.readUint(0)
		if u > uint64(len(v.buf)) {
			v.Fail(ErrShort)
			return 0
		}
		return int(u)
	}
	if v.mode == hashing {
		v.hash.Word(uint64(n))
	}
	return n
}

// String visits a text.
func (v *Visitor) String(p *string) {
	switch v.mode {
	case writing:
		v.buf = append(binary.AppendUvarint(v.buf, uint64(len(*p))), *p...)
	case reading:
		if n := v.Length(0); v.err == nil {
			*p, v.buf = v.text(v.buf[:n]), v.buf[n:]
		}
	case hashing:
		v.hash.String(*p)
	case measuring:
		v.size += len(*p)
	}
}

// longestKept is the size of the longest text that is compared with those read lately: ids are shorter.
const longestKept = 32

// text is a copy of bytes, or a text read lately that is equal.
func (v *Visitor) text(b []byte) string {
	if v.kept == nil || v.kept.texts == nil || len(b) == 0 || len(b) > longestKept {
		return string(b)
	}
	texts := v.kept.texts
	last := &texts[(int(b[0])+7*int(b[len(b)-1])+31*len(b))%len(texts)]
	if *last != string(b) {
		*last = string(b)
	}
	return *last
}

// Hash visits 32 bytes.
func (v *Visitor) Hash(p *[32]byte) {
	if v.mode <= writing {
		v.raw(p[:])
	} else if v.mode == hashing {
		v.hash.String(string(p[:]))
	}
}

// Short visits 16 bytes.
func (v *Visitor) Short(p *[16]byte) {
	if v.mode <= writing {
		v.raw(p[:])
	} else if v.mode == hashing {
		v.hash.Word(binary.LittleEndian.Uint64(p[:8]))
		v.hash.Word(binary.LittleEndian.Uint64(p[8:]))
	}
}

func (v *Visitor) raw(p []byte) {
	if v.mode == writing {
		v.buf = append(v.buf, p...)
		return
	}
	if len(v.buf) < len(p) {
		v.Fail(ErrShort)
		return
	}
	v.buf = v.buf[copy(p, v.buf):]
}
