package wire

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The books are only as good as the fate of each call: taking an unknown one for "not executed" would hide a double
// charge, the reverse would excuse one.
func TestCall_KnowsTheFate(t *testing.T) {
	for name, test := range map[string]struct {
		handler func(http.ResponseWriter, *http.Request)
		want    Fate
	}{
		"200":       {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":{"x":1}}`)) }, Executed},
		"429":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, NotExecuted},
		"503":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, NotExecuted},
		"plain 408": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(408) }, NotExecuted},
		"unknown 408": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Creditd-Outcome", "unknown")
			w.WriteHeader(408)
		}, Unknown},
		"500":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, Refused},
		"404":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, Refused},
		"nonsense": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`nonsense`)) }, Refused},
		"hang up":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Unknown},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"data":`))
		}, Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(test.handler))
			defer server.Close()
			client := NewClient("root", 5*time.Second)
			defer client.Close()
			var data struct{ X int }
			for range 2 { // the second call must not suffer from what the first left behind
				answer := client.Call(strings.TrimPrefix(server.URL, "http://"), "keys.verifyKey", map[string]any{}, &data)
				require.Equal(t, test.want, answer.Fate, answer.Detail)
			}
		})
	}
}

func TestCall_NobodyListensIsNotExecuted(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	answer := NewClient("root", time.Second).Call(listener.Addr().String(), "keys.verifyKey", nil, nil)
	require.Equal(t, NotExecuted, answer.Fate)
}

func TestCall_SilenceIsUnknown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	client := NewClient("root", 50*time.Millisecond)
	defer client.Close()
	require.Equal(t, Unknown, client.Call(listener.Addr().String(), "keys.verifyKey", nil, nil).Fate)
}

func TestConverged_NeedsALeaderAndOneState(t *testing.T) {
	node := func(index uint64, digest string) NodeStatus {
		n := NodeStatus{NodeID: "n", AppliedIndex: index}
		n.Digest.Index, n.Digest.Value = index, digest
		return n
	}
	require.NoError(t, Status{LeaderID: "n", Nodes: []NodeStatus{node(5, "a"), node(5, "a")}}.Converged(2))
	for name, status := range map[string]Status{
		"leader": {Nodes: []NodeStatus{node(5, "a"), node(5, "a")}},
		"nodes":  {LeaderID: "n", Nodes: []NodeStatus{node(5, "a")}},
		"index":  {LeaderID: "n", Nodes: []NodeStatus{node(5, "a"), node(6, "a")}},
		"digest": {LeaderID: "n", Nodes: []NodeStatus{node(5, "a"), node(5, "b")}},
		"empty":  {LeaderID: "n", Nodes: []NodeStatus{node(5, ""), node(5, "")}},
	} {
		require.Error(t, status.Converged(2), name)
	}
}
