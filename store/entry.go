package store

import (
	"encoding/binary"
	"errors"
	"syscall"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	berrors "go.etcd.io/bbolt/errors"
)

// Neither kind of log knows later whether an entry is still the one that was stored: raft-boltdb has no checksum, and raft-wal looks at
// its own only for the last batch, at the start. A command that became an empty entry would be skipped, and a term that grew could win
// an election. So every entry carries a CRC32C at the end of its Extensions, while it is on disk. It covers what decides: not AppendedAt,
// which only measures.

// entryHeadSize is the length of what entrySum makes of the fields that are numbers.
const entryHeadSize = 8 + 8 + 1 + 8

// sealEntries returns entries as they are stored: copies, since raft and its followers' connections share the originals.
func sealEntries(entries []*raft.Log) []*raft.Log {
	size := 0
	for _, e := range entries {
		size += len(e.Extensions) + crcSize
	}
	copies, sealed := make([]raft.Log, len(entries)), make([]*raft.Log, len(entries))
	extensions, head := make([]byte, 0, size), make([]byte, 0, entryHeadSize)
	for i, e := range entries {
		from := len(extensions)
		extensions = append(extensions, e.Extensions...)
		extensions = binary.BigEndian.AppendUint32(extensions, entrySum(head, e))
		copies[i] = *e
		copies[i].Extensions = extensions[from:]
		sealed[i] = &copies[i]
	}
	return sealed
}

// unsealEntry makes a stored entry the original again, or returns false when it is not what was stored.
func unsealEntry(e *raft.Log) bool {
	n := len(e.Extensions) - crcSize
	if n < 0 {
		return false
	}
	sum := sealOf(e.Extensions[n:])
	if e.Extensions = e.Extensions[:n:n]; n == 0 {
		e.Extensions = nil // as from a log without checksums
	}
	return sum == entrySum(make([]byte, 0, entryHeadSize), e)
}

// entrySum appends to head what it needs to. The length of Data keeps Data and Extensions apart.
func entrySum(head []byte, e *raft.Log) uint32 {
	head = binary.BigEndian.AppendUint64(head, e.Index)
	head = binary.BigEndian.AppendUint64(head, e.Term)
	head = append(head, byte(e.Type))
	head = binary.BigEndian.AppendUint64(head, uint64(len(e.Data)))
	return checksum(head, e.Data, e.Extensions)
}

// undecodable names the entry that a log cannot read: the bytes are wrong, unless the system refused to give them or the log is closed.
func undecodable(path string, index uint64, err error) error {
	var refused syscall.Errno
	if errors.Is(err, raft.ErrLogNotFound) || errors.As(err, &refused) || errors.Is(err, wal.ErrClosed) || errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return err
	}
	return damaged(path, "the entry at index %d cannot be decoded (%v)", index, err)
}

// readThrough reads every entry that raft may need: it panics on one that it cannot read, where nobody can say what to do about it. From
// the end, because only what the snapshot covers may be missing: with boltdb an installed snapshot leaves a gap behind it.
func readThrough(log raft.LogStore, snap *header, path string) error {
	first, err := log.FirstIndex()
	if err != nil || first == 0 {
		return err
	}
	last, err := log.LastIndex()
	if err != nil {
		return err
	}
	for index := last; index >= first; index-- {
		err := log.GetLog(index, &raft.Log{})
		if errors.Is(err, raft.ErrLogNotFound) {
			if snap != nil && index <= snap.Index {
				return nil
			}
			return damaged(path, "the entry at index %d is missing", index)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
