package store

import "golang.org/x/sys/unix"

// blockSize is the unit that the file system counts its blocks in. Bsize is what it likes to be written in, and may be larger.
func blockSize(st *unix.Statfs_t) uint64 {
	if st.Frsize > 0 {
		return uint64(st.Frsize)
	}
	return uint64(st.Bsize)
}
