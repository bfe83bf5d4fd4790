package store

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"io"
	"os"
)

// run is a sorted part of a change set in a file. A change set that is too large for memory is written as runs, and the runs are merged at
// the end. Applied part by part, it would change most pages several times. The file has no name, so a crash leaves nothing.
type run struct {
	file   *os.File
	path   string
	reader *bufio.Reader
	age    int // of equal keys, the later run counts
	head   change
	stored []byte // memory for head.stored
}

// writeRun writes each change as two lengths, the key and the stored form. The second length is one more than the size; 0 is a deletion.
func writeRun(path string, age int, list []change) (_ *run, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, ioError(path, "creating the file", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	if err := os.Remove(path); err != nil {
		return nil, ioError(path, "removing the name", err)
	}
	w := bufio.NewWriterSize(f, 1<<18)
	var lengths []byte
	for _, ch := range list {
		lengths = binary.AppendUvarint(lengths[:0], uint64(len(ch.key)))
		stored := uint64(0)
		if ch.stored != nil {
			stored = uint64(len(ch.stored)) + 1
		}
		lengths = binary.AppendUvarint(lengths, stored)
		_, _ = w.Write(lengths) // Flush reports the first error
		_, _ = w.Write(ch.key)
		_, _ = w.Write(ch.stored)
	}
	if err := w.Flush(); err != nil {
		return nil, ioError(path, "writing", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, ioError(path, "reading", err)
	}
	return &run{file: f, path: path, age: age, reader: bufio.NewReaderSize(f, 1<<18)}, nil
}

// next moves to the next change, or returns io.EOF at the end. head is valid until the next call.
func (r *run) next() error {
	keyLen, err := binary.ReadUvarint(r.reader)
	if err == io.EOF {
		return err
	}
	if err != nil {
		return ioError(r.path, "reading", err)
	}
	storedLen, err := binary.ReadUvarint(r.reader)
	if err != nil {
		return ioError(r.path, "reading", err)
	}
	r.head = change{key: resize(r.head.key, keyLen)}
	if _, err := io.ReadFull(r.reader, r.head.key); err != nil {
		return ioError(r.path, "reading", err)
	}
	if storedLen == 0 {
		return nil
	}
	r.stored = resize(r.stored, storedLen-1)
	r.head.stored = r.stored
	if _, err := io.ReadFull(r.reader, r.head.stored); err != nil {
		return ioError(r.path, "reading", err)
	}
	if _, ok := unseal(r.head.key, r.head.stored); !ok {
		return damaged(r.path, "a change read back fails its checksum")
	}
	return nil
}

func resize(b []byte, n uint64) []byte {
	if uint64(cap(b)) < n {
		return make([]byte, n)
	}
	return b[:n]
}

func (r *run) discard() { _ = r.file.Close() }

// merge calls emit with the newest change of each key, in key order.
func merge(runs []*run, emit func(change) error) error {
	var h runHeap
	advance := func(r *run) error {
		switch err := r.next(); err {
		case nil:
			heap.Push(&h, r)
		case io.EOF:
		default:
			return err
		}
		return nil
	}
	for _, r := range runs {
		if err := advance(r); err != nil {
			return err
		}
	}
	var last []byte
	for h.Len() > 0 {
		r := heap.Pop(&h).(*run)
		if last == nil || !bytes.Equal(last, r.head.key) {
			last = append(last[:0], r.head.key...)
			if err := emit(r.head); err != nil {
				return err
			}
		}
		if err := advance(r); err != nil {
			return err
		}
	}
	return nil
}

// runHeap orders runs by their next key. Of equal keys the newest run comes first.
type runHeap []*run

func (h runHeap) Len() int { return len(h) }
func (h runHeap) Less(i, j int) bool {
	if c := bytes.Compare(h[i].head.key, h[j].head.key); c != 0 {
		return c < 0
	}
	return h[i].age > h[j].age
}
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	old := *h
	r := old[len(old)-1]
	*h = old[:len(old)-1]
	return r
}
