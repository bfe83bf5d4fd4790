package store

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"io"
	"os"
)

// The parts of bbolt's file format, version 2, that a reader needs.
const (
	pageHeaderSize = 16
	pageElemSize   = 16

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10

	leafIsBucket = 0x01

	boltMagic   = 0xED0CDAED
	boltVersion = 2
	noFreelist  = ^uint64(0)
	metaSize    = 64
	maxDepth    = 64
)

var order = binary.NativeEndian // bbolt writes in the byte order of the machine

// pageWalk checks a bbolt file without bbolt, which trusts its pages: a bad one faults, on opening even in a goroutine without recovery.
// The walk checks that each page is in the file, has the right kind and is used exactly once. It checks that each element is in its page,
// and the key order.
type pageWalk struct {
	file     *os.File
	path     string
	pageSize int
	pages    uint64 // in use, as the header says
	seen     []uint64
	bufs     [maxDepth + 2][]byte // a page for each depth

	// onValue, if set, is called with every value.
	onValue func(bucket, key, value []byte) error
}

type boltMeta struct {
	root, freelist, pages, tx uint64
	pageSize                  int
}

// checkPages checks a file, but not its values.
func checkPages(path string) error { return walkPages(path, nil) }

func walkPages(path string, onValue func(bucket, key, value []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return ioError(path, "opening", err)
	}
	defer func() { _ = f.Close() }()
	meta, err := readBoltMeta(f, path)
	if err != nil {
		return err
	}
	w := &pageWalk{file: f, path: path, pageSize: meta.pageSize, pages: meta.pages, onValue: onValue}
	w.seen = make([]uint64, meta.pages/64+1)
	if meta.freelist != noFreelist {
		page, err := w.read(meta.freelist, nil)
		if err != nil {
			return err
		}
		if flagsOf(page) != flagFreelist {
			return w.bad(meta.freelist, "is not the free list")
		}
	}
	var last []byte
	return w.tree(nil, meta.root, 0, nil, nil, &last)
}

// readBoltMeta returns the newer of the two meta pages. Both must be valid, because bbolt would silently use the older one. A commit
// writes its meta page in one sector, so no crash leaves a torn one.
func readBoltMeta(f *os.File, path string) (boltMeta, error) {
	var best boltMeta
	buf := make([]byte, pageHeaderSize+metaSize)
	if _, err := f.ReadAt(buf, 0); err != nil {
		return best, damaged(path, "the file is too short")
	}
	size := int(order.Uint32(buf[pageHeaderSize+8:]))
	if size < 512 || size > 1<<20 || size&(size-1) != 0 {
		return best, damaged(path, "the first page is not valid")
	}
	for i := range 2 {
		if _, err := f.ReadAt(buf, int64(i*size)); err != nil {
			return best, damaged(path, "the file is too short")
		}
		m := buf[pageHeaderSize:]
		sum := fnv.New64a()
		_, _ = sum.Write(m[:56])
		if order.Uint64(buf) != uint64(i) || flagsOf(buf) != flagMeta ||
			order.Uint32(m) != boltMagic || order.Uint32(m[4:]) != boltVersion || order.Uint32(m[8:]) != uint32(size) ||
			order.Uint64(m[56:]) != sum.Sum64() {
			return best, damaged(path, "page %d is not a valid header", i)
		}
		meta := boltMeta{root: order.Uint64(m[16:]), freelist: order.Uint64(m[32:]), pages: order.Uint64(m[40:]), tx: order.Uint64(m[48:]), pageSize: size}
		if i == 0 || meta.tx > best.tx {
			best = meta
		}
	}
	info, err := f.Stat()
	if err != nil {
		return best, ioError(path, "reading the size", err)
	}
	if best.pages < 3 || best.pages > uint64(info.Size())/uint64(size) {
		return best, damaged(path, "the file has %d bytes but its header counts %d pages of %d: it was truncated", info.Size(), best.pages, size)
	}
	return best, nil
}

func flagsOf(page []byte) uint16   { return order.Uint16(page[8:]) }
func countOf(page []byte) int      { return int(order.Uint16(page[10:])) }
func overflowOf(page []byte) int64 { return int64(order.Uint32(page[12:])) }

func (w *pageWalk) bad(id uint64, what string) error {
	return damaged(w.path, "page %d %s", id, what)
}

// read returns a page with its overflow pages, and marks them as used.
func (w *pageWalk) read(id uint64, buf []byte) ([]byte, error) {
	if id < 2 || id >= w.pages {
		return nil, w.bad(id, "is outside the file")
	}
	if cap(buf) < w.pageSize {
		buf = make([]byte, w.pageSize)
	}
	buf = buf[:w.pageSize]
	offset := int64(id) * int64(w.pageSize)
	if _, err := w.file.ReadAt(buf, offset); err != nil {
		return nil, w.readError(id, err)
	}
	if order.Uint64(buf) != id {
		return nil, w.bad(id, "has the number of another page")
	}
	overflow := overflowOf(buf)
	if uint64(overflow) >= w.pages-id {
		return nil, w.bad(id, "ends behind the end of the file")
	}
	for i := id; i <= id+uint64(overflow); i++ {
		if w.seen[i/64]&(1<<(i%64)) != 0 {
			return nil, w.bad(i, "is used twice")
		}
		w.seen[i/64] |= 1 << (i % 64)
	}
	if overflow > 0 {
		whole := make([]byte, (1+overflow)*int64(w.pageSize))
		copy(whole, buf)
		if _, err := w.file.ReadAt(whole[w.pageSize:], offset+int64(w.pageSize)); err != nil {
			return nil, w.readError(id, err)
		}
		buf = whole
	}
	return buf, nil
}

func (w *pageWalk) readError(id uint64, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return w.bad(id, "is truncated")
	}
	return ioError(w.path, "reading", err)
}

// tree checks a page and the pages below it. The first key must be the low bound. bbolt finds a child in its parent by the child's first
// key, and would insert the child twice if the two differed. All keys must be below high (nil: no bound) and above *last, which tree
// updates.
func (w *pageWalk) tree(bucket []byte, id uint64, depth int, low, high []byte, last *[]byte) error {
	if depth > maxDepth {
		return w.bad(id, "is too deep")
	}
	page, err := w.read(id, w.bufs[depth])
	if err != nil {
		return err
	}
	w.bufs[depth] = page
	switch flagsOf(page) {
	case flagLeaf:
		return w.leaf(bucket, page, id, depth, low, high, last)
	case flagBranch:
	default:
		return w.bad(id, "is of an unknown kind")
	}
	n := countOf(page)
	if n == 0 {
		return w.bad(id, "has no children")
	}
	for i := range n {
		key, child, ok := branchElem(page, i)
		if !ok {
			return w.bad(id, "has a child out of bounds")
		}
		if i == 0 && low != nil && !bytes.Equal(key, low) {
			return w.bad(id, "does not begin with the key that its parent has")
		}
		next := high
		if i+1 < n {
			if next, _, ok = branchElem(page, i+1); !ok || bytes.Compare(key, next) >= 0 || (high != nil && bytes.Compare(next, high) >= 0) {
				return w.bad(id, "has children out of order")
			}
		}
		if err := w.tree(bucket, child, depth+1, key, next, last); err != nil {
			return err
		}
	}
	return nil
}

func branchElem(page []byte, i int) (key []byte, child uint64, ok bool) {
	at := pageHeaderSize + i*pageElemSize
	if at+pageElemSize > len(page) {
		return nil, 0, false
	}
	pos, size := uint64(order.Uint32(page[at:])), uint64(order.Uint32(page[at+4:]))
	start := uint64(at) + pos
	if start < uint64(pageHeaderSize+countOf(page)*pageElemSize) || start+size > uint64(len(page)) {
		return nil, 0, false
	}
	return page[start : start+size], order.Uint64(page[at+8:]), true
}

func (w *pageWalk) leaf(bucket, page []byte, id uint64, depth int, low, high []byte, last *[]byte) error {
	n := countOf(page)
	elems := uint64(pageHeaderSize + n*pageElemSize)
	if n == 0 && depth > 0 && low != nil {
		return w.bad(id, "has no keys")
	}
	for i := range n {
		at := uint64(pageHeaderSize + i*pageElemSize)
		if at+pageElemSize > uint64(len(page)) {
			return w.bad(id, "has a key out of bounds")
		}
		flags := order.Uint32(page[at:])
		start, ksize, vsize := at+uint64(order.Uint32(page[at+4:])), uint64(order.Uint32(page[at+8:])), uint64(order.Uint32(page[at+12:]))
		if start < elems || start+ksize+vsize > uint64(len(page)) || flags&^leafIsBucket != 0 || ksize == 0 {
			return w.bad(id, "has a key out of bounds")
		}
		key, value := page[start:start+ksize], page[start+ksize:start+ksize+vsize]
		if (low != nil && bytes.Compare(key, low) < 0) || (high != nil && bytes.Compare(key, high) >= 0) ||
			(*last != nil && bytes.Compare(*last, key) >= 0) {
			return w.bad(id, "has keys out of order")
		}
		if i == 0 && low != nil && !bytes.Equal(key, low) {
			return w.bad(id, "does not begin with the key that its parent has")
		}
		*last = append((*last)[:0], key...)
		switch {
		case flags == leafIsBucket:
			if err := w.bucket(key, value, id, depth); err != nil {
				return err
			}
		case w.onValue != nil:
			if err := w.onValue(bucket, key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// bucket checks a bucket: its root page, or the leaf inside the value if there is none.
func (w *pageWalk) bucket(name, header []byte, id uint64, depth int) error {
	if depth > maxDepth || len(header) < 16 {
		return w.bad(id, "has a bucket out of bounds")
	}
	name = bytes.Clone(name)
	var last []byte
	if root := order.Uint64(header); root != 0 {
		return w.tree(name, root, depth+1, nil, nil, &last)
	}
	inline := header[16:]
	if len(inline) < pageHeaderSize || flagsOf(inline) != flagLeaf {
		return w.bad(id, "has a bucket out of bounds")
	}
	return w.leaf(name, inline, id, depth+1, nil, nil, &last)
}
