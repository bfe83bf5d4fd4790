package store

import (
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft-wal/types"
)

// walRead is what raft-wal reads of a segment for each entry, however small that is. A start reads the log three times.
const walRead = 64 << 10

// firstRead is what is read of an entry at first: most have less.
const firstRead = 4 << 10

// entryFiles reads of each entry no more than it has. It may do so once raft-wal has opened the log: until then raft-wal reads other things in
// pieces that could have the same size, and takes their end for the end of the file.
type entryFiles struct{ opened atomic.Bool }

// entryBuffers are for the first read of an entry, with the frame header before it.
var entryBuffers = sync.Pool{New: func() any { return new([walFrameSize + firstRead]byte) }}

// readAt is ReadAt of a segment. At the end of the entry it returns io.EOF, with which raft-wal is content.
func (e *entryFiles) readAt(segment io.ReaderAt, p []byte, at int64) (int, error) {
	if len(p) != walRead || at < walHeaderSize || !e.opened.Load() {
		return segment.ReadAt(p, at)
	}
	buffer := entryBuffers.Get().(*[walFrameSize + firstRead]byte)
	defer entryBuffers.Put(buffer)
	n, err := segment.ReadAt(buffer[:], at-walFrameSize)
	if err != nil && err != io.EOF || n < 2*walFrameSize {
		return segment.ReadAt(p, at)
	}
	// The payload of an entry is read by itself where it does not fit. One of this size looks like a first read.
	if kind, length := entryHeader(buffer[:]); kind == walEntry && length == walRead {
		return segment.ReadAt(p, at)
	}
	kind, length := entryHeader(buffer[walFrameSize:])
	if kind != walEntry || length > walRead-walFrameSize {
		return segment.ReadAt(p, at)
	}
	size := walFrameSize + int(length)
	switch {
	case size <= n-walFrameSize:
		copy(p, buffer[walFrameSize:walFrameSize+size])
	default:
		if n, err := segment.ReadAt(p[:size], at); n < size {
			return n, err
		}
	}
	return size, io.EOF
}

// entryHeader returns the kind of a frame and the size of its payload.
func entryHeader(frame []byte) (kind byte, length uint32) {
	return frame[0], binary.LittleEndian.Uint32(frame[4:])
}

// sealedFile is a segment that is only read.
type sealedFile struct {
	types.ReadableFile
	entries *entryFiles
}

// ReadAt implements types.ReadableFile.
func (f sealedFile) ReadAt(p []byte, at int64) (int, error) {
	return f.entries.readAt(f.ReadableFile, p, at)
}
