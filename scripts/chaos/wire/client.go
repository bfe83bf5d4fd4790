package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Fate says whether a call took effect.
type Fate int

const (
	// Executed calls were answered with 200.
	Executed Fate = iota
	// Refused calls were answered with an error that no fault explains: they had no effect, and should not happen.
	Refused
	// NotExecuted calls certainly had no effect: nothing was sent, or the answer says so (429, 503, plain 408).
	NotExecuted
	// Unknown calls may have taken effect, now or later.
	Unknown
)

func (f Fate) String() string {
	return [...]string{"executed", "refused", "not executed", "unknown"}[f]
}

// Answer is the result of one call.
type Answer struct {
	Fate   Fate
	Status int    // 0 without an answer
	Index  uint64 // Creditd-Index, 0 when absent
	Again  bool   // Idempotency-Replayed: the answer of an earlier call
	Closed bool   // the node ended the connection with its answer
	Detail string // for messages: what went wrong
	body   []byte
}

// Client keeps one connection to each node it has called. It belongs to one goroutine.
type Client struct {
	rootKey string
	timeout time.Duration
	links   map[string]*link
}

type link struct {
	socket net.Conn
	reader *bufio.Reader
}

const dialTimeout = time.Second

// NewClient returns a client whose calls end within about timeout.
func NewClient(rootKey string, timeout time.Duration) *Client {
	return &Client{rootKey: rootKey, timeout: timeout, links: map[string]*link{}}
}

// Close closes its connections.
func (c *Client) Close() {
	for addr := range c.links {
		c.drop(addr)
	}
}

func (c *Client) drop(addr string) {
	if l := c.links[addr]; l != nil {
		_ = l.socket.Close() // an error here changes the fate of nothing
		delete(c.links, addr)
	}
}

// Call posts body to an endpoint of one node and, if it was executed, decodes `data` into data unless that is nil.
func (c *Client) Call(addr, endpoint string, body, data any) Answer {
	return c.CallOnce(addr, endpoint, "", body, data)
}

// CallOnce is Call with an Idempotency-Key, under which the call may be sent again; an empty one is none.
func (c *Client) CallOnce(addr, endpoint, idempotencyKey string, body, data any) Answer {
	if idempotencyKey == "" {
		return c.call(addr, endpoint, "", body, data)
	}
	return c.call(addr, endpoint, "Idempotency-Key: "+idempotencyKey+"\r\n", body, data)
}

// CallStale is Call for a read that the node answers from its own state as it is.
func (c *Client) CallStale(addr, endpoint string, body, data any) Answer {
	return c.call(addr, endpoint, "Creditd-Consistency: stale\r\n", body, data)
}

// call sends one request; header is empty or whole lines.
func (c *Client) call(addr, endpoint, header string, body, data any) Answer {
	payload, err := json.Marshal(body)
	if err != nil {
		return Answer{Fate: Refused, Detail: err.Error()}
	}
	answer := c.exchange(addr, endpoint, header, payload)
	if answer.Fate != Executed || data == nil {
		return answer
	}
	envelope := struct {
		Data any `json:"data"`
	}{Data: data}
	if err := json.Unmarshal(answer.body, &envelope); err != nil {
		answer.Fate, answer.Detail = Refused, fmt.Sprintf("%s: undecodable answer %q: %v", endpoint, answer.body, err)
	}
	return answer
}

func (c *Client) exchange(addr, endpoint, header string, payload []byte) Answer {
	l, err := c.link(addr)
	if err != nil {
		return Answer{Fate: NotExecuted, Detail: err.Error()}
	}
	_ = l.socket.SetDeadline(time.Now().Add(c.timeout)) // a broken socket fails at the write below
	request := fmt.Appendf(nil, "POST /v2/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Accept: application/json\r\n%sContent-Length: %d\r\n\r\n%s", endpoint, addr, c.rootKey, header, len(payload), payload)
	if _, err := l.socket.Write(request); err != nil {
		c.drop(addr)
		return Answer{Fate: Unknown, Detail: err.Error()}
	}
	response, err := http.ReadResponse(l.reader, nil)
	if err != nil {
		c.drop(addr)
		return Answer{Fate: Unknown, Detail: err.Error()}
	}
	answer := Answer{Status: response.StatusCode}
	answer.body, err = io.ReadAll(response.Body)
	if err != nil {
		c.drop(addr)
		return Answer{Fate: Unknown, Status: answer.Status, Detail: err.Error()}
	}
	if response.Close {
		answer.Closed = true
		c.drop(addr)
	}
	answer.Index, _ = strconv.ParseUint(response.Header.Get("Creditd-Index"), 10, 64)
	answer.Again = response.Header.Get("Idempotency-Replayed") == "true"
	answer.Fate = fateOf(response)
	if answer.Fate != Executed {
		answer.Detail = fmt.Sprintf("%s: status %d: %s", endpoint, answer.Status, bytes.TrimSpace(answer.body))
	}
	return answer
}

func (c *Client) link(addr string) (*link, error) {
	if l := c.links[addr]; l != nil {
		return l, nil
	}
	socket, err := net.DialTimeout("tcp", addr, dialTimeout)
	if err != nil {
		return nil, err
	}
	l := &link{socket: socket, reader: bufio.NewReader(socket)}
	c.links[addr] = l
	return l, nil
}

// fateOf is the contract's statement about each status.
func fateOf(response *http.Response) Fate {
	switch response.StatusCode {
	case http.StatusOK:
		return Executed
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return NotExecuted
	case http.StatusRequestTimeout:
		if response.Header.Get("Creditd-Outcome") == "unknown" {
			return Unknown
		}
		return NotExecuted
	}
	return Refused
}
