package peer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	lengthSize = 4
	// maxHeader is the largest header of a frame after its length: id, one byte,
	// timeout.
	maxHeader = 2*binary.MaxVarintLen64 + 1
	// maxTimeoutMillis keeps a deadline computed from the wire inside
	// time.Duration. One day is far beyond any call.
	maxTimeoutMillis = 24 * 60 * 60 * 1000
	readBufferSize   = 64 << 10
	// chunkSize is what one write or read deadline covers.
	chunkSize = 1 << 20
)

var errMalformed = errors.New("peer: malformed frame")

// frameHeader is a frame without its payload. Kind is the method of a request or the
// code of a response; timeoutMillis is for requests only.
type frameHeader struct {
	id            uint64
	kind          byte
	timeoutMillis uint64
}

func (h frameHeader) appendRequest(b []byte, payloadLen int) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.AppendUvarint(b, h.id)
	b = append(b, h.kind)
	b = binary.AppendUvarint(b, h.timeoutMillis)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-lengthSize+payloadLen))
	return b
}

func (h frameHeader) appendResponse(b []byte, payloadLen int) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.AppendUvarint(b, h.id)
	b = append(b, h.kind)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-lengthSize+payloadLen))
	return b
}

// decodeRequest reads the header of a request and returns its size.
func decodeRequest(b []byte) (frameHeader, int, error) {
	h, n, err := decodeResponse(b)
	if err != nil {
		return frameHeader{}, 0, err
	}
	timeout, m, err := decodeUvarint(b[n:])
	if err != nil {
		return frameHeader{}, 0, err
	}
	if timeout > maxTimeoutMillis {
		return frameHeader{}, 0, fmt.Errorf("%w: timeout of %d ms", errMalformed, timeout)
	}
	h.timeoutMillis = timeout
	return h, n + m, nil
}

// decodeResponse reads the header of a response and returns its size.
func decodeResponse(b []byte) (frameHeader, int, error) {
	id, n, err := decodeUvarint(b)
	if err != nil {
		return frameHeader{}, 0, err
	}
	if n == len(b) {
		return frameHeader{}, 0, fmt.Errorf("%w: truncated header", errMalformed)
	}
	return frameHeader{id: id, kind: b[n]}, n + 1, nil
}

// decodeUvarint accepts only the shortest form, so that a frame has one
// encoding.
func decodeUvarint(b []byte) (uint64, int, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, 0, fmt.Errorf("%w: bad varint", errMalformed)
	}
	if n > 1 && b[n-1] == 0 {
		return 0, 0, fmt.Errorf("%w: padded varint", errMalformed)
	}
	return v, n, nil
}

// frameReader reads frames from a connection. It is used by one goroutine.
type frameReader struct {
	conn    net.Conn // for deadlines; nil in tests of decoding
	br      *bufio.Reader
	decode  func([]byte) (frameHeader, int, error)
	max     int
	timeout time.Duration
	// progress, if set, is called for every chunk of a large frame.
	progress func()
}

func newFrameReader(conn net.Conn, decode func([]byte) (frameHeader, int, error), l Limits) *frameReader {
	return &frameReader{
		conn:    conn,
		br:      bufio.NewReaderSize(conn, readBufferSize),
		decode:  decode,
		max:     l.MaxFrameBytes,
		timeout: l.WriteTimeout,
	}
}

// next reads the header of the next frame and returns the size of the payload.
// The caller must fetch the payload with payload, or drop it with skip.
func (r *frameReader) next() (frameHeader, int, error) {
	b, err := r.br.Peek(lengthSize)
	if err != nil {
		return frameHeader{}, 0, err
	}
	length := int64(binary.BigEndian.Uint32(b))
	if length > int64(r.max) {
		return frameHeader{}, 0, fmt.Errorf("%w: a frame of %d bytes, limit %d", errMalformed, length, r.max)
	}
	b, err = r.br.Peek(lengthSize + int(min(length, maxHeader)))
	if err != nil {
		return frameHeader{}, 0, unexpectedEOF(err)
	}
	h, n, err := r.decode(b[lengthSize:])
	if err != nil {
		return frameHeader{}, 0, err
	}
	_, _ = r.br.Discard(lengthSize + n)
	return h, int(length) - n, nil
}

// ready reports whether a whole frame is buffered, so that next and payload
// return without waiting for the network.
func (r *frameReader) ready() bool {
	if r.br.Buffered() < lengthSize {
		return false
	}
	b, _ := r.br.Peek(lengthSize)
	return int64(r.br.Buffered()) >= lengthSize+int64(binary.BigEndian.Uint32(b))
}

// payload returns the n bytes after the header in a buffer that the caller owns.
func (r *frameReader) payload(n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	p := make([]byte, n)
	if n <= r.br.Buffered() {
		_, err := io.ReadFull(r.br, p)
		return p, err
	}
	err := r.timed(n, func(from, to int) error {
		_, err := io.ReadFull(r.br, p[from:to])
		return err
	})
	return p, err
}

func (r *frameReader) skip(n int) error {
	if n <= r.br.Buffered() {
		_, err := r.br.Discard(n)
		return err
	}
	return r.timed(n, func(from, to int) error {
		_, err := r.br.Discard(to - from)
		return err
	})
}

// timed runs read over n bytes in chunks, each with its own deadline. A peer
// that announces a large frame and then sends nothing must not hold its memory.
func (r *frameReader) timed(n int, read func(from, to int) error) error {
	for from := 0; from < n; from += chunkSize {
		if r.conn != nil {
			_ = r.conn.SetReadDeadline(time.Now().Add(r.timeout))
		}
		if err := read(from, min(n, from+chunkSize)); err != nil {
			return unexpectedEOF(err)
		}
		if r.progress != nil {
			r.progress()
		}
	}
	if r.conn != nil {
		_ = r.conn.SetReadDeadline(time.Time{})
	}
	return nil
}

func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
