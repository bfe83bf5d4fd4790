package migrate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
	"github.com/creditd/creditd/scripts/unkeydb"
)

// following is a cluster that says what it follows, and takes everything.
type following struct {
	t *testing.T

	mu       sync.Mutex
	followed int             // guarded by mu
	ended    map[string]bool // guarded by mu: owners that are there, and not followed
	apis     map[string]bool // guarded by mu: those that are there
	hidden   bool            // guarded by mu: the root key may not read APIs
	written  map[string]bool // guarded by mu: ids of records that are no balances
	rules    map[string]bool // guarded by mu: onConflict of these records
	deleted  []string        // guarded by mu
}

// sentRecord is what matters of a record.
type sentRecord struct {
	Key, Identity, API, Role *struct{ ID string }
	Balance                  *records.Balance
}

func (r *sentRecord) id() string {
	for _, named := range []*struct{ ID string }{r.Key, r.Identity, r.API, r.Role} {
		if named != nil {
			return named.ID
		}
	}
	if r.Balance != nil {
		return string(r.Balance.KeyID + r.Balance.IdentityID)
	}
	return "something else"
}

func (f *following) begin(followed int, ended, apis []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.followed, f.ended, f.apis = followed, map[string]bool{}, map[string]bool{}
	f.written, f.rules, f.deleted, f.hidden = map[string]bool{}, map[string]bool{}, nil, false
	for _, id := range ended {
		f.ended[id] = true
	}
	for _, id := range apis {
		f.apis[id] = true
	}
}

func (f *following) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		OnConflict, APIID string
		Records           []sentRecord
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		f.t.Error(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var data any = []any{}
	w.Header().Set("Content-Type", "application/json")
	switch endpoint := strings.TrimPrefix(r.URL.Path, "/v2/"); {
	case endpoint == "records.getImport":
		data = records.ImportState{ClusterID: "cluster_1", WorkspaceID: "ws_1", Followed: int64(f.followed)}
	case endpoint == "records.importRecords":
		data = f.take(request.OnConflict, request.Records)
	case endpoint == "apis.getApi" && f.apis[request.APIID], strings.HasPrefix(endpoint, "apis.list"):
	case endpoint == "apis.getApi" && f.hidden:
		refuse(w, http.StatusForbidden)
		return
	case strings.Contains(endpoint, ".get"), strings.Contains(endpoint, ".list"):
		refuse(w, http.StatusNotFound)
		return
	default:
		f.deleted = append(f.deleted, endpoint)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"meta": map[string]any{"requestId": "req_1"}, "data": data})
}

func refuse(w http.ResponseWriter, status int) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"meta":{"requestId":"req_1"},"error":{"title":"T","detail":"d","status":%d,"type":"t"}}`, status)
}

func (f *following) take(rule string, list []sentRecord) (answer records.ImportAnswer) {
	for i := range list {
		outcome := records.Outcome{Index: int64(i), Outcome: records.Created}
		switch balance := list[i].Balance; {
		case balance == nil:
			f.written[list[i].id()], f.rules[rule] = true, true
		case f.ended[list[i].id()]:
			outcome.Outcome, outcome.Reason = records.Skipped, records.NotTracked
		case f.followed == 0:
			outcome.Outcome, outcome.Reason = records.Conflict, records.ReferenceMissing
		default:
			outcome.Outcome = records.Unchanged
		}
		answer.Outcomes = append(answer.Outcomes, outcome)
	}
	return answer
}

// A pass after the end writes and deletes nothing: also if the end was interrupted, if the pass goes on in the middle, or if nothing of the source
// has a balance. A first pass replaces nothing, and a later one nothing that the cluster does not follow.
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
	change := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			_, err := set.DB.Exec(statement)
			require.NoError(t, err)
		}
	}
	first := ""
	require.NoError(t, set.DB.QueryRow("SELECT MIN(id) FROM `keys` WHERE id LIKE 'key\\_%' AND workspace_id = ? AND deleted_at_m IS NULL AND for_workspace_id IS NULL",
		unkeydb.Workspace).Scan(&first))
	change("UPDATE `keys` SET remaining_requests = NULL, refill_amount = NULL", "DELETE FROM credits")

	f := &following{t: t}
	cluster := httptest.NewServer(f)
	defer cluster.Close()
	conf, err := unkey.ParseDSN(server.DSN(unkeydb.Reader, unkeydb.ReaderPassword, set.Name))
	require.NoError(t, err)
	pass := func(rule string, change func(*Pass)) error {
		t.Helper()
		source, err := unkey.Open(t.Context(), conf, unkeydb.Workspace, "")
		require.NoError(t, err)
		target := NewTarget([]*client.Client{client.New(client.Config{Node: cluster.URL, RootKey: "root_1", Timeout: time.Minute})}, "")
		p := &Pass{Source: source, Target: target, Rule: rule, Flight: 2}
		change(p)
		_, err = p.Run(t.Context())
		return errors.Join(err, source.Close())
	}
	as := func(*Pass) {}
	inTheMiddle := func(p *Pass) { p.State = &State{Step: 7, Cursor: unkey.Cursor{"2000"}} }
	later := func(p *Pass) { p.Since = time.Now().Add(-time.Hour) }
	for _, begin := range []struct {
		rule string
		with func(*Pass)
	}{{"replace", as}, {"replace", inTheMiddle}, {"skip", as}, {"fail", as}, {"replace", later}} {
		f.begin(7, []string{first}, nil) // the cluster has forgotten one owner so far
		require.ErrorContains(t, pass(begin.rule, begin.with), "the cluster has "+first+" and no longer follows it")
		require.Empty(t, f.written)
		require.Empty(t, f.deleted)
	}

	f.begin(0, nil, nil)
	require.NoError(t, pass("replace", as), "the first pass")
	require.Equal(t, map[string]bool{"skip": true}, f.rules)
	require.Empty(t, f.deleted)
	last := slices.MaxFunc(slices.Collect(maps.Keys(f.written)), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(a, "key_"), strings.Count(b, "key_")), cmp.Compare(a, b))
	})
	require.Contains(t, last, "key_")
	f.begin(7, []string{last}, nil)
	require.ErrorContains(t, pass("replace", as), "the cluster has "+last+" and no longer follows it")
	require.NotContains(t, f.written, last)
	f.begin(0, nil, nil)
	require.ErrorContains(t, pass("replace", later), "--since is for a later pass")
	require.Empty(t, f.written)

	anew := func(p *Pass) { p.Anew = true }
	f.begin(7, nil, nil)
	require.ErrorContains(t, pass("replace", anew), "the cluster still follows a migration")
	require.Empty(t, f.written)
	change("UPDATE `keys` SET deleted_at_m = 1 WHERE id = '" + first + "'")
	f.begin(0, []string{first, last}, nil)
	require.NoError(t, pass("replace", anew), "after going back the source is right")
	require.Contains(t, f.written, last)
	require.Equal(t, map[string]bool{"replace": true}, f.rules)
	require.Equal(t, []string{"keys.deleteKey"}, f.deleted)

	var api string
	require.NoError(t, set.DB.QueryRow("SELECT MIN(id) FROM apis WHERE workspace_id = ? AND deleted_at_m IS NULL", unkeydb.Workspace).Scan(&api))
	change("DELETE FROM `keys`", "DELETE FROM identities")
	for _, rule := range []string{"replace", "skip", "fail"} {
		f.begin(0, nil, []string{api})
		require.ErrorContains(t, pass(rule, as), "the cluster has the API "+api+" and no longer follows it")
		require.Empty(t, f.written)
		require.Empty(t, f.deleted)
	}

	f.begin(0, nil, nil)
	f.hidden = true
	require.ErrorContains(t, pass("replace", as), "403", "whether it is there decides")
	require.NoError(t, pass("replace", func(p *Pass) { p.Target.workspace = "ws_other" }), "nobody may ask for an API of another workspace")
}
