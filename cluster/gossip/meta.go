package gossip

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hashicorp/memberlist"
)

// Meta is what a node announces about itself. Everyone with the gossip key can read it.
type Meta struct {
	// ClusterID is empty until the node belongs to a cluster.
	ClusterID string
	PeerAddr  string
	HTTPAddr  string
	// Expect is the node's bootstrap-expect.
	Expect int
	// Version names the node's build.
	Version string
	// MinLedger and MaxLedger are the ledger versions that the build supports, both included. A node that announces none has 1 and 1.
	MinLedger uint8
	MaxLedger uint8
	// Bootstrapped means that the node has raft state.
	Bootstrapped bool
}

const (
	metaVersion      = 1
	flagBootstrapped = 1
	maxExpect        = 255

	maxIDBytes      = 64
	maxUnusedBytes  = 64
	maxAddrBytes    = 150
	maxVersionBytes = 32
)

// memberlist panics on larger metadata.
const _ = uint(memberlist.MetaMaxSize - (5 + 5 + maxIDBytes + maxUnusedBytes + 2*maxAddrBytes + maxVersionBytes))

var errMeta = errors.New("gossip: malformed metadata")

// metaText is a text field with its name and its maximum size.
type metaText struct {
	name  string
	value *string
	max   int
}

// texts lists the fields in their order. The second is not used any more; early builds expect it.
func (m *Meta) texts() [5]metaText {
	return [5]metaText{
		{"ClusterID", &m.ClusterID, maxIDBytes},
		{"the unused field", new(string), maxUnusedBytes},
		{"PeerAddr", &m.PeerAddr, maxAddrBytes},
		{"HTTPAddr", &m.HTTPAddr, maxAddrBytes},
		{"Version", &m.Version, maxVersionBytes},
	}
}

// Validate returns an error that names the first invalid field.
func (m Meta) Validate() error {
	for _, f := range m.texts() {
		if err := checkText(f.name, *f.value, f.max); err != nil {
			return err
		}
	}
	if m.Expect < 0 || m.Expect > maxExpect {
		return fmt.Errorf("gossip: Expect %d is outside 0..%d", m.Expect, maxExpect)
	}
	if m.MinLedger > m.MaxLedger {
		return fmt.Errorf("gossip: MinLedger %d is above MaxLedger %d", m.MinLedger, m.MaxLedger)
	}
	return nil
}

// checkText accepts printable ASCII only, so that a hostile member cannot write control characters into our logs.
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

// encode returns the bytes of valid metadata.
//
//	version u8 | flags u8 | expect u8 | min ledger u8 | max ledger u8 | 5 × (length u8 | text) | fields of later builds
//
// Builds that only know ledger version 1 read exactly the first part, so nothing may follow before the ledger has version 2.
func (m Meta) encode() []byte {
	var flags byte
	if m.Bootstrapped {
		flags |= flagBootstrapped
	}
	b := []byte{metaVersion, flags, byte(m.Expect), m.MinLedger, m.MaxLedger}
	for _, f := range m.texts() {
		b = append(b, byte(len(*f.value)))
		b = append(b, *f.value...)
	}
	return b
}

// decodeMeta reads what encode returns, and skips flags and fields of later builds.
func decodeMeta(b []byte) (Meta, error) {
	if len(b) < 5 {
		return Meta{}, fmt.Errorf("%w: %d bytes", errMeta, len(b))
	}
	if b[0] != metaVersion {
		return Meta{}, fmt.Errorf("%w: version %d, this node reads %d", errMeta, b[0], metaVersion)
	}
	m := Meta{
		Bootstrapped: b[1]&flagBootstrapped != 0,
		Expect:       int(b[2]),
		MinLedger:    b[3],
		MaxLedger:    b[4],
	}
	if m.MaxLedger == 0 {
		m.MinLedger, m.MaxLedger = 1, 1
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
	if err := m.Validate(); err != nil {
		return Meta{}, fmt.Errorf("%w: %w", errMeta, err)
	}
	return m, nil
}

// A leave message announces that its sender is about to leave.
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
