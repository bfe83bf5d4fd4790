package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// target is a cluster as the attackers see it: they own a workspace of it, and reach all of its ports.
type target struct {
	places []launch.Place
	admin  string // root key of the attackers' workspace that may do everything there
	weak   string // root key of it that may do next to nothing
	http   *http.Client
	scheme string
	tls    *tls.Config // nil: the HTTP port has no TLS

	recording string // a file

	mu    sync.Mutex
	count map[string]int // of answers by status; guarded by mu
}

// attackTimeout bounds one request of an attacker.
const attackTimeout = 10 * time.Second

func newTarget(o order) *target {
	t := &target{places: o.Places, admin: o.Admin, weak: o.Weak, count: make(map[string]int), scheme: "http://", recording: o.Recording}
	if o.TLS {
		t.scheme, t.tls = "https://", anybody()
	}
	t.http = &http.Client{Timeout: attackTimeout, Transport: &http.Transport{
		MaxIdleConnsPerHost: 64, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, TLSClientConfig: t.tls,
	}}
	return t
}

func (t *target) close() { t.http.CloseIdleConnections() }

// reset forgets the answers so far.
func (t *target) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.count)
}

// place is the node that the attacker with a number attacks.
func (t *target) place(attacker int) launch.Place { return t.places[attacker%len(t.places)] }

// note counts an answer.
func (t *target) note(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[what]++
}

// answers says how often the attackers got which answer.
func (t *target) answers() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	for _, what := range slices.Sorted(maps.Keys(t.count)) {
		list = append(list, fmt.Sprintf("%s:%d", what, t.count[what]))
	}
	return strings.Join(list, " ")
}

// post sends a request of an attacker and counts its answer. headers are names and values.
func (t *target) post(ctx context.Context, attacker int, rootKey, endpoint string, body []byte, headers ...string) (status int, data []byte) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.scheme+t.place(attacker).HTTP+"/v2/"+endpoint, bytes.NewReader(body))
	if err != nil {
		t.note("not sent")
		return 0, nil
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+rootKey)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := t.http.Do(request)
	if err != nil {
		if ctx.Err() == nil {
			t.note("cut")
		}
		return 0, nil
	}
	defer func() { _ = response.Body.Close() }()
	data, err = io.ReadAll(response.Body)
	if err != nil && ctx.Err() == nil {
		t.note("cut")
		return 0, nil
	}
	t.note(fmt.Sprint(response.StatusCode))
	return response.StatusCode, data
}

// build makes a part of the state that an attack is about. Limits may refuse more than there is already; anything else ends the run.
func (t *target) build(ctx context.Context, endpoint string, request any) (data map[string]any, err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	for {
		status, text := t.post(ctx, 0, t.admin, endpoint, body)
		var answer struct {
			Data json.RawMessage `json:"data"`
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case status == http.StatusOK:
			if err := json.Unmarshal(text, &answer); err != nil {
				return nil, fmt.Errorf("%s: %w", endpoint, err)
			}
			data = make(map[string]any)
			_ = json.Unmarshal(answer.Data, &data) // some answers are lists or empty
			return data, nil
		case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable || status == 0:
			time.Sleep(10 * time.Millisecond)
		default:
			return nil, &refusal{endpoint, status, string(text[:min(len(text), 400)])}
		}
	}
}

// refusal is an answer that a repetition would not change.
type refusal struct {
	endpoint string
	status   int
	text     string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: %d %s", r.endpoint, r.status, r.text) }
