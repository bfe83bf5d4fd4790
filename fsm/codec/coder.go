package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/creditd/creditd/fsm"
)

// coder writes fields to buf, or reads them from it, in the order in which its methods are called. The first failure sticks.
//
// Writing changes nothing it is given: several goroutines may write the same value at once, such as a command that is sent again
// while its first copy is still being sent.
type coder struct {
	buf     []byte // writing: what was written; reading: what is left
	reading bool
	named   bool // a call or an item of one has a name: see fsm.Idempotency
	err     error
}

// ErrDamaged is in the chain of an error of DecodeBatch or DecodeResult when the bytes are not those that were encoded. Where it is not,
// they are, and what encoded them was another version.
var ErrDamaged = errors.New("damaged")

var (
	errShort    = errors.New("truncated")
	errTrailing = errors.New("trailing bytes")
	errVarint   = errors.New("malformed integer")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal appends the checksum of what was written since start.
func seal(buf []byte, start int) []byte {
	return binary.LittleEndian.AppendUint32(buf, crc32.Checksum(buf[start:], castagnoli))
}

// unseal checks the trailing checksum and returns what it covers.
func unseal(data []byte) ([]byte, error) {
	if len(data) < crc32.Size {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, errShort)
	}
	body, sum := data[:len(data)-crc32.Size], data[len(data)-crc32.Size:]
	if got, want := crc32.Checksum(body, castagnoli), binary.LittleEndian.Uint32(sum); got != want {
		return nil, fmt.Errorf("%w: checksum is %08x, want %08x", ErrDamaged, got, want)
	}
	return body, nil
}

func (c *coder) fail(err error) {
	if c.err == nil {
		c.err = err
		c.buf = nil
	}
}

// finish reports the first failure, or that not everything was read.
func (c *coder) finish() error {
	if c.err == nil && c.reading && len(c.buf) > 0 {
		c.err = errTrailing
	}
	return c.err
}

func (c *coder) byte(p *byte) {
	if !c.reading {
		c.buf = append(c.buf, *p)
		return
	}
	if len(c.buf) == 0 {
		c.fail(errShort)
		return
	}
	*p, c.buf = c.buf[0], c.buf[1:]
}

func (c *coder) uint(p *uint64) {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, *p)
		return
	}
	v, n := binary.Uvarint(c.buf)
	switch {
	case n == 0:
		c.fail(errShort)
	case n < 0, n > 1 && c.buf[n-1] == 0:
		c.fail(errVarint)
	default:
		*p, c.buf = v, c.buf[n:]
	}
}

// int codes a signed integer so that small magnitudes are short.
func (c *coder) int(p *int64) {
	u := uint64(*p)<<1 ^ uint64(*p>>63)
	c.uint(&u)
	if c.reading {
		*p = int64(u>>1) ^ -int64(u&1)
	}
}

func (c *coder) bool(p *bool) {
	var b byte
	if *p {
		b = 1
	}
	c.byte(&b)
	if b > 1 {
		c.fail(fmt.Errorf("boolean is %d", b))
	}
	if c.reading {
		*p = b == 1
	}
}

// length codes the length of something of which each element takes at least one byte.
func (c *coder) length(n int) int {
	u := uint64(n)
	c.uint(&u)
	if c.reading && u > uint64(len(c.buf)) {
		c.fail(errShort)
		return 0
	}
	return int(u)
}

func (c *coder) string(p *string) {
	n := c.length(len(*p))
	if !c.reading {
		c.buf = append(c.buf, *p...)
		return
	}
	if c.err == nil {
		*p, c.buf = string(c.buf[:n]), c.buf[n:]
	}
}

func (c *coder) strings(p *[]string) {
	n := c.length(len(*p))
	if c.reading && n > 0 {
		*p = make([]string, n)
	}
	for i := range n {
		c.string(&(*p)[i])
	}
}

// list codes a list of things that take at least one byte each. A reader takes memory for what is there, not for what the length
// claims: an element in memory can be a hundred times its bytes.
func list[T any](c *coder, p *[]T, element func(*T)) {
	n := c.length(len(*p))
	if c.reading && n > 0 {
		*p = make([]T, 0, min(n, 64))
	}
	for i := range n {
		if c.err != nil {
			return
		}
		if c.reading {
			*p = append(*p, *new(T))
		}
		element(&(*p)[i])
	}
}

func (c *coder) hash(p *fsm.Hash) {
	if !c.reading {
		c.buf = append(c.buf, p[:]...)
		return
	}
	if len(c.buf) < len(p) {
		c.fail(errShort)
		return
	}
	c.buf = c.buf[copy(p[:], c.buf):]
}

// enum codes a small number between first and last. Writing another one is a bug of the caller and panics: the bytes would be
// committed, and no node could read them.
func enum[T ~uint8](c *coder, p *T, first, last T) {
	b := byte(*p)
	c.byte(&b)
	if b < byte(first) || b > byte(last) {
		err := fmt.Errorf("%T is %d, known are %d to %d", *p, b, first, last)
		if !c.reading {
			panic("codec: " + err.Error())
		}
		c.fail(err)
	}
	if c.reading {
		*p = T(b)
	}
}

// known codes a small number that says itself whether there is such a one. Writing another panics, as with enum.
func known[T interface {
	~uint8
	Known() bool
}](c *coder, p *T) {
	b := byte(*p)
	c.byte(&b)
	if c.reading {
		*p = T(b)
	}
	if c.err == nil && !T(b).Known() {
		err := fmt.Errorf("%T is %d, which is unknown", *p, b)
		if !c.reading {
			panic("codec: " + err.Error())
		}
		c.fail(err)
	}
}

// field codes a three-state field; value codes its value.
func field[T any](c *coder, p *fsm.Field[T], value func(*T)) {
	enum(c, &p.State, fsm.Absent, fsm.Given)
	if p.State == fsm.Given {
		value(&p.Value)
	}
}
