package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeNode answers the endpoints that a run uses. A test replaces verify to misbehave.
type fakeNode struct {
	*httptest.Server
	verify func(http.ResponseWriter, *http.Request)

	made, identities, verified atomic.Int64
	apis                       atomic.Int64 // that exist
	identitiesMade             atomic.Int64
	refusing                   atomic.Bool  // every deletion
	full                       atomic.Bool  // of keys
	unready                    atomic.Int64 // creations that are refused with 503 first

	mu       sync.Mutex
	balances map[string]int64 // by key; guarded by mu
}

const testRootKey = "root_test"

func newFakeNode(t testing.TB) *fakeNode {
	t.Helper()
	node := &fakeNode{balances: map[string]int64{}}
	node.verify = node.charge
	node.Server = httptest.NewServer(node)
	t.Cleanup(node.Close)
	return node
}

func (n *fakeNode) addr() string { return strings.TrimPrefix(n.URL, "http://") }

func (n *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(r.Body) // also what lets a handler notice that the caller is gone
	r.Body = io.NopCloser(bytes.NewReader(payload))
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer "+testRootKey ||
		r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/v2/keys.verifyKey") {
		n.verify(w, r)
		return
	}
	if n.unready.Add(-1) >= 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var body struct {
		Credits struct {
			Remaining int64 `json:"remaining"`
		} `json:"credits"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	if strings.Contains(r.URL.Path, ".delete") && n.refusing.Load() {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	switch r.URL.Path {
	case "/v2/apis.createApi":
		n.apis.Add(1)
		respond(w, `{"apiId":"api_fake1234"}`)
	case "/v2/apis.deleteApi":
		n.apis.Add(-1)
		respond(w, `{}`)
	case "/v2/identities.deleteIdentity":
		n.identities.Add(-1)
		respond(w, `null`)
	case "/v2/identities.createIdentity":
		n.identities.Add(1)
		n.identitiesMade.Add(1)
		respond(w, `{"identityId":"id_fake"}`)
	case "/v2/keys.createKey":
		if n.full.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		key := fmt.Sprintf("key%d", n.made.Add(1))
		n.mu.Lock()
		n.balances[key] = body.Credits.Remaining
		n.mu.Unlock()
		respond(w, `{"keyId":"key_fake","key":"`+key+`"}`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (n *fakeNode) charge(w http.ResponseWriter, r *http.Request) {
	n.verified.Add(1)
	var body struct {
		Key     string `json:"key"`
		Credits struct {
			Cost int64 `json:"cost"`
		} `json:"credits"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	n.mu.Lock()
	balance, found := n.balances[body.Key]
	enough := found && balance >= body.Credits.Cost
	if enough {
		balance -= body.Credits.Cost
		n.balances[body.Key] = balance
	}
	n.mu.Unlock()
	switch {
	case !found:
		respond(w, `{"valid":false,"code":"NOT_FOUND"}`)
	case enough:
		respond(w, fmt.Sprintf(`{"valid":true,"code":"VALID","keyId":"key_fake","enabled":true,"credits":%d}`, balance))
	default:
		respond(w, fmt.Sprintf(`{"valid":false,"code":"USAGE_EXCEEDED","keyId":"key_fake","enabled":true,"credits":%d}`, balance))
	}
}

func respond(w http.ResponseWriter, data string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"meta":{"requestId":"req_1"},"data":%s}`, data)
}

func testConfig(nodes ...*fakeNode) Config {
	config := DefaultConfig()
	config.Addrs = nil
	for _, node := range nodes {
		config.Addrs = append(config.Addrs, node.addr())
	}
	config.RootKey = testRootKey
	config.Connections = 4
	config.Keys = 20
	config.Warmup = 0
	config.Duration = 150_000_000
	return config
}

func mustRun(t *testing.T, config Config) Report {
	t.Helper()
	report, err := Run(t.Context(), config)
	require.NoError(t, err)
	return *report
}
