package gossip

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hashicorp/memberlist"
)

// Meta is what a node says about itself to all others. It is public to
// whoever holds the gossip key.
type Meta struct {
	// ClusterID is empty until the node belongs to a cluster.
	ClusterID string
	// Name is for people; the node's identity is its id.
	Name     string
	PeerAddr string
	HTTPAddr string
	// Expect is the node's bootstrap-expect.
	Expect  int
	Version string
	// MinCommand and MaxCommand bound the command versions that the node's
	// state machine can apply.
	MinCommand uint8
	MaxCommand uint8
	// Bootstrapped says that the node has raft state.
	Bootstrapped bool
}

const (
	metaVersion      = 1
	flagBootstrapped = 1
	maxExpect        = 255

	maxIDBytes      = 64
	maxNameBytes    = 64
	maxAddrBytes    = 150
	maxVersionBytes = 32
)

// The largest metadata must fit what memberlist accepts: it panics beyond.
const _ = uint(memberlist.MetaMaxSize - (5 + 5 + maxIDBytes + maxNameBytes + 2*maxAddrBytes + maxVersionBytes))

var errMeta = errors.New("gossip: malformed metadata")

// metaText is one text field: its place in the encoding, name and bound.
type metaText struct {
	name  string
	value *string
	max   int
}

func (m *Meta) texts() [5]metaText {
	return [5]metaText{
		{"ClusterID", &m.ClusterID, maxIDBytes},
		{"Name", &m.Name, maxNameBytes},
		{"PeerAddr", &m.PeerAddr, maxAddrBytes},
		{"HTTPAddr", &m.HTTPAddr, maxAddrBytes},
		{"Version", &m.Version, maxVersionBytes},
	}
}

// Validate reports the first field that cannot be gossiped.
func (m Meta) Validate() error {
	for _, f := range m.texts() {
		if err := checkText(f.name, *f.value, f.max); err != nil {
			return err
		}
	}
	if m.Expect < 0 || m.Expect > maxExpect {
		return fmt.Errorf("gossip: Expect %d is outside 0..%d", m.Expect, maxExpect)
	}
	if m.MinCommand > m.MaxCommand {
		return fmt.Errorf("gossip: MinCommand %d is above MaxCommand %d", m.MinCommand, m.MaxCommand)
	}
	return nil
}

// checkText accepts printable ASCII, so that a hostile member cannot write
// into our logs.
func checkText(name, s string, limit int) error {
	if len(s) > limit {
		return fmt.Errorf("gossip: %s has %d bytes, at most %d fit", name, len(s), limit)
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return fmt.Errorf("gossip: %s has a byte that is not printable ASCII at %d", name, i)
		}
	}
	return nil
}

// encode returns the metadata as it travels. The Meta must be valid.
//
//	version u8 | flags u8 | expect u8 | min command u8 | max command u8 | 5 × (length u8 | text)
func (m Meta) encode() []byte {
	var flags byte
	if m.Bootstrapped {
		flags |= flagBootstrapped
	}
	b := []byte{metaVersion, flags, byte(m.Expect), m.MinCommand, m.MaxCommand}
	for _, f := range m.texts() {
		b = append(b, byte(len(*f.value)))
		b = append(b, *f.value...)
	}
	return b
}

// decodeMeta accepts exactly what encode returns. A node of a later version
// must keep sending version 1 until every member reads its own.
func decodeMeta(b []byte) (Meta, error) {
	if len(b) < 5 {
		return Meta{}, fmt.Errorf("%w: %d bytes", errMeta, len(b))
	}
	if b[0] != metaVersion {
		return Meta{}, fmt.Errorf("%w: version %d, this node reads %d", errMeta, b[0], metaVersion)
	}
	if b[1]&^flagBootstrapped != 0 {
		return Meta{}, fmt.Errorf("%w: unknown flags %#x", errMeta, b[1])
	}
	m := Meta{
		Bootstrapped: b[1]&flagBootstrapped != 0,
		Expect:       int(b[2]),
		MinCommand:   b[3],
		MaxCommand:   b[4],
	}
	rest := b[5:]
	for _, f := range m.texts() {
		if len(rest) == 0 || len(rest)-1 < int(rest[0]) {
			return Meta{}, fmt.Errorf("%w: %s is truncated", errMeta, f.name)
		}
		n := 1 + int(rest[0])
		*f.value = string(rest[1:n])
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return Meta{}, fmt.Errorf("%w: %d bytes after the end", errMeta, len(rest))
	}
	if err := m.Validate(); err != nil {
		return Meta{}, fmt.Errorf("%w: %w", errMeta, err)
	}
	return m, nil
}

// A leave message tells a member that its sender is about to stop.
//
//	magic u16 | version u8 | length u8 | id
const (
	leaveMagic   = 0xCEDC
	leaveVersion = 1
)

func encodeLeave(id string) []byte {
	b := binary.BigEndian.AppendUint16(nil, leaveMagic)
	b = append(b, leaveVersion, byte(len(id)))
	return append(b, id...)
}

func decodeLeave(b []byte) (id string, ok bool) {
	if len(b) < 4 || binary.BigEndian.Uint16(b) != leaveMagic || b[2] != leaveVersion || len(b) != 4+int(b[3]) {
		return "", false
	}
	id = string(b[4:])
	return id, id != "" && checkText("id", id, maxIDBytes) == nil
}
