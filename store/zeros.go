package store

import (
	"io"
	"os"
	"sync"
)

// zerosAhead is how much of a segment is filled with zeros behind its last entry. They are written when half of them is used up.
const zerosAhead = 4 << 20

var zeroStep [SyncEvery]byte

// zeros fills a segment with zeros before it is written. raft-wal allocates the whole file, but the file system records in its journal when a
// part is written for the first time. So the fsync of each append would write the journal too, through a thread of the kernel.
type zeros struct {
	file *os.File // of its own: a failed write is reported once for each open file, and the log must hear of its own
	size int64

	mu       sync.Mutex
	written  int64 // the end of what the log wrote; guarded by mu
	filled   int64 // the end of what was written, by the log or with zeros; guarded by mu
	underWay bool  // guarded by mu
	ended    bool  // nothing is filled from now on; guarded by mu
	failed   error // guarded by mu
	work     sync.WaitGroup
}

// newZeros opens the file at path once more. It begins behind the first write, and leaves the file as long as it is.
func newZeros(path string) (*zeros, error) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close() // the first error says more
		return nil, err
	}
	return &zeros{file: file, size: info.Size()}, nil
}

// writeAt writes p to w, which is another open file of the segment. Where few zeros are left behind p, more are written.
func (z *zeros) writeAt(w io.WriterAt, p []byte, at int64) (int, error) {
	z.mu.Lock()
	defer z.mu.Unlock() // held while it writes: no zeros may replace p
	n, err := w.WriteAt(p, at)
	z.written = at + int64(len(p))
	z.filled = max(z.filled, z.written)
	if left := z.filled - z.written; !z.underWay && !z.ended && left < zerosAhead/2 && z.filled < z.size {
		z.underWay = true
		z.work.Go(z.fill)
	}
	return n, err
}

// fill writes zeros until there are enough. Each step is on the disk before the next, so that an fsync of the log finds little to write.
func (z *zeros) fill() {
	var err error
	for more := true; more && err == nil; {
		var from, to int64
		if from, to, err = z.step(); err == nil && from < to {
			_, err = writeOutRange(z.file, from, to-from)
		}
		more = from < to
	}
	if err == nil {
		err = syncData(z.file) // the journal too: otherwise the next fsync of the log would write it
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.underWay = false
	if err != nil {
		z.ended = true
		if !isFull(err) { // then the log goes on, and says itself where it has no room
			z.failed = ioError(z.file.Name(), "writing zeros ahead of the log", err)
		}
	}
}

// step writes the next zeros, and returns where they are: nowhere when there are enough.
func (z *zeros) step() (from, to int64, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	from = z.filled
	to = max(from, min(from+SyncEvery, z.written+zerosAhead, z.size))
	if z.ended || from == to {
		return from, from, nil
	}
	if _, err = z.file.WriteAt(zeroStep[:to-from], from); err == nil {
		z.filled = to
	}
	return from, to, err
}

// failure returns why zeros could not be written. The disk is broken then.
func (z *zeros) failure() error {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.failed
}

// close waits for the zeros that are being written.
func (z *zeros) close() error {
	z.mu.Lock()
	z.ended = true
	z.mu.Unlock()
	z.work.Wait()
	return z.file.Close()
}
