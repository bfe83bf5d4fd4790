package store

import (
	"path/filepath"
	"sync/atomic"

	"github.com/hashicorp/raft-wal/types"
)

// segmentFiles are the files of raft-wal. It remembers why a segment could not be made.
type segmentFiles struct {
	types.VFS
	failed  atomic.Pointer[error]
	entries entryFiles
}

// OpenReader implements types.VFS.
func (f *segmentFiles) OpenReader(dir, name string) (types.ReadableFile, error) {
	r, err := f.VFS.OpenReader(dir, name)
	if err != nil {
		return nil, err
	}
	return sealedFile{r, &f.entries}, nil
}

// Create implements types.VFS.
func (f *segmentFiles) Create(dir, name string, size uint64) (types.WritableFile, error) {
	w, err := f.VFS.Create(dir, name, size)
	if err == nil {
		w, err = f.newSegmentFile(w, filepath.Join(dir, name))
	}
	if err != nil {
		f.failed.Store(&err)
		return nil, err
	}
	return w, nil
}

// OpenWriter implements types.VFS.
func (f *segmentFiles) OpenWriter(dir, name string) (types.WritableFile, error) {
	w, err := f.VFS.OpenWriter(dir, name)
	if err != nil {
		return nil, err
	}
	return f.newSegmentFile(w, filepath.Join(dir, name))
}

// segmentFile is a segment that is written. raft-wal allocates the whole file at first, so only the time of the change is new in its metadata. An fsync
// would write that into the journal of the file system every few milliseconds, and fdatasync does not.
type segmentFile struct {
	types.WritableFile
	file  fileDescriptor
	zeros *zeros

	entries *entryFiles
	synced  atomic.Bool // whole, with its name in the directory
}

// newSegmentFile closes w when it fails.
func (f *segmentFiles) newSegmentFile(w types.WritableFile, path string) (types.WritableFile, error) {
	file, ok := w.(fileDescriptor)
	if !ok {
		return w, nil
	}
	ahead, err := newZeros(path)
	if err != nil {
		_ = w.Close() // the first error says more
		return nil, err
	}
	return &segmentFile{WritableFile: w, file: file, zeros: ahead, entries: &f.entries}, nil
}

// ReadAt implements types.WritableFile.
func (f *segmentFile) ReadAt(p []byte, at int64) (int, error) {
	return f.entries.readAt(f.WritableFile, p, at)
}

// WriteAt implements types.WritableFile. raft-wal writes a segment from its start to its end.
func (f *segmentFile) WriteAt(p []byte, at int64) (int, error) {
	return f.zeros.writeAt(f.WritableFile, p, at)
}

// Sync makes the file durable: all of it at first, and then what was written since.
func (f *segmentFile) Sync() error {
	if err := f.zeros.failure(); err != nil {
		return err
	}
	if f.synced.Load() {
		return syncData(f.file)
	}
	err := f.WritableFile.Sync()
	f.synced.Store(err == nil)
	return err
}

// Close implements types.WritableFile.
func (f *segmentFile) Close() error {
	err := f.zeros.close()
	if cerr := f.WritableFile.Close(); err == nil {
		err = cerr
	}
	return err
}
