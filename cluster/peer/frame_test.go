package peer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func readerOf(b []byte, decode func([]byte) (frameHeader, int, error), limit int) *frameReader {
	return &frameReader{br: bufio.NewReaderSize(bytes.NewReader(b), readBufferSize), decode: decode, max: limit}
}

func TestFrame_RoundTripsRequestsAndResponses(t *testing.T) {
	payload := bytes.Repeat([]byte("x"), 100_000) // beyond the read buffer
	h := frameHeader{id: 1 << 40, kind: 9, timeoutMillis: 12345}
	r := readerOf(append(h.appendRequest(nil, len(payload)), payload...), decodeRequest, 1<<20)
	got, n, err := r.next()
	require.NoError(t, err)
	require.Equal(t, h, got)
	p, err := r.payload(n)
	require.NoError(t, err)
	require.Equal(t, payload, p)
	_, _, err = r.next()
	require.ErrorIs(t, err, io.EOF)

	h.timeoutMillis = 0
	r = readerOf(append(h.appendResponse(nil, 3), "abc"...), decodeResponse, 1<<20)
	require.True(t, readAhead(r))
	got, n, err = r.next()
	require.NoError(t, err)
	require.Equal(t, h, got)
	require.NoError(t, r.skip(n))
}

// readAhead fills the buffer and asks whether a whole frame is in it.
func readAhead(r *frameReader) bool {
	_, _ = r.br.Peek(1)
	return r.ready()
}

func TestFrame_RefusesMoreThanOneEncoding(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty":            {},
		"id only":          {1},
		"padded id":        {0x81, 0x00, 1, 0},
		"overlong id":      {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"no timeout":       {1, 1},
		"padded timeout":   {1, 1, 0x80, 0x00},
		"timeout too long": {1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		_, _, err := decodeRequest(b)
		require.ErrorIs(t, err, errMalformed, name)
	}
}

// FuzzFrameReader feeds a peer's bytes to both decoders: no panic, no payload
// beyond the limit, and what decodes encodes to the same bytes.
func FuzzFrameReader(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 3, 1, 1, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{0, 0, 0, 4, 0x80, 0, 1, 0})
	f.Add(append(frameHeader{id: 300, kind: 2, timeoutMillis: 5000}.appendRequest(nil, 5), "hello"...))
	f.Add(append(frameHeader{id: 1 << 63, kind: 240}.appendResponse(nil, 2), "no"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzFrames(t, b, decodeRequest, frameHeader.appendRequest)
		fuzzFrames(t, b, decodeResponse, frameHeader.appendResponse)
	})
}

func fuzzFrames(t *testing.T, b []byte, decode func([]byte) (frameHeader, int, error), encode func(frameHeader, []byte, int) []byte) {
	const limit = 4096
	r := readerOf(b, decode, limit)
	rest := b
	for {
		readAhead(r)
		h, n, err := r.next()
		if err != nil {
			known := errors.Is(err, errMalformed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
			require.True(t, known, "%v", err)
			return
		}
		require.LessOrEqual(t, n, limit)
		p, err := r.payload(n)
		if err != nil {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			return
		}
		again := append(encode(h, nil, n), p...)
		require.Equal(t, rest[:len(again)], again)
		rest = rest[len(again):]
	}
}
