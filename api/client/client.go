package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Config says which node a client calls, and how. A zero duration sets no limit.
type Config struct {
	Node        string // URL or HOST:PORT
	RootKey     string
	Timeout     time.Duration // of one call
	DialTimeout time.Duration // of one connection, within Timeout
	Proxy       func(*http.Request) (*url.URL, error)
	TLS         *tls.Config // of nodes whose URL says https; nil: the defaults
}

// Client calls one node. It keeps connections open and may be used by several goroutines.
type Client struct {
	base    string
	rootKey string
	timeout time.Duration
	http    *http.Client
}

// idleConnections is how many connections to one node stay open. A client with more calls at once dials again.
const idleConnections = 64

// handshakeTimeout bounds the TLS handshake, which the time to dial does not cover.
const handshakeTimeout = 10 * time.Second

// largestAnswer bounds what a client reads: the port may belong to anything.
const largestAnswer = 16 << 20

// Causes of failed calls, for errors.Is.
var (
	ErrUnreachable = errors.New("cannot connect")
	ErrTimeout     = errors.New("no answer in time")
	ErrForeign     = errors.New("this is not an answer of creditd")
)

// New returns a client. Nothing is dialled yet.
func New(conf Config) *Client {
	var onlyHTTP1 http.Protocols // the contract's headers about a connection have no meaning in HTTP/2
	onlyHTTP1.SetHTTP1(true)
	transport := &http.Transport{
		Proxy: conf.Proxy, DialContext: (&net.Dialer{Timeout: conf.DialTimeout}).DialContext,
		MaxIdleConnsPerHost: idleConnections, Protocols: &onlyHTTP1, TLSClientConfig: conf.TLS, TLSHandshakeTimeout: handshakeTimeout,
	}
	return &Client{base: baseURL(conf.Node), rootKey: conf.RootKey, timeout: conf.Timeout, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // never hand the root key on
	}}
}

func baseURL(node string) string {
	if !strings.Contains(node, "://") {
		node = "http://" + node
	}
	return strings.TrimRight(node, "/")
}

// At returns a client of another node that shares the connections, the root key and the limits of c.
func (c *Client) At(node string) *Client {
	other := *c
	other.base = baseURL(node)
	return &other
}

// Node returns the URL of the node.
func (c *Client) Node() string { return c.base }

// Close closes the connections that no call uses, also those of the clients that share them.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Header is a header of a request.
type Header struct{ Name, Value string }

// IdempotencyKey names a request, so that it can be sent again without a second effect.
func IdempotencyKey(key string) Header { return Header{"Idempotency-Key", key} }

// Call posts request to an endpoint and decodes the data of its answer into result, unless that is nil.
func (c *Client) Call(ctx context.Context, endpoint string, request, result any, headers ...Header) Answer {
	body, raw := request.(json.RawMessage) // is sent as it is: Marshal would spell its texts in another way
	if !raw {
		var err error
		if body, err = json.Marshal(request); err != nil {
			return Answer{Outcome: NotExecuted, Err: fmt.Errorf("%s: %w", endpoint, err)}
		}
	}
	answer, text := c.send(ctx, http.MethodPost, "/v2/"+endpoint, body, headers)
	if answer.Err == nil {
		answer.read(c.base, endpoint, text, result)
	}
	return answer
}

// Get reads a page outside the API, such as /readyz or /metrics. Every status is an answer.
func (c *Client) Get(ctx context.Context, path string) (status int, text []byte, err error) {
	answer, text := c.send(ctx, http.MethodGet, path, nil, nil)
	return answer.Status, text, answer.Err
}

// send makes one exchange. The body has no GetBody, without which net/http cannot send a request twice.
func (c *Client) send(ctx context.Context, method, path string, body []byte, headers []Header) (answer Answer, text []byte) {
	caller, sent := ctx, false
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent = true }})
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return Answer{Outcome: NotExecuted, Err: err}, nil
	}
	if method == http.MethodPost {
		request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+c.rootKey)
		request.Header.Set("Accept", "application/json")
	}
	for _, h := range headers {
		request.Header.Set(h.Name, h.Value)
	}
	response, err := c.http.Do(request)
	if err != nil {
		answer = Answer{Outcome: NotExecuted, Err: c.failure(caller, sent, err)}
		if sent {
			answer.Outcome = Unknown
		}
		return answer, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err = io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	if err != nil {
		return Answer{Outcome: Unknown, Status: response.StatusCode,
			Err: fmt.Errorf("the answer of %s to %s is incomplete: %w", c.base, path, err)}, nil
	}
	return answerOf(response), text
}

// failure says why there is no answer.
func (c *Client) failure(caller context.Context, sent bool, err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	var network net.Error
	switch {
	case caller.Err() != nil:
		return fmt.Errorf("%s: %w", c.base, caller.Err())
	case errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("%w: %s did not answer within %s", ErrTimeout, c.base, c.timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: nothing listens at %s", ErrUnreachable, c.base)
	case sent:
		return fmt.Errorf("%s closed the connection without an answer: %w", c.base, err)
	}
	return fmt.Errorf("%w to %s: %w", ErrUnreachable, c.base, err)
}
