package store

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
)

// The format of a segment of raft-wal (package segment, format.go): a header, then frames of eight bytes and what they hold, rounded up
// to eight: entries, at the end of a full segment an index, and after each batch a commit with the CRC32C of what was written since the
// last one.
const (
	walHeaderSize = 32
	walFrameSize  = 8

	walEntry  = 1
	walIndex  = 2
	walCommit = 3
)

// walFrame returns the kind and the whole size of the frame at an offset, or kind 0 where raft-wal sees none.
func walFrame(segment []byte, at int) (kind byte, size int) {
	if at > len(segment)-walFrameSize {
		return 0, 0
	}
	switch kind = segment[at]; kind {
	case walEntry, walIndex:
		length := int(binary.LittleEndian.Uint32(segment[at+4:]))
		return kind, walFrameSize + (length+7)/8*8
	case walCommit:
		return kind, walFrameSize
	}
	return 0, 0
}

// checkTail refuses the newest segment if raft-wal would take damage in its middle for its end. It reads the frames up to one that is
// none, as a write that the power ended leaves it, and forgets what follows without a word: one bit of a frame could drop hundreds of
// entries that were acknowledged.
//
// A batch is written when everything before it is synced. So what crashes leave behind the end are parts of batches that begin there, and a
// whole one that begins later shows that there was more.
func checkTail(dir string) error {
	path, err := newestSegment(dir)
	if err != nil || path == "" {
		return err
	}
	segment, err := os.ReadFile(path)
	if err != nil {
		return ioError(path, "reading", err)
	}
	end := 0
	for next := endOfBatch(segment, 0, walHeaderSize); next > 0; next = endOfBatch(segment, end, end) { // the first commit covers the header
		end = next
	}
	for at := max(end, walHeaderSize) + walFrameSize; at < len(segment); at += walFrameSize {
		if endOfBatch(segment, at, at) > 0 {
			return damaged(path, "the entries at byte %d are damaged, whole ones follow at %d", end, at)
		}
	}
	return nil
}

// endOfBatch returns where the batch ends whose first frame is at an offset and whose checksum begins at from, or 0 if it is not whole.
func endOfBatch(segment []byte, from, at int) int {
	for first := at; ; {
		kind, size := walFrame(segment, at)
		switch {
		case kind == 0 || kind == walCommit && at == first:
			return 0
		case kind == walCommit && checksum(segment[from:at]) != binary.LittleEndian.Uint32(segment[at+4:]):
			return 0
		}
		if at += size; kind == walCommit {
			return at
		}
	}
}

// newestSegment returns the segment that is written to, or "". Their names are the first index and the number of the segment, which
// grows with each: the end of the log may be written again from an older index.
func newestSegment(dir string) (path string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", ioError(dir, "reading the log directory", err)
	}
	newest := ""
	for _, e := range entries {
		if _, number, ok := strings.Cut(e.Name(), "-"); ok && strings.HasSuffix(number, ".wal") && number > newest {
			newest, path = number, filepath.Join(dir, e.Name())
		}
	}
	return path, nil
}
