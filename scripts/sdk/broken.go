package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// broken is a proxy before a node that withholds the first answer to each body. The node has executed the request by then. The client
// sees a reset connection, or no answer until it gives up. Later requests with the same body get their answers.
type broken struct {
	node  string
	waits bool // rather than resets

	mu   sync.Mutex
	seen map[string]bool // bodies; guarded by mu
}

func (b *broken) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	status, contentType, answer, err := b.forward(r, body)
	switch first := b.first(string(body)); {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadGateway)
	case first && b.waits:
		<-r.Context().Done()
	case first:
		reset(w)
	default:
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write(answer) // the client may be gone
	}
}

// forward returns the answer of the node, which does not depend on whether the client waits for it.
func (b *broken) forward(r *http.Request, body []byte) (status int, contentType string, answer []byte, err error) {
	request, err := http.NewRequest(r.Method, b.node+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	request.Header = r.Header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, response.Header.Get("Content-Type"), answer, err
}

func (b *broken) first(body string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := !b.seen[body]
	b.seen[body] = true
	return first
}

// reset ends the connection as the crash of a node does: the client's next read fails.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(fmt.Sprintf("sdk: a connection that cannot be taken over: %v", err))
	}
	_ = conn.(*net.TCPConn).SetLinger(0) // close sends RST then
	_ = conn.Close()
}

// serveBroken serves such a proxy on a port of its own.
func serveBroken(node string, waits bool) (url string, stop func() error, err error) {
	return serve(&broken{node: node, waits: waits, seen: map[string]bool{}})
}

// serve serves HTTP on a free port of this machine.
func serve(handler http.Handler) (url string, stop func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(listener) }() // ends with Close
	return "http://" + listener.Addr().String(), server.Close, nil
}
