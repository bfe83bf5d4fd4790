package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/fsm"
)

// full is a workspace with everything that a record can say.
const full = `{"records":[
	{"api":{"id":"api_x","name":"n","createdAt":3,"deleteProtection":true}},
	{"migration":{"id":"mig/x","algorithm":"sha256","createdAt":4}},
	{"permission":{"id":"perm_x","name":"r","slug":"docs.read","description":"d","createdAt":5}},
	{"role":{"id":"role_x","name":"Editor","permissions":["perm_x"],"createdAt":6}},
	{"identity":{"id":"id_x","externalId":"user <é>","meta":{"a":1.50},"creditPolicy":"both","createdAt":7,
		"ratelimits":[{"id":"rl_x","name":"a","limit":1,"duration":1000,"autoApply":true}],
		"credits":{"remaining":70,"refill":{"interval":"monthly","amount":100,"refillDay":31},"refilledAt":1700000000000}}},
	{"key":{"id":"key_x","apiId":"api_x","hash":"HASH1","formerHash":"HASH2","start":"sk_1","identityId":"id_x","name":"n","meta":{"b":{}},"enabled":true,
		"expires":4000000000000,"permissions":["perm_x"],"roles":["role_x"],"createdAt":8,"updatedAt":9,"lastUsedAt":10,"credits":{"remaining":5}}},
	{"key":{"id":"key_y","apiId":"api_x","hash":"HASH3","enabled":false,"createdAt":8}},
	{"namespace":{"id":"rlns_x","name":"email","createdAt":11}},
	{"override":{"id":"rlor_x","namespaceId":"rlns_x","identifier":"*@a","limit":0,"duration":1000,"createdAt":12}}]}`

func fullRequest() string {
	return strings.NewReplacer("HASH1", base64Of("one"), "HASH2", base64Of("two"), "HASH3", base64Of("three"), "\n", "", "\t", "").Replace(full)
}

// imports sends an import, and returns the outcomes as words.
func (s *server) imports(body string) (list []string) {
	s.t.Helper()
	var answer records.ImportAnswer
	require.NoError(s.t, json.Unmarshal([]byte(s.must("records.importRecords", body)), &answer))
	for i, o := range answer.Outcomes {
		require.EqualValues(s.t, i, o.Index)
		list = append(list, strings.TrimSpace(o.Outcome+" "+o.Reason))
	}
	return list
}

// exports returns a file as it was sent, after checking it.
func (s *server) exports(body string) string {
	s.t.Helper()
	re := s.post("records.exportRecords", body)
	require.Equal(s.t, 200, re.Code, re.text)
	require.Equal(s.t, "application/x-ndjson", re.Header().Get("Content-Type"))
	require.NotEmpty(s.t, re.Header().Get("Creditd-Index"))
	require.NotEmpty(s.t, re.Header().Get("Creditd-Log-Time"))
	text := re.Body.String()
	r, err := records.NewReader(strings.NewReader(text))
	require.NoError(s.t, err)
	for err == nil {
		var record *records.Record
		if record, err = r.Next(); err == nil {
			require.NoError(s.t, record.Validate())
		}
	}
	require.EqualError(s.t, err, "EOF")
	return text
}

func repeated(word string, n int) []string {
	return strings.Split(strings.Repeat(word+",", n-1)+word, ",")
}

// What is exported, imported elsewhere and exported again is equal, byte for byte: docs/contract.md 7.5.
func TestRecords_RoundTrip(t *testing.T) {
	s, other := newServer(t), newServer(t)
	s, other = s.grant(fsm.AllPermissions()...), other.grant(fsm.AllPermissions()...)
	require.Equal(t, repeated("created", 9), s.imports(fullRequest()))
	require.Equal(t, repeated("unchanged", 9), s.imports(fullRequest()))
	s.must("keys.createKey", `{"apiId":"api_x","externalId":"late","credits":{"remaining":3,"refill":{"interval":"daily","amount":9}},"permissions":["docs.write"]}`)
	s.must("keys.createKey", `{"apiId":"api_x","externalId":"gone"}`)
	s.must("identities.updateCredits", `{"identity":"gone","operation":"set","value":5}`)
	s.must("identities.deleteIdentity", `{"identity":"gone"}`)
	s.must("keys.deleteKey", `{"keyId":"key_y"}`)
	text := s.exports(`{}`)
	require.NotContains(t, text, `"id":"key_y"`, "new ids are random, and longer")
	require.Contains(t, text, `"credits":{"remaining":0}`, "the key of the deleted identity has nothing to spend")
	require.Equal(t, text, s.exports(`{"workspaceId":"ws_test"}`))

	var list []json.RawMessage
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, `{"header"`) && !strings.HasPrefix(line, `{"end"`) {
			list = append(list, json.RawMessage(line))
		}
	}
	request, err := json.Marshal(map[string]any{"records": list})
	require.NoError(t, err)
	require.Equal(t, repeated("created", len(list)), other.imports(string(request)))
	require.Equal(t, text, other.exports(`{}`))
	require.Equal(t, repeated("unchanged", len(list)), other.imports(string(request)))
}

// What the file of the cluster has, and who gets it.
func TestRecords_ExportOfTheCluster(t *testing.T) {
	s := newServer(t)
	s = s.grant(fsm.AllPermissions()...)
	tenant := s.foreign()
	tenant.must("apis.createApi", `{"name":"theirs"}`)
	all := s.exports(`{"all":true}`)
	require.True(t, strings.HasPrefix(all, `{"header":{"format":"creditd-records","version":1}}`))
	require.Contains(t, all, `{"workspaceId":"`+tenant.workspace+`","api":{`)
	require.Contains(t, all, `"rootKey":{`)
	require.NotContains(t, s.exports(`{}`), "theirs")
	require.Contains(t, s.exports(`{"workspaceId":"`+tenant.workspace+`"}`), "theirs")
	reader := s.as(s.grantIn(tenant.workspace, "export.*.read"))
	require.Contains(t, reader.exports(`{}`), "theirs")
	reader.post("records.exportRecords", `{"workspaceId":"ws_test"}`).fails(403, forbidden)
	reader.post("records.exportRecords", `{"all":true}`).fails(403, forbidden)
	s.post("records.exportRecords", `{"workspaceId":"ws_none"}`).fails(404, "unkey/data/workspace_not_found")
	s.post("records.exportRecords", `{"workspaceId":"ws_test","all":true}`).fails(400, invalidInput)
}

// A record that no ledger can take is refused with its place, before anything is written.
func TestRecords_RefusesBadRecords(t *testing.T) {
	s := newServer(t)
	s = s.grant(fsm.AllPermissions()...)
	for _, record := range []string{
		`{}`, `{"api":{"id":"api_x","name":"n","createdAt":1},"migration":{"id":"mig","algorithm":"sha256","createdAt":1}}`, `{"balance":{}}`,
		`{"key":{"id":"key_x","apiId":"api_x","hash":"` + strings.Repeat("z", 64) + `","enabled":true,"createdAt":1}}`,
	} {
		re := s.post("records.importRecords", `{"records":[{"api":{"id":"api_exported","name":"n","createdAt":1}},`+record+`]}`)
		re.fails(400, invalidInput)
		require.Contains(t, re.text, "records[1]: ")
	}
	tenant := s.foreign()
	api := tenant.get("apiId", "apis.createApi", `{"name":"theirs"}`)
	require.Equal(t, []string{"conflict id_taken"}, s.imports(`{"onConflict":"replace","records":[{"api":{"id":"`+api+`","name":"mine","createdAt":1}}]}`))
	s.grant("x").post("records.importRecords", `{"records":[{}]}`).fails(400, invalidInput)
	s.as("root_unknown").post("records.importRecords", `{"records":[{}]}`).fails(401, "unkey/authentication/key_not_found")
	s.post("apis.getApi", `{"apiId":"api_exported"}`).fails(404, apiNotFound)
}

// A ledger of an older version has no imports, and says so: docs/contract.md 7.5.
func TestRecords_ImportsNeedTheLedgerVersion(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	s.state = fsm.New()
	s.apply(t, "", &founding)
	s.apply(t, "", &fsm.RaiseLedgerVersion{Version: 3, Build: "v0.0.0-old"})
	s = s.grant(string(fsm.ImportPermission))
	for endpoint, body := range map[string]string{
		"records.importRecords": `{"records":[{"api":{"id":"api_imported","name":"n","createdAt":1}}]}`,
		"records.finishImport":  `{}`,
	} {
		s.post(endpoint, body).fails(412, "unkey/application/precondition_failed")
	}
}

// The second pass of a migration counts by differences, once; and the end of it.
func TestRecords_BalanceByDifference(t *testing.T) {
	s := newServer(t)
	s = s.grant(fsm.AllPermissions()...)
	track := strings.Replace(fullRequest(), `{"records"`, `{"trackBalances":true,"readAt":1000,"records"`, 1)
	require.Equal(t, repeated("created", 9), s.imports(track))
	s.must("keys.updateCredits", `{"keyId":"key_x","operation":"decrement","value":2}`)
	pass := func(body string) []string { return s.imports(`{` + body + `]}`) }
	now := `"readAt":2000,"records":[{"balance":{"keyId":"key_x","credits":{"remaining":4}}}`
	require.Equal(t, []string{"replaced"}, pass(now))
	require.Equal(t, []string{"unchanged"}, pass(now))
	require.Equal(t, []string{"unchanged"}, pass(`"readAt":1000,"records":[{"balance":{"keyId":"key_x","credits":{"remaining":5}}}`))
	require.Contains(t, s.must("keys.getKey", `{"keyId":"key_x"}`), `"lastUsedAt":10,"expires":4000000000000,"credits":{"remaining":2}`)
	short := `"records":[{"balance":{"keyId":"key_x","credits":{"remaining":1}}}`
	require.Equal(t, []string{"conflict below_zero"}, pass(short))
	require.JSONEq(t, `{"outcomes":[{"index":0,"outcome":"replaced","shortfall":1}]}`, s.must("records.importRecords", `{"onConflict":"replace",`+short+`]}`))
	require.Contains(t, s.must("keys.getKey", `{"keyId":"key_x"}`), `"lastUsedAt":10,"expires":4000000000000,"credits":{"remaining":0}`)
	require.Equal(t, []string{"conflict changed_there"}, pass(`"records":[{"balance":{"keyId":"key_x"}}`))
	require.Equal(t, []string{"skipped changed_there"}, pass(`"onConflict":"skip","records":[{"balance":{"keyId":"key_x"}}`))
	require.Contains(t, s.must("records.getImport", `{}`), `"workspaceId":"ws_test","followed":4}`)
	require.Regexp(t, `^{"clusterId":"[^"]+",`, s.must("records.getImport", `{"workspaceId":"ws_test"}`))
	s.post("records.getImport", `{"workspaceId":"ws_none"}`).fails(404, "unkey/data/workspace_not_found")
	require.JSONEq(t, `{"ended":4,"more":false}`, s.must("records.finishImport", `{}`))
	require.Contains(t, s.must("records.getImport", `{}`), `"followed":0}`)
	require.Contains(t, s.must("audit.listEntries", `{"event":"records.finishImport","resourceId":"ws_test"}`), `"resources":[{"type":"workspace","id":"ws_test"}]`)
	require.Equal(t, []string{"conflict not_tracked"}, pass(`"records":[{"balance":{"keyId":"key_x","credits":{"remaining":1}}}`))
}

// After the end an import begins anew, for each owner by itself: docs/records.md. Only replace sets a balance.
func TestRecords_ImportAfterTheEnd(t *testing.T) {
	s := newServer(t)
	s = s.grant(fsm.AllPermissions()...)
	credits := func(want int) {
		t.Helper()
		require.Contains(t, s.must("keys.getKey", `{"keyId":"key_x"}`), fmt.Sprintf(`"credits":{"remaining":%d}`, want))
	}
	with := func(options string) []string {
		return s.imports(strings.Replace(fullRequest(), `{"records"`, `{`+options+`,"records"`, 1))
	}
	balance := func(now int) []string {
		return s.imports(fmt.Sprintf(`{"records":[{"balance":{"keyId":"key_x","credits":{"remaining":%d}}}]}`, now))
	}
	require.Equal(t, repeated("created", 9), with(`"trackBalances":true`))
	s.must("keys.updateCredits", `{"keyId":"key_x","operation":"decrement","value":2}`)
	s.must("records.finishImport", `{}`)
	credits(3)
	for rule, became := range map[string]string{"skip": "skipped different", "fail": "conflict different"} {
		for _, track := range []string{"false", "true"} {
			require.Equal(t, 1, count(with(`"trackBalances":`+track+`,"onConflict":"`+rule+`"`), became), rule)
			credits(3)
			require.Equal(t, []string{"conflict not_tracked"}, balance(4), "what differs is left alone")
		}
	}
	require.Contains(t, s.must("records.getImport", `{}`), `"followed":3}`, "what is the same is followed again")
	require.Equal(t, 1, count(with(`"trackBalances":true,"onConflict":"replace"`), "replaced"))
	credits(5)
	require.Equal(t, []string{"replaced"}, balance(4))
	credits(4)
}

func count(list []string, of string) (n int) {
	for _, one := range list {
		if one == of {
			n++
		}
	}
	return n
}
