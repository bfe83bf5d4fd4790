package store

import (
	"encoding/binary"
	"errors"
	"slices"
	"syscall"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	berrors "go.etcd.io/bbolt/errors"
)

// On disk, every entry has a CRC32C at the end of its Extensions, because the logs do not check what they read. raft-boltdb has no
// checksum; raft-wal checks only the last batch, when it opens. The sum covers all fields but AppendedAt, which raft uses for metrics only.

// entryHeaderSize is the size of the numeric fields in entrySum.
const entryHeaderSize = 8 + 8 + 1 + 8

// sealEntries returns copies of entries with their checksums. raft and its connections to followers share the originals.
func sealEntries(entries []*raft.Log) []*raft.Log {
	size := 0
	for _, e := range entries {
		size += len(e.Extensions) + crcSize
	}
	copies, sealed := make([]raft.Log, len(entries)), make([]*raft.Log, len(entries))
	extensions, head := make([]byte, 0, size), make([]byte, 0, entryHeaderSize)
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

// unsealEntry removes and verifies the checksum of a stored entry. It returns false if the entry changed.
func unsealEntry(e *raft.Log) bool {
	n := len(e.Extensions) - crcSize
	if n < 0 {
		return false
	}
	sum := sealOf(e.Extensions[n:])
	if e.Extensions = e.Extensions[:n:n]; n == 0 {
		e.Extensions = nil // as raft-boltdb and raft-wal return it
	}
	return sum == entrySum(make([]byte, 0, entryHeaderSize), e)
}

// entrySum uses head as a buffer. The length of Data separates Data from Extensions.
func entrySum(head []byte, e *raft.Log) uint32 {
	head = binary.BigEndian.AppendUint64(head, e.Index)
	head = binary.BigEndian.AppendUint64(head, e.Term)
	head = append(head, byte(e.Type))
	head = binary.BigEndian.AppendUint64(head, uint64(len(e.Data)))
	return checksum(head, e.Data, e.Extensions)
}

// undecodable turns an error of a log into one that names the damaged entry. Errors of the system and of a closed log are no damage.
func undecodable(path string, index uint64, err error) error {
	var refused syscall.Errno
	if errors.Is(err, raft.ErrLogNotFound) || errors.As(err, &refused) || errors.Is(err, wal.ErrClosed) || errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return err
	}
	return damaged(path, "the entry at index %d cannot be decoded (%v)", index, err)
}

// readThrough reads every entry that raft may need, because raft panics on one that it cannot read, and notes the sizes. It begins at the end:
// only entries that the snapshot covers may be missing. With boltdb, an installed snapshot leaves such a gap.
func (s *Store) readThrough(snap *header, path string) error {
	first, err := s.log.FirstIndex()
	if err != nil || first == 0 {
		return err
	}
	last, err := s.log.LastIndex()
	if err != nil {
		return err
	}
	var sizes []uint32 // newest first
	for index := last; index >= first; index-- {
		var e raft.Log
		err := s.log.GetLog(index, &e)
		if errors.Is(err, raft.ErrLogNotFound) {
			if snap != nil && index <= snap.Index {
				break
			}
			return damaged(path, "the entry at index %d is missing", index)
		}
		if err != nil {
			return err
		}
		sizes = append(sizes, sizeOfEntry(&e))
	}
	slices.Reverse(sizes)
	s.sizes.set(last+1-uint64(len(sizes)), sizes)
	return nil
}
