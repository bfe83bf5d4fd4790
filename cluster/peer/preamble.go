package peer

import (
	"errors"
	"fmt"
	"io"
)

// protocol says what a connection carries after its preamble.
type protocol byte

const (
	protocolRaft protocol = 'r'
	protocolCall protocol = 'c'
)

const (
	preambleSize    = 4
	preambleMagic0  = 0xCE
	preambleMagic1  = 0xDC
	preambleVersion = 2

	maxIDBytes = 255
)

var errNotPeer = errors.New("peer: the connection did not start with the preamble of a creditd node")

func (p protocol) preamble() []byte {
	return []byte{preambleMagic0, preambleMagic1, preambleVersion, byte(p)}
}

// raftPreamble opens a connection to the node with the id, and to no other
// one. The id has at most maxIDBytes.
func raftPreamble(id string) []byte {
	return append(append(protocolRaft.preamble(), byte(len(id))), id...)
}

// readRaftID reads what follows the preamble of a raft connection.
func readRaftID(r io.Reader) (string, error) {
	var size [1]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return "", fmt.Errorf("peer: read preamble: %w", err)
	}
	id := make([]byte, size[0])
	if _, err := io.ReadFull(r, id); err != nil {
		return "", fmt.Errorf("peer: read preamble: %w", err)
	}
	return string(id), nil
}

func readPreamble(r io.Reader) (protocol, error) {
	var b [preambleSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, fmt.Errorf("peer: read preamble: %w", err)
	}
	if b[0] != preambleMagic0 || b[1] != preambleMagic1 {
		return 0, errNotPeer
	}
	if b[2] != preambleVersion {
		return 0, fmt.Errorf("peer: preamble version %d, this node speaks %d", b[2], preambleVersion)
	}
	p := protocol(b[3])
	if p != protocolRaft && p != protocolCall {
		return 0, fmt.Errorf("peer: unknown protocol %#x in the preamble", b[3])
	}
	return p, nil
}
