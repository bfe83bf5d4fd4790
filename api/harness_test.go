package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

const (
	rootKey   = "root_test"
	workspace = "ws_test"
	startTime = 1_750_000_000_000 // 2025-06-15 15:06:40 UTC
	day       = 86_400_000
)

// ledger is a Node over the real rules: without replication, where every command is an entry of its own, or with it.
type ledger struct {
	mu     sync.Mutex
	state  *fsm.State
	nodes  *nodes // where the state is instead, if it is replicated
	now    int64
	index  uint64
	hook   func(ctx context.Context) error // runs before anything else, and may fail it
	result fsm.Result                      // answers instead of the state
	calls  []string                        // names of the methods used, in order
	status api.Status
	moved  []string // arguments of TransferLeadership

	gossipKeys []api.NodeGossipKeys  // what GossipKeys and ChangeGossipKeys return
	keyChanges []api.GossipKeyChange // arguments of ChangeGossipKeys
	ready      error
	minimum    uint64 // of the last AnswerStale
	maximum    uint64 // of outcomes; 0: none
	version    uint64 // of the ledger, as the node says; 0: the newest

	turns     int        // that are held
	turnsOf   []fsm.Hash // who has taken a turn
	turnFault error      // refuses turns
}

func (l *ledger) enter(ctx context.Context, method string) error {
	l.calls = append(l.calls, method)
	if l.hook != nil {
		return l.hook(ctx)
	}
	return nil
}

// decide says what the hook and the made up result have to say, and else what a state or a node answers.
func (l *ledger) decide(
	ctx context.Context, method string, here func() fsm.Result, there func(now int64) (fsm.Result, uint64, error),
) (fsm.Result, uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.enter(ctx, method); err != nil {
		return nil, 0, err
	}
	if l.result != nil {
		return l.result, l.index, nil
	}
	if l.nodes == nil {
		return here(), l.index, nil
	}
	r, index, err := l.unlocked(there)
	l.index = max(l.index, index)
	return r, index, err
}

// unlocked asks a node, which others may do at the same time.
func (l *ledger) unlocked(there func(now int64) (fsm.Result, uint64, error)) (fsm.Result, uint64, error) {
	now := l.now
	l.mu.Unlock()
	defer l.mu.Lock()
	return there(now)
}

func (l *ledger) execute(ctx context.Context, place int, call fsm.Call) (fsm.Result, uint64, error) {
	return l.decide(ctx, "Execute", func() fsm.Result {
		l.index++
		return l.state.Apply(fsm.Batch{Stamp: l.now, Index: l.index, IdempotencyMaxKeys: l.maximum, Calls: []fsm.Call{call}})[0]
	}, func(now int64) (fsm.Result, uint64, error) {
		return l.nodes.at(place, now).Execute(ctx, call)
	})
}

func (l *ledger) answer(
	ctx context.Context, method string, place int, actor fsm.Hash, q fsm.Query, minIndex *uint64,
) (fsm.Result, uint64, error) {
	if minIndex != nil {
		l.minimum = *minIndex
	}
	return l.decide(ctx, method, func() fsm.Result {
		l.state.Apply(fsm.Batch{Stamp: l.now})
		return l.state.Answer(actor, q)
	}, func(now int64) (fsm.Result, uint64, error) {
		if minIndex != nil {
			return l.nodes.at(place, now).AnswerStale(ctx, actor, q, *minIndex)
		}
		return l.nodes.at(place, now).Answer(ctx, actor, q)
	})
}

func (l *ledger) Execute(ctx context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	return l.execute(ctx, 0, call)
}

func (l *ledger) Answer(ctx context.Context, actor fsm.Hash, q fsm.Query) (fsm.Result, uint64, error) {
	return l.answer(ctx, "Answer", 0, actor, q, nil)
}

func (l *ledger) AnswerStale(ctx context.Context, actor fsm.Hash, q fsm.Query, minIndex uint64) (fsm.Result, uint64, error) {
	return l.answer(ctx, "AnswerStale", 0, actor, q, &minIndex)
}

func (l *ledger) Status(ctx context.Context) (api.Status, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status, l.enter(ctx, "Status")
}

func (l *ledger) TransferLeadership(ctx context.Context, nodeID string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved = append(l.moved, nodeID)
	return l.enter(ctx, "TransferLeadership")
}

func (l *ledger) RemoveServer(ctx context.Context, nodeID, by string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved = append(l.moved, nodeID, by)
	return l.enter(ctx, "RemoveServer")
}

func (l *ledger) GossipKeys(ctx context.Context) ([]api.NodeGossipKeys, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gossipKeys, l.enter(ctx, "GossipKeys")
}

func (l *ledger) ChangeGossipKeys(ctx context.Context, change api.GossipKeyChange) (string, []api.NodeGossipKeys, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keyChanges = append(l.keyChanges, change)
	return "0a1b2c3d", l.gossipKeys, l.enter(ctx, "ChangeGossipKeys")
}

// Records is what an export reads: a copy of the ledger.
func (l *ledger) Records(ctx context.Context, minIndex uint64) (api.Records, error) {
	return place{l, 0}.Records(ctx, minIndex)
}

// Snapshot is the whole ledger, as a file.
func (l *ledger) Snapshot(ctx context.Context, actor fsm.Hash, minIndex uint64) (api.Snapshot, error) {
	return place{l, 0}.Snapshot(ctx, actor, minIndex)
}

func (l *ledger) Ready() error { return l.ready }

func (l *ledger) RequestQuota(actor fsm.Hash) (string, int64) {
	if l.nodes != nil {
		return "", 0 // each node counts for itself
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.RequestQuota(actor)
}

func (l *ledger) VerdictBytes(keys []fsm.Hash) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes != nil {
		return l.nodes.at(0, l.now).VerdictBytes(keys)
	}
	return l.state.VerdictBytes(keys)
}

// TakeTurn counts the turns, and those that end.
func (l *ledger) TakeTurn(ctx context.Context, actor fsm.Hash) (func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turnFault != nil {
		return nil, l.turnFault
	}
	l.turns++
	l.turnsOf = append(l.turnsOf, actor)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.turns--
	}, nil
}

// LedgerVersion is that of every node: see newServer and awaitNewestVersion. A test may say another one.
func (l *ledger) LedgerVersion() uint64 {
	if l.version != 0 {
		return l.version
	}
	return fsm.NewestLedgerVersion
}

// apply carries out a command of the cluster itself, or of the caller with the given root key.
func (l *ledger) apply(t testing.TB, token string, command fsm.Command) {
	t.Helper()
	var result fsm.Result
	call := fsm.Call{Actor: mint.Hash(token), Command: command}
	if l.nodes == nil {
		l.index++
		result = l.state.Apply(fsm.Batch{Stamp: l.now, Index: l.index, Calls: []fsm.Call{call}})[0]
	} else {
		var err error
		result, l.index, err = l.nodes.at(0, l.now).Execute(context.Background(), call)
		require.NoError(t, err)
	}
	if refusal, ok := result.(*fsm.Refusal); ok {
		require.Fail(t, "refused", "%+v", refusal)
	}
}

// founding is the ledger that every test begins with.
var founding = fsm.Bootstrap{
	ClusterID: "cluster_test", WorkspaceID: workspace, WorkspaceName: "test", RootKeyID: "key_root", RootKeyHash: mint.Hash(rootKey),
}

// server is an API over a ledger that has been bootstrapped.
type server struct {
	*ledger
	t          testing.TB
	handler    http.Handler
	each       []*gin.Engine // by node
	registries []*prometheus.Registry
	log        *bytes.Buffer
	token      string
	workspace  string // whose root keys grant makes; empty: the first one's
}

func newServer(t testing.TB, adjust ...func(*api.Config)) *server {
	t.Helper()
	s := &server{ledger: &ledger{now: startTime}, t: t, log: new(bytes.Buffer), token: rootKey}
	size := 1
	if replicated {
		beside(t)
		size, s.nodes = 3, &nodes{t: t}
	} else {
		s.state = fsm.New()
		s.apply(t, "", &fsm.RaiseLedgerVersion{Version: 5, Build: "v0.0.0-test"})
		s.apply(t, "", &founding)
	}
	logger := slog.New(slog.NewJSONHandler(s.log, nil))
	turns := &rotation{}
	for i := range size {
		config := api.Config{Node: place{s.ledger, i}, Logger: logger, Registry: prometheus.NewRegistry(), Version: "v0.0.0-test"}
		for _, f := range adjust {
			f(&config)
		}
		a, err := api.New(config)
		require.NoError(t, err)
		s.each, s.registries = append(s.each, a.Handler().(*gin.Engine)), append(s.registries, config.Registry)
		turns.nodes = append(turns.nodes, a.Handler())
	}
	s.handler = turns
	return s
}

// on returns the server in a part of the test that it belongs to.
func (s *server) on(t testing.TB) *server {
	other := *s
	other.t = t
	return &other
}

// as returns the server as another root key sees it.
func (s *server) as(token string) *server {
	other := *s
	other.token = token
	return &other
}

// grant makes a root key with these permissions in the server's workspace and returns the server as it sees it.
func (s *server) grant(permissions ...string) *server {
	s.t.Helper()
	return s.as(s.grantIn(s.workspace, permissions...))
}

// grantIn makes a root key of another workspace.
func (s *server) grantIn(workspaceID string, permissions ...string) (token string) {
	s.t.Helper()
	token = mint.RootKey()
	s.apply(s.t, rootKey, &fsm.CreateRootKey{
		ID: mint.ID(mint.Key), Hash: mint.Hash(token), Name: "test", WorkspaceID: workspaceID, Permissions: permissions, Expires: fsm.Never,
	})
	return token
}

// foreign returns the server as somebody with every permission in another workspace sees it.
func (s *server) foreign() *server {
	s.t.Helper()
	id := mint.ID(mint.Workspace)
	s.apply(s.t, rootKey, &fsm.CreateWorkspace{ID: id, Name: "foreign"})
	return s.inside(id)
}

// inside returns the server as somebody with every permission in a workspace sees it.
func (s *server) inside(workspaceID string) *server {
	s.t.Helper()
	other := s.as(s.grantIn(workspaceID, fsm.AllPermissions()...))
	other.workspace = workspaceID
	return other
}

// reply is an answer, read in the terms of docs/contract.md 1.4 and 1.5.
type reply struct {
	*httptest.ResponseRecorder
	t    testing.TB
	text string
	Meta struct {
		RequestID string `json:"requestId"`
	} `json:"meta"`
	Data       json.RawMessage `json:"data"`
	Pagination *struct {
		HasMore bool    `json:"hasMore"`
		Cursor  *string `json:"cursor"`
	} `json:"pagination"`
	Error *struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Status int    `json:"status"`
		Type   string `json:"type"`
		Errors *[]struct {
			Location string `json:"location"`
			Message  string `json:"message"`
			Fix      string `json:"fix"`
		} `json:"errors"`
	} `json:"error"`
}

// do sends a request as it is and reads the answer, whose envelope is checked.
func (s *server) do(r *http.Request) *reply {
	s.t.Helper()
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, r)
	re := &reply{ResponseRecorder: rec, t: s.t, text: rec.Body.String()}
	if media := rec.Header().Get("Content-Type"); rec.Code == http.StatusOK && (media == "application/x-ndjson" || media == "application/octet-stream") {
		re.record(r.URL.Path, s.hook == nil && s.result == nil)
		re.Data = json.RawMessage(`{}`) // the answer has no envelope
		return re
	}
	decoder := json.NewDecoder(strings.NewReader(re.text))
	decoder.DisallowUnknownFields()
	require.NoError(s.t, decoder.Decode(re), re.text)
	require.Regexp(s.t, `^req_[a-zA-Z0-9]{16}$`, re.Meta.RequestID)
	real := s.hook == nil && s.result == nil // otherwise the test makes up what the ledger never says
	if real {
		checkDocumented(s.t, r.URL.Path, rec)
	}
	re.record(r.URL.Path, real)
	if rec.Code == http.StatusOK {
		require.Nil(s.t, re.Error)
		require.Equal(s.t, "application/json", rec.Header().Get("Content-Type"))
		return re
	}
	require.Nil(s.t, re.Data)
	require.NotNil(s.t, re.Error, re.text)
	require.Equal(s.t, rec.Code, re.Error.Status)
	require.NotEmpty(s.t, re.Error.Title)
	require.NotEmpty(s.t, re.Error.Detail)
	switch rec.Code {
	case 400, 408, 413, 499:
		require.NotNil(s.t, re.Error.Errors, "errors must be there for %d", rec.Code)
	default:
		require.Nil(s.t, re.Error.Errors, "errors must be absent for %d", rec.Code)
	}
	return re
}

// request makes a request as the SDKs do.
func (s *server) request(endpoint, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/v2/"+endpoint, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.token)
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return r
}

// post sends a body; headers are name, value, …, and an empty value leaves the header out.
func (s *server) post(endpoint, body string, headers ...string) *reply {
	s.t.Helper()
	return s.do(s.request(endpoint, body, headers...))
}

// must sends a body that has to be accepted, and returns data.
func (s *server) must(endpoint, body string) string {
	s.t.Helper()
	return s.post(endpoint, body).ok()
}

// get sends a body that has to be accepted, and returns one string of data.
func (s *server) get(field, endpoint, body string) string {
	s.t.Helper()
	return s.post(endpoint, body).field(field)
}

// ok requires success and returns data.
func (re *reply) ok() string {
	re.t.Helper()
	require.Equal(re.t, http.StatusOK, re.Code, re.text)
	return string(re.Data)
}

// fails requires a status and an error type, given by its path.
func (re *reply) fails(status int, path string) *reply {
	re.t.Helper()
	require.Equal(re.t, status, re.Code, re.text)
	require.Equal(re.t, errorBase+path, re.Error.Type)
	return re
}

// anonymous is the answer without what differs from request to request.
func (re *reply) anonymous() string { return strings.ReplaceAll(re.text, re.Meta.RequestID, "req") }

// errorBase precedes the path of every error type.
const errorBase = "https://unkey.com/docs/errors/"

// The error types of docs/contract.md 1.6 that tests name often.
const (
	invalidInput    = "unkey/application/invalid_input"
	forbidden       = "unkey/authorization/insufficient_permissions"
	keyNotFound     = "unkey/data/key_not_found"
	apiNotFound     = "unkey/data/api_not_found"
	identityMissing = "unkey/data/identity_not_found"

	permissionMissing = "unkey/data/permission_not_found"
	roleMissing       = "unkey/data/role_not_found"
	querySyntax       = "user/bad_request/permissions_query_syntax_error"

	namespaceMissing = "unkey/data/ratelimit_namespace_not_found"
	overrideMissing  = "unkey/data/ratelimit_override_not_found"
)

// field returns one string of data.
func (re *reply) field(name string) string {
	re.t.Helper()
	var data map[string]any
	require.NoError(re.t, json.Unmarshal([]byte(re.ok()), &data))
	require.IsType(re.t, "", data[name], "no %s in %s", name, re.text)
	return data[name].(string)
}
