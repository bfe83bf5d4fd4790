package load

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

const maxAnswer = 1 << 20 // bytes of one answer; a verification has a few hundred

var (
	errMalformed = errors.New("not an HTTP/1.1 answer with a Content-Length")
	errTooLarge  = errors.New("the answer is too large")
)

// connection is one keep-alive HTTP/1.1 connection with one request in flight. It belongs to one goroutine.
type connection struct {
	addr    string
	secured *tls.Config // nil: plain
	timeout time.Duration
	socket  net.Conn // nil when the next request has to dial
	buffer  []byte   // the current answer; its spare capacity is read into
	expires time.Time
}

// answer points into the connection's buffer and is valid until the next exchange.
type answer struct {
	status int
	body   []byte
}

// exchange sends a complete request and reads its answer. After any error the connection dials anew next time.
func (c *connection) exchange(request []byte, now time.Time) (answer, error) {
	if c.socket == nil {
		socket, err := c.dial()
		if err != nil {
			return answer{}, err
		}
		c.socket = socket
		c.expires = time.Time{}
	}
	got, keep, err := c.roundTrip(request, now)
	if err != nil || !keep {
		c.close()
	}
	return got, err
}

func (c *connection) dial() (net.Conn, error) {
	dialer := &net.Dialer{Timeout: c.timeout}
	if c.secured == nil {
		return dialer.Dial("tcp", c.addr)
	}
	return tls.DialWithDialer(dialer, "tcp", c.addr, c.secured)
}

func (c *connection) close() {
	if c.socket != nil {
		_ = c.socket.Close() // nothing is owed to a server that is being measured
		c.socket = nil
	}
}

func (c *connection) roundTrip(request []byte, now time.Time) (got answer, keep bool, err error) {
	// Arming a timer per request would show in the measurement: the deadline moves only when half of it is used up.
	if c.expires.Sub(now) < c.timeout/2 {
		c.expires = now.Add(c.timeout)
		if err := c.socket.SetDeadline(c.expires); err != nil {
			return answer{}, false, err
		}
	}
	if _, err := c.socket.Write(request); err != nil {
		return answer{}, false, err
	}
	c.buffer = c.buffer[:0]
	for {
		if len(c.buffer) == cap(c.buffer) {
			if len(c.buffer) >= maxAnswer {
				return answer{}, false, errTooLarge
			}
			c.buffer = append(make([]byte, 0, max(2*cap(c.buffer), 4096)), c.buffer...)
		}
		n, err := c.socket.Read(c.buffer[len(c.buffer):cap(c.buffer)])
		c.buffer = c.buffer[:len(c.buffer)+n]
		got, keep, complete, parseErr := parseAnswer(c.buffer)
		if parseErr != nil || complete {
			return got, keep, parseErr
		}
		if err != nil {
			return answer{}, false, err
		}
	}
}

var (
	endOfHead  = []byte("\r\n\r\n")
	endOfLine  = []byte("\r\n")
	httpPrefix = []byte("HTTP/1.")
)

// parseAnswer reads one answer from the start of data. Exactly one request is in flight, so bytes after it are an error.
func parseAnswer(data []byte) (got answer, keep, complete bool, err error) {
	end := bytes.Index(data, endOfHead)
	if end < 0 {
		if len(data) >= len(httpPrefix) && !bytes.HasPrefix(data, httpPrefix) {
			return answer{}, false, false, errMalformed
		}
		return answer{}, false, false, nil
	}
	head, body := data[:end], data[end+len(endOfHead):]
	line, fields, _ := bytes.Cut(head, endOfLine)
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, httpPrefix) {
		return answer{}, false, false, errMalformed
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return answer{}, false, false, errMalformed
	}
	length, keep, err := parseFields(fields)
	if err != nil {
		return answer{}, false, false, err
	}
	if len(body) < length {
		return answer{}, false, false, nil
	}
	if len(body) > length {
		return answer{}, false, false, fmt.Errorf("%w: bytes after the body", errMalformed)
	}
	return answer{status: status, body: body}, keep, true, nil
}

// parseFields finds the length of the body and whether the connection stays open.
func parseFields(fields []byte) (length int, keep bool, err error) {
	length, keep = -1, true
	for len(fields) > 0 {
		var line []byte
		line, fields, _ = bytes.Cut(fields, endOfLine)
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			return 0, false, errMalformed
		}
		switch {
		case len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")):
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
			if err != nil || length < 0 {
				return 0, false, errMalformed
			}
		case len(name) == len("Connection") && bytes.EqualFold(name, []byte("Connection")):
			keep = !bytes.EqualFold(bytes.TrimSpace(value), []byte("close"))
		}
	}
	if length < 0 {
		return 0, false, errMalformed
	}
	return length, keep, nil
}
