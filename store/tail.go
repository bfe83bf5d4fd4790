package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/types"
)

// The format of a segment of raft-wal (package segment, format.go): a header, then frames. A frame has eight bytes and a payload, padded
// to eight. The frames are entries, a commit after each batch with the CRC32C of the batch, and an index at the end of a full segment.
const (
	walHeaderSize = 32
	walFrameSize  = 8

	walEntry  = 1
	walIndex  = 2
	walCommit = 3
)

// walReserve is a part of what raft-wal allocates ahead. No batch begins in it, and most of a segment is like it.
var walReserve [4096]byte

// walFrame returns the kind and the total size of the frame at an offset, or kind 0 where raft-wal reads none.
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

// walTail is what the newest segment holds, as of its last whole batch.
type walTail struct {
	path    string // empty: there is no segment
	entries uint64
	index   int // where the index of a full segment begins, behind its frame; 0: the segment goes on
}

// checkTail reads the newest segment. It refuses one that raft-wal would cut in its middle: raft-wal takes the first frame that it cannot
// read for the end of the log. One bit of a frame could drop hundreds of entries that were acknowledged.
//
// A batch is written when everything before it is synced. So crashes leave parts of batches behind the end, and a whole batch there
// shows that there was more.
func checkTail(dir string) (tail walTail, err error) {
	path, err := newestSegment(dir)
	if err != nil || path == "" {
		return tail, err
	}
	segment, err := os.ReadFile(path)
	if err != nil {
		return tail, ioError(path, "reading", err)
	}
	end := 0
	for next := endOfBatch(segment, 0, walHeaderSize); next > 0; next = endOfBatch(segment, end, end) { // the first commit covers the header
		end = next
	}
	for at := max(end, walHeaderSize) + walFrameSize; at < len(segment); at += walFrameSize {
		if at%len(walReserve) == 0 && bytes.HasPrefix(segment[at:], walReserve[:]) {
			at += len(walReserve) - walFrameSize
			continue
		}
		if endOfBatch(segment, at, at) > 0 {
			return tail, damaged(path, "the entries at byte %d are damaged, whole ones follow at %d", end, at)
		}
	}
	if misleads(segment, end) {
		if err := endSegment(path, end); err != nil {
			return tail, err
		}
	}
	return tailOf(path, segment, end), nil
}

// misleads reports whether raft-wal would take something from the parts of batches behind the end. It gives up one commit that does not
// match, but believes an index, and the last commit but one.
func misleads(segment []byte, end int) bool {
	commits := 0
	for at := max(end, walHeaderSize); ; {
		kind, size := walFrame(segment, at)
		switch kind {
		case walCommit:
			commits++
		case walIndex:
			return true
		case 0:
			return commits > 1
		}
		at += size
	}
}

// endSegment makes the frame at the end one that raft-wal reads as the end.
func endSegment(path string, end int) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return ioError(path, "opening", err)
	}
	defer func() {
		if cerr := file.Close(); err == nil && cerr != nil {
			err = ioError(path, "closing", cerr)
		}
	}()
	if _, err := file.WriteAt(make([]byte, walFrameSize), int64(max(end, walHeaderSize))); err != nil {
		return ioError(path, "writing", err)
	}
	if err := file.Sync(); err != nil {
		return ioError(path, "syncing", err)
	}
	return nil
}

func tailOf(path string, segment []byte, end int) walTail {
	tail := walTail{path: path}
	for at := walHeaderSize; at < end; {
		kind, size := walFrame(segment, at)
		switch kind {
		case walEntry:
			tail.entries++
		case walIndex:
			tail.index = at + walFrameSize
		}
		at += size
	}
	return tail
}

// walMeta is raft-wal's record of its segments. After a crash the newest segment may be full and not yet recorded as such; raft-wal would
// open it and refuse every write. Load does then what raft-wal was about to do: it records the segment as sealed, and the next one.
type walMeta struct {
	metadb.BoltMetaDB
	tail walTail
}

// Load implements types.MetaStore.
func (m *walMeta) Load(dir string) (types.PersistentState, error) {
	state, err := m.BoltMetaDB.Load(dir)
	if err != nil || len(state.Segments) == 0 || m.tail.index == 0 || m.tail.entries == 0 {
		return state, err
	}
	last := &state.Segments[len(state.Segments)-1]
	if !last.SealTime.IsZero() || filepath.Base(m.tail.path) != fmt.Sprintf("%020d-%016x.wal", last.BaseIndex, last.ID) {
		return state, nil
	}
	last.SealTime, last.IndexStart = time.Now(), uint64(m.tail.index)
	last.MaxIndex = last.BaseIndex + m.tail.entries - 1
	state.Segments = append(state.Segments, types.SegmentInfo{
		ID: state.NextSegmentID, BaseIndex: last.MaxIndex + 1, MinIndex: last.MaxIndex + 1,
		Codec: last.Codec, SizeLimit: last.SizeLimit, CreateTime: last.SealTime,
	})
	state.NextSegmentID++
	return state, m.CommitState(state)
}

// endOfBatch returns the end of the batch whose first frame is at an offset, or 0 if the batch is incomplete. Its checksum begins at from.
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

// newestSegment returns the segment with the highest number, or "". A segment's name has its first index and its number. The index may
// go back, because raft may delete and rewrite the end of the log.
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
