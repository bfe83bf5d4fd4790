package peer

import (
	"net"
	"time"
)

const (
	// copyBelow is the payload size up to which a frame is copied into the
	// shared buffer, so that one write sends it with its neighbours. A larger
	// payload is written from where it lies.
	copyBelow = 64 << 10
	// batchBytes ends a batch, so that one write deadline covers about 1 MiB.
	batchBytes = chunkSize
)

// outbox assembles the frames of one batch and writes them: one write for all
// small ones. It belongs to the writer goroutine of a connection.
type outbox struct {
	conn    net.Conn
	timeout time.Duration

	buf   []byte
	large []largePayload
	size  int64 // bytes of the batch so far, large payloads included
}

// largePayload is written after buf[:after].
type largePayload struct {
	after   int
	payload []byte
}

func newOutbox(conn net.Conn, l Limits) *outbox {
	return &outbox{conn: conn, timeout: l.WriteTimeout}
}

func (o *outbox) addRequest(h frameHeader, payload []byte) {
	o.addPayload(h.appendRequest(o.buf, len(payload)), payload)
}

func (o *outbox) addResponse(h frameHeader, payload []byte) {
	o.addPayload(h.appendResponse(o.buf, len(payload)), payload)
}

func (o *outbox) addPayload(buf, payload []byte) {
	o.size += int64(len(buf) - len(o.buf) + len(payload))
	if len(payload) <= copyBelow {
		o.buf = append(buf, payload...)
		return
	}
	o.buf = buf
	o.large = append(o.large, largePayload{after: len(buf), payload: payload})
}

// flush writes the batch and empties the outbox. It returns how many bytes
// the connection accepted: a frame that starts at or beyond that number never
// left. That holds for TLS too: bytes of a record that was not written whole
// do not count, and nobody can decrypt such a record.
func (o *outbox) flush() (int64, error) {
	written, err := o.write()
	if err == nil {
		_ = o.conn.SetWriteDeadline(time.Time{})
	}
	o.buf = o.buf[:0]
	clear(o.large)
	o.large = o.large[:0]
	o.size = 0
	return written, err
}

func (o *outbox) write() (written int64, err error) {
	from := 0
	for _, l := range o.large {
		if err = o.writeChunks(o.buf[from:l.after], &written); err != nil {
			return written, err
		}
		if err = o.writeChunks(l.payload, &written); err != nil {
			return written, err
		}
		from = l.after
	}
	err = o.writeChunks(o.buf[from:], &written)
	return written, err
}

// writeChunks writes b, at most two chunks at a time, so that the deadline
// measures progress and not the size of a frame.
func (o *outbox) writeChunks(b []byte, written *int64) error {
	for len(b) > 0 {
		chunk := b
		if len(chunk) > 2*chunkSize {
			chunk = b[:chunkSize]
		}
		_ = o.conn.SetWriteDeadline(time.Now().Add(o.timeout))
		n, err := o.conn.Write(chunk)
		*written += int64(n)
		if err != nil {
			return err
		}
		b = b[len(chunk):]
	}
	return nil
}
