package migrate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// Only what the cluster has is deleted there. An override that took the identifier of a deleted one stays, and so does an API that is protected or
// has keys of its own.
func TestTarget_RemovesWhatIsThere(t *testing.T) {
	var deleted []string
	followed := 1
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			KeyID, Identity, APIID, Namespace, Identifier, WorkspaceID string
			ReadAt                                                     int64
			OnConflict                                                 string
			Records                                                    []records.Record
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		refuse := func(status int) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"meta":{"requestId":"req_1"},"error":{"title":"T","detail":"d","status":%d,"type":"t"}}`, status)
		}
		var data any = map[string]any{}
		switch endpoint := strings.TrimPrefix(r.URL.Path, "/v2/"); endpoint {
		case "records.importRecords":
			if request.ReadAt != 1 || request.OnConflict != "skip" {
				t.Error("the question could change a balance")
			}
			var answer records.ImportAnswer
			for i, record := range request.Records {
				outcome := records.Outcome{Index: int64(i), Outcome: records.Unchanged}
				switch owner := record.Balance.KeyID + record.Balance.IdentityID; {
				case strings.Contains(string(owner), "unknown"):
					outcome.Outcome, outcome.Reason = records.Conflict, records.ReferenceMissing
				case strings.Contains(string(owner), "gone"):
					outcome.Outcome, outcome.Reason = records.Skipped, records.Deleted
				case strings.Contains(string(owner), "untracked"):
					outcome.Outcome, outcome.Reason = records.Skipped, records.NotTracked
				}
				answer.Outcomes = append(answer.Outcomes, outcome)
			}
			data = answer
		case "records.getImport":
			data = map[string]any{"clusterId": "cluster_1", "workspaceId": cmp.Or(request.WorkspaceID, "ws_own"), "followed": followed}
		case "ratelimit.getOverride":
			data = map[string]any{"overrideId": map[string]string{"user_1": "rlor_there", "user_3": "rlor_newer"}[request.Identifier]}
		case "ratelimit.listOverrides":
			if request.Namespace != "rlns_1" {
				refuse(http.StatusNotFound)
				return
			}
			data = []map[string]any{{"overrideId": "rlor_there", "identifier": "user_1"}, {"overrideId": "rlor_new", "identifier": "user_2"}, {"overrideId": "rlor_raced", "identifier": "user_3"}}
		case "apis.getApi":
			if request.APIID == "api_unknown" {
				refuse(http.StatusNotFound)
				return
			}
		case "apis.listKeys":
			if request.APIID == "api_hidden" {
				refuse(http.StatusNotFound)
				return
			}
			keys := []map[string]any{}
			if request.APIID == "api_used" {
				keys = append(keys, map[string]any{"keyId": "key_made_here"})
			}
			data = keys
		case "apis.deleteApi":
			if status := map[string]int{"api_raced": http.StatusNotFound, "api_protected": http.StatusPreconditionFailed}[request.APIID]; status != 0 {
				refuse(status)
				return
			}
			fallthrough
		default:
			if r.Header.Get("Idempotency-Key") == "" {
				t.Error("a repetition could delete something else: " + endpoint)
			}
			deleted = append(deleted, endpoint+" "+request.KeyID+request.Identity+request.APIID+request.Namespace+request.Identifier)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"meta": map[string]any{"requestId": "req_1"}, "data": data})
	}))
	defer cluster.Close()
	target := NewTarget([]*client.Client{client.New(client.Config{Node: cluster.URL, RootKey: "root_1", Timeout: time.Minute})}, "")

	var items []unkey.Item
	removes := func(want ...removal) {
		became, err := target.remove(t.Context(), items)
		require.NoError(t, err)
		require.Equal(t, want, became)
		items = nil
	}
	for _, id := range []records.ID{"key-that-no-cluster-has", "key_there", "key_unknown", "key_gone"} {
		items = append(items, unkey.Item{Record: records.Record{Key: &records.Key{ID: id}}})
	}
	removes(absent, removed, absent, absent)
	for _, id := range []records.ID{"id_there", "id_unknown"} {
		items = append(items, unkey.Item{Record: records.Record{Identity: &records.Identity{ID: id}}})
	}
	removes(removed, absent)
	for _, id := range []records.ID{"api_there", "api_unknown", "api_raced", "api_protected", "api_used"} {
		items = append(items, unkey.Item{Record: records.Record{API: &records.API{ID: id}}})
	}
	removes(removed, absent, absent, protected, inUse)
	for _, o := range []records.Override{{ID: "rlor_there", NamespaceID: "rlns_1", Identifier: "user_1"}, {ID: "rlor_old", NamespaceID: "rlns_1", Identifier: "user_2"}, {ID: "rlor_raced", NamespaceID: "rlns_1", Identifier: "user_3"}, {ID: "rlor_3", NamespaceID: "rlns_2"}} {
		items = append(items, unkey.Item{Record: records.Record{Override: &o}})
	}
	removes(removed, absent, absent, absent)
	followed = 0 // the migration has ended, and the source has neither keys nor identities that could tell
	items = append(items, unkey.Item{Record: records.Record{API: &records.API{ID: "api_there"}}})
	removes(unfollowed)
	items = append(items, unkey.Item{Record: records.Record{Override: &records.Override{ID: "rlor_there", NamespaceID: "rlns_1", Identifier: "user_1"}}})
	removes(unfollowed)
	followed, target.workspace = 1, "ws_other"
	for _, id := range []records.ID{"key_elsewhere", "key_unknown"} {
		items = append(items, unkey.Item{Record: records.Record{Key: &records.Key{ID: id}}})
	}
	removes(foreign, absent)
	items = append(items, unkey.Item{Record: records.Record{Identity: &records.Identity{ID: "id_there"}}}) // which may be an externalId of the operator's own
	removes(foreign)
	require.Equal(t, []string{
		"keys.deleteKey key_there", "identities.deleteIdentity id_there", "apis.deleteApi api_there", "ratelimit.deleteOverride rlns_1user_1",
	}, deleted)

	target.workspace = ""
	_, err := target.remove(t.Context(), []unkey.Item{{Record: records.Record{API: &records.API{ID: "api_hidden"}}}})
	require.ErrorContains(t, err, "the root key lacks api.*.read_key", "else such an API would stay, and nobody knew why")

	// What the cluster does not follow is not the source's: it was made here, or the migration has ended.
	deleted = nil
	for _, record := range []records.Record{{Key: &records.Key{ID: "key_untracked"}}, {Identity: &records.Identity{ID: "id_untracked"}}} {
		_, err := target.remove(t.Context(), []unkey.Item{{Record: record}})
		require.ErrorContains(t, err, "the cluster has "+record.ID()+" and no longer follows it")
	}
	require.Empty(t, deleted)
}
