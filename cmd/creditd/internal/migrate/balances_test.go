package migrate

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// The old system may know a newer balance than its database. Only keys with a balance are asked for. A key that it does not know keeps none.
func TestBalances_ComeFromTheOldSystem(t *testing.T) {
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			KeyID string `json:"keyId"`
		}
		require.NoError(t, json.NewDecoder(r.Body).Decode(&request))
		require.Equal(t, "/v2/keys.getKey", r.URL.Path)
		require.Equal(t, "Bearer old_root_key", r.Header.Get("Authorization"))
		switch request.KeyID {
		case "key_1":
			_, _ = w.Write([]byte(`{"meta":{"requestId":"req_1"},"data":{"keyId":"key_1","credits":{"remaining":7,"refill":{"interval":"daily","amount":9}}}}`))
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"meta":{"requestId":"req_1"},"error":{"title":"Not Found","detail":"no","status":404,"type":"x/key_not_found"}}`))
		}
	}))
	defer old.Close()
	item := func(id records.ID, credits *records.Credits) unkey.Item {
		return unkey.Item{Table: "keys", ID: string(id), Record: records.Record{Key: &records.Key{ID: id, Credits: credits}}}
	}
	page := &unkey.Page{Items: []unkey.Item{
		item("key_1", &records.Credits{Remaining: 10}), item("key_2", nil), item("key_3", &records.Credits{Remaining: 5}),
		{Table: "keys", ID: "key_1", Record: records.Record{Balance: &records.Balance{KeyID: "key_1", Credits: &records.Credits{Remaining: 10}}}},
	}}
	require.NoError(t, NewBalances(client.New(client.Config{Node: old.URL, RootKey: "old_root_key"})).ask(t.Context(), page))
	require.Len(t, page.Items, 3)
	require.EqualValues(t, 7, page.Items[0].Record.Key.Credits.Remaining)
	require.Equal(t, "key_2", page.Items[1].ID)
	require.EqualValues(t, 7, page.Items[2].Record.Balance.Credits.Remaining)
	require.Len(t, page.Problems, 1)
	require.Equal(t, "key_3", page.Problems[0].ID)
}
