package migrate

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
)

// A workspace that nothing can go into ends the pass. It is no problem of each row.
func TestTarget_WorkspaceThatTakesNothing(t *testing.T) {
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"meta":{"requestId":"req_1"},"data":{"outcomes":[{"index":0,"outcome":"conflict","reason":"operator_only"}]}}`))
	}))
	defer cluster.Close()
	target := NewTarget([]*client.Client{client.New(client.Config{Node: cluster.URL, RootKey: "root_1", Timeout: time.Minute})}, "ws_source")
	_, err := target.importRecords(t.Context(), "replace", time.UnixMilli(1), []records.Record{{Key: &records.Key{ID: "key_1"}}})
	require.ErrorContains(t, err, "the root key may not write into the workspace ws_source")
	require.ErrorContains(t, err, "--source-workspace")
}
