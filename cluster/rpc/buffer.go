package rpc

import "sync"

// buffer is where a request or an answer is encoded.
type buffer struct{ bytes []byte }

// maxPooledBytes is the largest buffer that is kept for the next message.
const maxPooledBytes = 16 << 10

var buffers = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 0, 256)} }}

// release keeps the buffer for another message. Nothing may read its bytes any more.
func (b *buffer) release() {
	if cap(b.bytes) <= maxPooledBytes {
		b.bytes = b.bytes[:0]
		buffers.Put(b)
	}
}
