//go:build nextversion

package api_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// A client of a command that the ledger version does not allow yet is told which version it needs.
func TestAnnotateKey_NeedsTheLedgerVersion(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	f := s.fixture()
	k := s.newKey(f, ``)
	body := k.in(`{"keyId":"KEYID","text":"n"}`)
	re := s.post("keys.annotateKey", body).fails(412, "unkey/application/precondition_failed")
	require.Equal(t, fmt.Sprintf("The request needs ledger version %d, and the cluster has %d", fsm.NewestLedgerVersion, fsm.NewestLedgerVersion-1), re.Error.Detail)
	s.apply(t, "", &fsm.RaiseLedgerVersion{Version: fsm.NewestLedgerVersion, Build: "v1.3.0"})
	require.JSONEq(t, `{"notes":1}`, s.must("keys.annotateKey", body))
	require.JSONEq(t, `{"notes":2}`, s.must("keys.annotateKey", k.in(`{"keyId":"KEYID"}`)))
	s.post("keys.annotateKey", `{"keyId":"key_none","text":"n"}`).fails(404, keyNotFound)
	s.foreign().post("keys.annotateKey", body).fails(404, keyNotFound)
}
