package store

import "io"

// SyncEvery is how much is written to a file between two fsyncs. One fsync of a large file would hold up those of the log on the same disk.
const SyncEvery = 4 << 20

// Syncing writes a file in steps that each are on the disk before the next.
type Syncing struct {
	File interface {
		io.Writer
		Sync() error
	}
	since int
}

// Write implements io.Writer.
func (s *Syncing) Write(p []byte) (int, error) {
	n, err := s.File.Write(p)
	if s.since += n; err == nil && s.since >= SyncEvery {
		s.since, err = 0, s.File.Sync()
	}
	return n, err
}
