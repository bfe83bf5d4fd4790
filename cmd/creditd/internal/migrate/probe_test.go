package migrate

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
	"github.com/creditd/creditd/scripts/unkeydb"
)

// A pass after the end writes nothing, also if the end was interrupted, if the pass goes on in the middle, or if its first page has no balance.
func TestPass_RefusedAfterTheEnd(t *testing.T) {
	if err := unkeydb.Installed(); err != nil && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	server, err := unkeydb.Start(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop()) }()
	set, err := server.Fill(t.Context(), "ended", unkeydb.Options{Keys: 2500, Identities: 200, Now: time.Now()})
	require.NoError(t, err)
	defer func() { require.NoError(t, set.DB.Close()) }()
	for _, change := range []string{
		"UPDATE `keys` SET remaining_requests = NULL, refill_amount = NULL WHERE pk <= 1500",
		"DELETE FROM credits WHERE identity_id IS NOT NULL OR key_id IN (SELECT id FROM `keys` WHERE pk <= 1500)",
	} {
		_, err := set.DB.Exec(change)
		require.NoError(t, err)
	}
	first := ""
	require.NoError(t, set.DB.QueryRow("SELECT MIN(id) FROM `keys` WHERE remaining_requests IS NOT NULL AND remaining_requests < 1e9 AND workspace_id = ? "+
		"AND deleted_at_m IS NULL AND for_workspace_id IS NULL AND refill_amount IS NULL", unkeydb.Workspace).Scan(&first))

	// The cluster has forgotten one owner so far.
	var written atomic.Int64
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Records []struct{ Balance *records.Balance }
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		var answer records.ImportAnswer
		for i, record := range request.Records {
			outcome := records.Outcome{Index: int64(i), Outcome: records.Unchanged}
			if record.Balance == nil {
				written.Add(1)
			} else if string(record.Balance.KeyID) == first {
				outcome.Outcome, outcome.Reason = records.Skipped, records.NotTracked
			}
			answer.Outcomes = append(answer.Outcomes, outcome)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"meta": map[string]any{"requestId": "req_1"}, "data": answer})
	}))
	defer cluster.Close()
	conf, err := unkey.ParseDSN(server.DSN(unkeydb.Reader, unkeydb.ReaderPassword, set.Name))
	require.NoError(t, err)
	for _, begin := range []struct {
		state *State
		rule  string
	}{{nil, "replace"}, {&State{Step: 7, Cursor: unkey.Cursor{"2000"}}, "replace"}, {nil, "skip"}} {
		source, err := unkey.Open(t.Context(), conf, unkeydb.Workspace, "")
		require.NoError(t, err)
		target := NewTarget([]*client.Client{client.New(client.Config{Node: cluster.URL, RootKey: "root_1", Timeout: time.Minute})}, "")
		pass := &Pass{Source: source, Target: target, Rule: begin.rule, Flight: 2, State: begin.state}
		_, err = pass.Run(t.Context())
		require.ErrorContains(t, err, "the cluster no longer follows the balance of "+first)
		require.Zero(t, written.Load())
		require.NoError(t, source.Close())
	}
}
