package api_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

// TestAccessLog_NamesEachRequestAndNoKey: an operator sees who asked for what and how it ended, and nobody who reads the log learns a key.
func TestAccessLog_NamesEachRequestAndNoKey(t *testing.T) {
	var access, details bytes.Buffer
	s := newServer(t, func(c *api.Config) {
		c.AccessLog = &api.AccessLog{Logger: slog.New(slog.NewTextHandler(&access, nil)), Caller: func(actor fsm.Hash) (string, string) {
			if actor == mint.Hash(rootKey) {
				return "ws_1", "rk_1"
			}
			return "", ""
		}}
		c.Logger = slog.New(slog.NewTextHandler(&details, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	f := s.fixture()
	access.Reset()
	details.Reset()
	valid := s.post("keys.verifyKey", f.in(`{"key":"SECRET"}`))
	s.must("keys.verifyKey", f.in(`{"key":"SECRET","credits":{"cost":1000000}}`))
	s.post("keys.verifyKey", f.in(`{"key":"SECRET","credits":{"cost":-1}}`))
	s.as("root_nobody_knows_this").post("keys.verifyKey", f.in(`{"key":"SECRET"}`))
	s.post("apis.getApi", `{"apiId":"api_that_is_missing"}`)

	lines := strings.Split(strings.TrimSpace(access.String()), "\n")
	require.Len(t, lines, 5)
	require.Contains(t, lines[0], "requestId="+valid.Meta.RequestID+" endpoint=keys.verifyKey status=200 code=VALID duration=")
	for i, want := range []string{
		`code=VALID .*workspace=ws_1 rootKey=rk_1 from=\S+$`, "status=200 code=USAGE_EXCEEDED ", "status=400 code=unkey/application/invalid_input ",
		`status=401 code=unkey/authentication/key_not_found .*workspace="" rootKey="" from=\S+:\d+$`, "endpoint=apis.getApi status=404 code=unkey/data/api_not_found ",
	} {
		require.Regexp(t, want, lines[i])
	}
	require.Equal(t, 3, strings.Count(details.String(), `level=DEBUG msg="request refused"`), "a line for each refusal")
	require.Contains(t, details.String(), "endpoint=apis.getApi status=404 code=unkey/data/api_not_found from=")
	for _, log := range []string{access.String(), details.String()} {
		for _, secret := range []string{f.in("SECRET"), "root_nobody_knows_this", rootKey} {
			require.NotContains(t, log, secret)
		}
	}
}
