package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/fault"
)

// What costs much takes a turn of the CPU, what is cheap takes none, and no turn outlives its request.
func TestTurns_OfCostlyRequests(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	f := s.fixture()
	k := s.newKey(f, "")
	large := strings.Repeat("x", 20<<10)
	key := `{"hash":"` + strings.Repeat("x", 1000) + `"}` // 300 of them are decoded and then checked, in three steps each
	tests := []struct {
		name, endpoint, body string
		turns, status        int
	}{
		{"a verification", "keys.verifyKey", k.in(`{"key":"SECRET"}`), 0, 200},
		{"a large body", "identities.createIdentity", `{"externalId":"u","meta":{"a":"` + large + `"}}`, 1, 200},
		{"a large body that is no JSON", "identities.createIdentity", `{"externalId":"u","meta":{"a":"` + large, 1, 400},
		{"a large body that breaks a rule after authentication", "apis.createApi", `{"name":"` + large + `"}`, 1, 400},
		{"a page", "apis.listKeys", f.in(`{"apiId":"API"}`), 1, 200},
		{"a page of what does not exist", "apis.listKeys", `{"apiId":"api_unknown"}`, 1, 404},
		{"a body of many items", "keys.migrateKeys", `{"migrationId":"mig_unknown","apiId":"api_unknown","keys":[` + strings.Repeat(key+",", 300) + key + `]}`, 5, 404},
		{"a large answer that nobody expected", "identities.getIdentity", `{"identity":"u"}`, 0, 200},
		{"a large answer", "identities.getIdentity", `{"identity":"u"}`, 1, 200},
	}
	for _, test := range tests {
		s.turnsOf = nil
		require.Equal(t, test.status, s.post(test.endpoint, test.body).Code, test.name)
		require.Len(t, s.turnsOf, test.turns, test.name)
		require.Zero(t, s.turns, "%s: its turn goes on", test.name)
	}
}

// Without a turn the answer is 429, and nothing was executed. What was executed is answered.
func TestTurns_RefuseBeforeAnythingIsExecuted(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	f := s.fixture()
	large := strings.Repeat("x", 20<<10)
	s.must("identities.createIdentity", `{"externalId":"u","meta":{"a":"`+large+`"}}`)
	s.must("identities.getIdentity", `{"identity":"u"}`) // its next answer is expected to be large
	s.turnFault = fault.New(fault.Overloaded, "The node is busy with costly requests")

	s.calls = nil
	s.post("identities.createIdentity", `{"externalId":"v","meta":{"a":"`+large+`"}}`).fails(429, overloaded)
	require.Empty(t, s.calls)
	refused := s.post("apis.listKeys", f.in(`{"apiId":"API"}`))
	refused.fails(429, overloaded)
	require.Equal(t, "1", refused.Header().Get("Retry-After"))
	s.post("identities.getIdentity", `{"identity":"u"}`).ok()
}
