package records

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// maxLine bounds a line: a key with all that it may have takes less than 2 MiB.
const maxLine = 8 << 20

// LineError is a line that breaks the format.
type LineError struct {
	Line int64 // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// ErrIncomplete is a file that ends before its last line.
var ErrIncomplete = errors.New("the file is incomplete: it has no end line")

// ErrWrongEnd is a file whose last line is not that of its records.
var ErrWrongEnd = errors.New("the file is damaged or was changed")

// Reader reads a file of records in bounded memory.
type Reader struct {
	// Header is the first line.
	Header Header

	lines *bufio.Reader
	line  int64
	sum   hash.Hash
	ended bool
}

// NewReader reads the header of a file.
func NewReader(r io.Reader) (*Reader, error) {
	f := &Reader{lines: bufio.NewReaderSize(r, 64<<10), sum: sha256.New()}
	begin, err := f.lines.Peek(markBytes)
	foreign := ForeignForm(begin)
	switch {
	case len(begin) == 0 && err == io.EOF:
		foreign = fmt.Errorf("%w: it is empty", ErrIncomplete)
	case bytes.HasPrefix(begin, []byte(ByteOrderMark)):
		foreign = errors.New("the file begins with a byte order mark: another program has changed it")
	}
	if foreign != nil {
		return nil, &LineError{1, foreign}
	}
	text, err := f.next()
	if err != nil {
		return nil, err
	}
	if bytes.HasSuffix(text, []byte{'\r'}) {
		return nil, f.fail(errors.New("the line ends with CR LF and must end with LF: another program has changed the file"))
	}
	header, bad := headerSchema.Decode(text)
	if bad != nil {
		return nil, f.fail(fmt.Errorf("no header of format %s, version %d: %w", Format, Version, describe(bad)))
	}
	f.Header = header.Header
	return f, nil
}

// ByteOrderMark is what some programs write before the first line of a text in UTF-8.
const ByteOrderMark = "\xef\xbb\xbf"

// markBytes are enough to know what a file is.
const markBytes = 4

// ForeignForm says why a file that begins so has no lines of JSON; nil: it may have some.
func ForeignForm(begin []byte) error {
	switch {
	case bytes.HasPrefix(begin, []byte{0x1f, 0x8b}):
		return errors.New("the file is compressed by gzip: unpack it first")
	case bytes.HasPrefix(begin, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return errors.New("the file is compressed by zstd: unpack it first")
	case bytes.HasPrefix(begin, []byte{0xff, 0xfe}), bytes.HasPrefix(begin, []byte{0xfe, 0xff}):
		return errors.New("the file is in UTF-16: it must be in UTF-8")
	}
	return nil
}

// Line is the number of the line that Next returned last, from 1.
func (f *Reader) Line() int64 { return f.line }

// Next returns the next record, and io.EOF after the end line, which it compares with what was read. The record may break the rules of the
// format: then it is nil, and the error a *LineError, after which Next may be called again.
func (f *Reader) Next() (*Record, error) {
	if f.ended {
		return nil, io.EOF
	}
	text, err := f.next()
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(text, []byte(`{"end":`)) {
		return nil, f.end(text)
	}
	f.sum.Write(text)
	f.sum.Write([]byte{'\n'})
	r, err := decodeRecord(text)
	if err != nil {
		return nil, f.fail(err)
	}
	return r, nil
}

func (f *Reader) end(text []byte) error {
	f.ended = true
	line, bad := endSchema.Decode(text)
	if bad != nil {
		return f.fail(fmt.Errorf("%w: %w", ErrWrongEnd, describe(bad)))
	}
	if n := f.line - 2; line.End.Records != n {
		return f.fail(fmt.Errorf("%w: the end line counts %d records, the file has %d", ErrWrongEnd, line.End.Records, n))
	}
	if sum := hex.EncodeToString(f.sum.Sum(nil)); line.End.SHA256 != sum {
		return f.fail(fmt.Errorf("%w: the end line has the hash %s, the records have %s", ErrWrongEnd, line.End.SHA256, sum))
	}
	switch _, err := f.lines.ReadByte(); {
	case err == nil:
		return f.fail(fmt.Errorf("%w: there is something after the end line", ErrWrongEnd))
	case err != io.EOF:
		return err
	}
	return io.EOF
}

func (f *Reader) fail(err error) error { return &LineError{f.line, err} }

// next returns the next line without its line feed. It is valid until the following call.
func (f *Reader) next() ([]byte, error) {
	f.line++
	text, err := f.lines.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		text = append([]byte(nil), text...)
		for errors.Is(err, bufio.ErrBufferFull) {
			var more []byte
			if more, err = f.lines.ReadSlice('\n'); len(text)+len(more) > maxLine {
				return nil, f.fail(fmt.Errorf("the line is longer than %d bytes", maxLine))
			}
			text = append(text, more...)
		}
	}
	switch {
	case err == io.EOF:
		return nil, f.fail(ErrIncomplete)
	case err != nil:
		return nil, err
	}
	return text[:len(text)-1], nil
}

// Writer writes a file of records. It buffers nothing: give it a buffered writer.
type Writer struct {
	w    io.Writer
	n    int64
	sum  hash.Hash
	line encoder
}

// NewWriter writes the header. workspaceID is empty for the export of a cluster.
func NewWriter(w io.Writer, workspaceID string) (*Writer, error) {
	f := &Writer{w: w, sum: sha256.New()}
	_, err := f.put(headerLine{Header{Format, Version, workspaceID}})
	return f, err
}

// Write writes a record.
func (f *Writer) Write(r *Record) error {
	line, err := f.put(r)
	f.n++
	f.sum.Write(line)
	return err
}

// End writes the last line.
func (f *Writer) End() (End, error) {
	end := End{Records: f.n, SHA256: hex.EncodeToString(f.sum.Sum(nil))}
	_, err := f.put(endLine{end})
	return end, err
}

func (f *Writer) put(value any) ([]byte, error) {
	line, err := f.line.encode(value)
	if err != nil {
		return nil, err
	}
	_, err = f.w.Write(line)
	return line, err
}
