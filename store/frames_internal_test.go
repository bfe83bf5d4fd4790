package store

import (
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// readSegment is a segment in memory that counts what is read.
type readSegment struct {
	bytes []byte
	read  int
}

func (s *readSegment) ReadAt(p []byte, at int64) (int, error) {
	n := copy(p, s.bytes[at:])
	s.read += n
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// add appends a frame and returns where it begins.
func (s *readSegment) add(kind byte, payload []byte) (at int64) {
	at = int64(len(s.bytes))
	header := make([]byte, walFrameSize)
	header[0] = kind
	binary.LittleEndian.PutUint32(header[4:], uint32(len(payload)))
	s.bytes = append(append(s.bytes, header...), payload...)
	s.bytes = append(s.bytes, make([]byte, (8-len(payload)%8)%8)...)
	return at
}

// An entry of 200 bytes costs a read of some KiB, and not of 64. What is no entry is read as ever, and so is everything until raft-wal has
// opened the log.
func TestEntryFiles_ReadNoMoreThanAnEntryHas(t *testing.T) {
	small, large := make([]byte, 200), make([]byte, 20<<10)
	small[0], large[0] = 1, 2
	segment := &readSegment{bytes: make([]byte, walHeaderSize)}
	first, second := segment.add(walEntry, small), segment.add(walEntry, large)
	exact := segment.add(walEntry, append([]byte{walEntry}, make([]byte, walRead-1)...)) // its payload looks like an empty entry
	segment.bytes = append(segment.bytes, make([]byte, 2*walRead)...)
	var files entryFiles
	buffer := make([]byte, walRead)
	read := func(at int64) (n int, cost int, err error) {
		segment.read = 0
		n, err = files.readAt(segment, buffer, at)
		return n, segment.read, err
	}
	n, _, err := read(first)
	require.NoError(t, err)
	require.Equal(t, walRead, n)

	files.opened.Store(true)
	n, cost, err := read(first)
	require.Equal(t, io.EOF, err)
	require.Equal(t, small, buffer[walFrameSize:n])
	require.LessOrEqual(t, cost, firstRead+walFrameSize)
	n, cost, err = read(second)
	require.Equal(t, io.EOF, err)
	require.Equal(t, large, buffer[walFrameSize:n])
	require.Less(t, cost, 26<<10)
	for _, at := range []int64{exact, exact + walFrameSize} {
		n, _, err = read(at)
		require.NoError(t, err)
		require.Equal(t, walRead, n)
	}
}
