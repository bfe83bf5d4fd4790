package migrate

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// Identities that took each other's names, in whatever order they come, have them in the cluster after one pass.
func TestPass_NamesThatMoved(t *testing.T) {
	names := map[string]string{} // of the cluster, by id
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request records.ImportRequest
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		var answer records.ImportAnswer
		for i, record := range request.Records {
			outcome := records.Outcome{Index: int64(i), Outcome: records.Unchanged}
			if record.Identity != nil {
				outcome = take(names, int64(i), record.ID(), record.Identity.ExternalID)
			} else if _, there := names[record.ID()]; !there {
				outcome.Outcome, outcome.Reason = records.Conflict, records.ReferenceMissing
			}
			answer.Outcomes = append(answer.Outcomes, outcome)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"meta": map[string]any{"requestId": "req_1"}, "data": answer})
	}))
	defer cluster.Close()
	target := NewTarget([]*client.Client{client.New(client.Config{Node: cluster.URL, RootKey: "root_1", Timeout: time.Minute})}, "")
	for _, test := range []struct {
		have map[string]string
		want []string // id, name, …
		left int
	}{
		{map[string]string{"id_a": "1", "id_b": "2"}, []string{"id_a", "2", "id_b", "3"}, 0},
		{map[string]string{"id_a": "1", "id_b": "2", "id_c": "3"}, []string{"id_a", "2", "id_b", "3", "id_c", "4", "id_new", "1"}, 0},
		{map[string]string{"id_a": "1", "id_b": "2"}, []string{"id_a", "2", "id_b", "1"}, 0},
		{map[string]string{"id_a": "1", "id_b": "2", "id_c": "3", "id_d": "4", "id_e": "5"}, []string{"id_a", "2", "id_b", "1", "id_c", "4", "id_d", "5", "id_e", "3"}, 0},
		{map[string]string{"id_made_here": "1"}, []string{"id_new", "1"}, 1},
		{map[string]string{"id_a": "1", "id_made_here": "2"}, []string{"id_a", "2"}, 1},
	} {
		names = test.have
		page, items := &unkey.Page{ReadAt: time.UnixMilli(1)}, []unkey.Item{}
		for i := 0; i < len(test.want); i += 2 {
			items = append(items, unkey.Item{Record: records.Record{Identity: &records.Identity{ID: records.ID(test.want[i]), ExternalID: test.want[i+1]}}})
		}
		p := &Pass{Target: target, Rule: replaceRule}
		outcomes, err := p.write(t.Context(), step{table: "identities"}, page, items)
		require.NoError(t, err)
		left := 0
		for i, o := range outcomes {
			if o.Reason != "" {
				left++
				if name, there := names[test.want[2*i]]; there {
					require.Equal(t, "migrating:"+test.want[2*i], name)
					require.Contains(t, p.explain("identities", &o), "may be called migrating: and its id")
				}
				continue
			}
			require.Equal(t, test.want[2*i+1], names[test.want[2*i]])
		}
		require.Equal(t, test.left, left)
	}
}

func take(names map[string]string, index int64, id, name string) records.Outcome {
	for other, has := range names {
		if has == name && other != id {
			return records.Outcome{Index: index, Outcome: records.Conflict, Reason: records.NameTaken}
		}
	}
	names[id] = name
	return records.Outcome{Index: index, Outcome: records.Replaced}
}
