package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/creditd/creditd/store"
)

const (
	magic = "CREDITD SNAPSHOT"
	// newestFormat grows whenever an earlier build could misread the file.
	newestFormat = 1

	maxHeader = 64 << 10
	maxKey    = 32 << 10
	maxValue  = 1 << 30
)

// Header is the beginning of the file. It only grows: a reader ignores what it does not know.
type Header struct {
	Format           int    `json:"format"`
	ClusterID        string `json:"clusterId"`
	Index            uint64 `json:"index"` // of the last log entry that is in the ledger
	Term             uint64 `json:"term"`
	LedgerVersion    uint64 `json:"ledgerVersion"`
	RaisedBy         string `json:"raisedBy,omitempty"` // the build that raised the ledger version; empty: none did
	Build            string `json:"build"`              // that wrote the file
	NodeID           string `json:"nodeId"`             // that wrote the file
	CreatedAt        int64  `json:"createdAt"`          // wall clock of that node, Unix ms
	LogTime          int64  `json:"logTime"`            // of the ledger, Unix ms
	Digest           []byte `json:"digest"`             // of the whole ledger
	DigestDefinition uint64 `json:"digestDefinition"`
	Records          int    `json:"records"`
}

// Writer writes the file:
//
//	magic | size u32 | header JSON | records | 0 | SHA-256 of all bytes before
//	record: key size uvarint ≥ 1 | value size uvarint | key | value
type Writer struct {
	w       io.Writer
	sum     hash.Hash
	scratch []byte
	left    int // records to come
	bytes   int64
}

// NewWriter writes the header.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	h.Format = newestFormat
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	out := &Writer{w: w, sum: sha256.New(), left: h.Records}
	return out, out.write(append(binary.BigEndian.AppendUint32([]byte(magic), uint32(len(text))), text...))
}

func (w *Writer) write(b []byte) error {
	_, _ = w.sum.Write(b) // never fails
	n, err := w.w.Write(b)
	w.bytes += int64(n)
	return err
}

// Put writes a record. Records come in the order of their keys.
func (w *Writer) Put(key, value []byte) error {
	w.left--
	b := binary.AppendUvarint(w.scratch[:0], uint64(len(key)))
	b = binary.AppendUvarint(b, uint64(len(value)))
	w.scratch = append(append(b, key...), value...)
	return w.write(w.scratch)
}

// End writes the digest.
func (w *Writer) End() error {
	if w.left != 0 {
		return fmt.Errorf("backup: the number of records is wrong by %d", w.left)
	}
	if err := w.write([]byte{0}); err != nil {
		return err
	}
	n, err := w.w.Write(w.sum.Sum(nil))
	w.bytes += int64(n)
	return err
}

// Bytes is how many bytes were written.
func (w *Writer) Bytes() int64 { return w.bytes }

// errCut is the end of a file that was not written to its end.
var errCut = errors.New("the snapshot is not whole: it ends early")

// Reader reads the file and checks it on the way. What it read counts only once Next has returned io.EOF.
type Reader struct {
	Header Header
	SHA256 []byte // of the file, once Next has returned io.EOF

	r       *bufio.Reader
	sum     hash.Hash
	key     []byte
	value   []byte
	digit   [1]byte // of a size
	records int
	ended   bool
}

// NewReader reads the header. reads is what this build reads of a ledger: a file of a later build is refused.
func NewReader(r io.Reader, reads store.Versions) (*Reader, error) {
	in := &Reader{r: bufio.NewReaderSize(r, 64<<10), sum: sha256.New()}
	start := make([]byte, len(magic)+4)
	switch err := in.fill(start); {
	case err != nil && !errors.Is(err, errCut):
		return nil, fmt.Errorf("the snapshot cannot be read: %w", err)
	case err != nil || string(start[:len(magic)]) != magic:
		return nil, errors.New("this is no snapshot of creditd")
	}
	size := binary.BigEndian.Uint32(start[len(magic):])
	if size > maxHeader {
		return nil, fmt.Errorf("the header of the snapshot is damaged: it has %d bytes, at most %d are possible", size, maxHeader)
	}
	text := make([]byte, size)
	if err := in.fill(text); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &in.Header); err != nil {
		return nil, fmt.Errorf("the header of the snapshot is damaged: %w", err)
	}
	h := &in.Header
	if h.Format > newestFormat {
		return nil, fmt.Errorf("the snapshot has format %d, this build (%s) reads formats up to %d: use creditd %s or newer", h.Format, reads.Build, newestFormat, h.Build)
	}
	if h.Format < 1 || h.ClusterID == "" || h.Index == 0 || h.Term == 0 || h.Records < 1 {
		return nil, errors.New("the header of the snapshot is damaged: it is incomplete")
	}
	return in, reads.CheckLedger("", "the snapshot", h.Ledger())
}

// Ledger is what the header says of the ledger.
func (h Header) Ledger() store.Ledger {
	return store.Ledger{Digest: h.Digest, DigestDefinition: h.DigestDefinition, Version: h.LedgerVersion, Build: h.RaisedBy}
}

// fill reads all of b into the sum.
func (r *Reader) fill(b []byte) error {
	if _, err := io.ReadFull(r.r, b); err != nil {
		return cut(err)
	}
	_, _ = r.sum.Write(b)
	return nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

func (r *Reader) uvarint(most uint64) (n uint64, err error) {
	for shift := uint(0); shift < 64; shift += 7 {
		if err := r.fill(r.digit[:]); err != nil {
			return 0, err
		}
		if n |= uint64(r.digit[0]&0x7f) << shift; r.digit[0] < 0x80 {
			if n > most {
				break
			}
			return n, nil
		}
	}
	return 0, fmt.Errorf("the snapshot is damaged behind record %d: a size is out of bounds", r.records)
}

// Next returns the next record, whose bytes are valid until the next call; io.EOF: that was all, and the file is whole.
func (r *Reader) Next() (key, value []byte, err error) {
	if r.ended {
		return nil, nil, io.EOF
	}
	size, err := r.uvarint(maxKey)
	if err != nil {
		return nil, nil, err
	}
	if size == 0 {
		return nil, nil, r.end()
	}
	length, err := r.uvarint(maxValue)
	if err != nil {
		return nil, nil, err
	}
	r.key = resize(r.key, int(size))
	if err := r.fill(r.key); err != nil {
		return nil, nil, err
	}
	if err := r.fillValue(int(length)); err != nil {
		return nil, nil, err
	}
	r.records++
	return r.key, r.value, nil
}

// fillValue reads a value in pieces, so that a damaged size takes no more memory than the file has bytes.
func (r *Reader) fillValue(length int) error {
	const piece = 1 << 20
	r.value = r.value[:0]
	for len(r.value) < length {
		from := len(r.value)
		r.value = append(r.value, make([]byte, min(piece, length-from))...)
		if err := r.fill(r.value[from:]); err != nil {
			return err
		}
	}
	return nil
}

func resize(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// end checks what stands behind the last record.
func (r *Reader) end() error {
	want := r.sum.Sum(nil)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r.r, got); err != nil {
		return cut(err)
	}
	switch _, err := r.r.ReadByte(); {
	case string(got) != string(want):
		return fmt.Errorf("the snapshot is damaged: its SHA-256 is %x, and it says %x", want, got)
	case err == nil:
		return errors.New("the snapshot is damaged: bytes follow its end")
	case !errors.Is(err, io.EOF):
		return err
	case r.records != r.Header.Records:
		return fmt.Errorf("the snapshot is damaged: it has %d records, its header says %d", r.records, r.Header.Records)
	}
	r.ended, r.SHA256 = true, want
	return io.EOF
}
