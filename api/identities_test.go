package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// identities.createIdentity: docs/contract.md 2.4.
func TestCreateIdentity(t *testing.T) {
	s := newServer(t)
	id := s.get("identityId", "identities.createIdentity", `{"externalId":"u"}`)
	require.Regexp(t, `^id_[a-zA-Z0-9]{16}$`, id)
	require.JSONEq(t, fmt.Sprintf(`{"id":%q,"externalId":"u"}`, id), s.must("identities.getIdentity", `{"identity":"u"}`))
	s.post("identities.createIdentity", `{"externalId":"u"}`).fails(409, "unkey/data/identity_already_exists")
	s.foreign().must("identities.createIdentity", `{"externalId":"u"}`)

	const meta = `{"s":"<é&>","n":1.50e3,"big":12345678901234567890,"b":true,"z":null,"a":[1,{"x":[]}],"o":{"":{}}}`
	s.must("identities.createIdentity", `{"externalId":"meta","meta":`+meta+`}`)
	require.Contains(t, s.must("identities.getIdentity", `{"identity":"meta"}`), `"meta":`+meta, "stored and shown unchanged")
}

// The top level of this one request ignores what it does not know: docs/contract.md 1.9.
func TestCreateIdentity_IsLoose(t *testing.T) {
	s := newServer(t)
	s.must("identities.createIdentity", `{"externalId":"u","unheardOf":{"a":1}}`)
	s.post("identities.createIdentity", `{"externalId":"v","credits":{"remaining":1,"unheardOf":1}}`).fails(400, invalidInput)
}

func TestCreateIdentity_Refuses(t *testing.T) {
	s := newServer(t)
	for _, body := range []string{
		`{}`, `{"externalId":""}`, `{"externalId":"a@b"}`, `{"externalId":null}`, `{"externalId":"u","meta":null}`, `{"externalId":"u","meta":[]}`,
		`{"externalId":"u","meta":` + wide(101) + `}`, `{"externalId":"u","creditPolicy":"all"}`, `{"externalId":"u","creditPolicy":null}`,
		fmt.Sprintf(`{"externalId":%q}`, strings.Repeat("x", 256)),
	} {
		re := s.post("identities.createIdentity", body).fails(400, invalidInput)
		require.NotEmpty(t, *re.Error.Errors)
	}
	s.must("identities.createIdentity", fmt.Sprintf(`{"externalId":%q,"meta":%s}`, strings.Repeat("x", 255), wide(100)))
}

// The byte limit on meta comes after authentication and permission: docs/contract.md 1.2 and 1.10.
func TestIdentityMeta_IsBounded(t *testing.T) {
	s := newServer(t)
	s.must("identities.createIdentity", `{"externalId":"u"}`)
	for endpoint, name := range map[string]string{"identities.createIdentity": `"externalId":"v"`, "identities.updateIdentity": `"identity":"u"`} {
		body := func(size int) string {
			return `{` + name + `,"meta":{"a": "` + strings.Repeat("x", size-len(`{"a":""}`)) + `"}}` // one space more than is stored
		}
		large := body(1<<20 + 1)
		re := s.post(endpoint, large).fails(400, invalidInput)
		require.Empty(t, *re.Error.Errors)
		s.as("nobody").post(endpoint, large).fails(401, "unkey/authentication/key_not_found")
		s.grant("identity.*.read_identity").post(endpoint, large).fails(403, forbidden)
		s.must(endpoint, body(1<<20))
	}
}

// identities.getIdentity: docs/contract.md 2.4. The id is tried before the externalId.
func TestGetIdentity(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("identities.createIdentity", f.in(`{"externalId":"IDENTITY"}`))
	byID := s.must("identities.getIdentity", f.in(`{"identity":"IDENTITY"}`))
	require.JSONEq(t, f.in(`{"id":"IDENTITY","externalId":"user_1","credits":{"remaining":50}}`), byID)
	require.Equal(t, byID, s.must("identities.getIdentity", `{"identity":"user_1"}`))
	for _, body := range []string{`{}`, `{"identity":""}`, `{"identity":"u","x":1}`} {
		s.post("identities.getIdentity", body).fails(400, invalidInput)
	}
	for _, ref := range []string{"x", "no such", "ünïcode", strings.Repeat("x", 3000)} {
		s.post("identities.getIdentity", fmt.Sprintf(`{"identity":%q}`, ref)).fails(404, identityMissing)
		s.grant("nothing").post("identities.getIdentity", fmt.Sprintf(`{"identity":%q}`, ref)).fails(404, identityMissing)
	}
}

// identities.updateIdentity: docs/contract.md 2.4. The answer shows all that is stored [D-10].
func TestUpdateIdentity(t *testing.T) {
	base := newServer(t)
	const before = `{"externalId":"u","meta":{"a":1},"creditPolicy":"both","credits":{"remaining":777,"refill":{"interval":"monthly","amount":888,"refillDay":25}}}`
	const credits = `"credits":{"remaining":777,"refill":{"interval":"monthly","amount":888,"refillDay":25}}`
	for _, test := range []struct{ change, want string }{
		{``, `"meta":{"a":1},"creditPolicy":"both",` + credits},
		{`,"meta":{"b":2}`, `"meta":{"b":2},"creditPolicy":"both",` + credits},
		{`,"meta":{}`, `"creditPolicy":"both",` + credits},
		{`,"creditPolicy":"key"`, `"meta":{"a":1},"creditPolicy":"key",` + credits},
		{`,"creditPolicy":"identity"`, `"meta":{"a":1},` + credits},
		{`,"credits":null`, `"meta":{"a":1},"creditPolicy":"both"`},
		{`,"credits":{"remaining":1,"refill":null}`, `"meta":{"a":1},"creditPolicy":"both","credits":{"remaining":1}`},
	} {
		s := base.on(t).foreign()
		id := s.get("identityId", "identities.createIdentity", before)
		want := fmt.Sprintf(`{"id":%q,"externalId":"u",%s}`, id, test.want)
		require.JSONEq(t, want, s.must("identities.updateIdentity", `{"identity":"u"`+test.change+`}`))
		require.JSONEq(t, want, s.must("identities.getIdentity", fmt.Sprintf(`{"identity":%q}`, id)))
	}
}

func TestUpdateIdentity_Refuses(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	for _, change := range []string{`"meta":null`, `"meta":5`, `"creditPolicy":"x"`, `"creditPolicy":""`, `"externalId":"v"`, `"credits":5`, `"unheardOf":1`} {
		s.post("identities.updateIdentity", f.in(`{"identity":"IDENTITY",`+change+`}`)).fails(400, invalidInput)
	}
	s.post("identities.updateIdentity", `{"identity":"nobody"}`).fails(404, identityMissing)
	// Only the form for all grants it, and 403 wins over 404: 1.13.
	s.grant(f.in("identity.IDENTITY.update_identity")).post("identities.updateIdentity", f.in(`{"identity":"IDENTITY"}`)).fails(403, forbidden)
	s.grant("nothing").post("identities.updateIdentity", `{"identity":"nobody"}`).fails(403, forbidden)
}

// identities.deleteIdentity: docs/contract.md 2.4. Its answer has no data at all.
func TestDeleteIdentity(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"externalId":"user_1"`)
	re := s.post("identities.deleteIdentity", `{"identity":"user_1"}`)
	require.Equal(t, 200, re.Code)
	require.Equal(t, `{"meta":{"requestId":"req"}}`, re.anonymous())
	for _, ref := range []string{"user_1", f.identityID, "no such", "a/b?c=ü", strings.Repeat("x", 3000)} {
		body := fmt.Sprintf(`{"identity":%q}`, ref)
		s.post("identities.deleteIdentity", body).fails(404, identityMissing)
		s.post("identities.getIdentity", body).fails(404, identityMissing)
	}
	require.JSONEq(t, `{"enabled":true,"credits":{"remaining":0}}`, s.showKey(f), "the key stays and loses its identity")
	require.JSONEq(t, f.in(`{"valid":true,"code":"VALID","keyId":"KEYID","enabled":true,"credits":0}`), s.verify(f, `,"credits":{"cost":0}`))

	again := s.get("identityId", "identities.createIdentity", `{"externalId":"user_1"}`)
	require.NotEqual(t, f.identityID, again, "the externalId is free at once, for another identity")
	require.NotContains(t, s.verify(f, ``), "identity")

	s.post("identities.deleteIdentity", `{}`).fails(400, invalidInput)
	s.grant("identity.*.read_identity", "identity."+again+".delete_identity").
		post("identities.deleteIdentity", `{"identity":"user_1"}`).fails(403, forbidden)
	s.grant("nothing").post("identities.deleteIdentity", `{"identity":"nobody"}`).fails(403, forbidden)
}

// An owner that is deleted leaves nobody unlimited: docs/contract.md 2.4, 4.8 and D-23.
func TestDeleteIdentity_LeavesNobodyUnlimited(t *testing.T) {
	s := newServer(t)
	id := s.get("identityId", "identities.createIdentity", `{"externalId":"user_7","credits":{"remaining":9,"refill":{"interval":"daily","amount":9}}}`)
	base := s.fixture()
	bare, own := s.newKey(base, `,"externalId":"user_7"`), s.newKey(base, `,"externalId":"user_7","credits":{"remaining":4}`)
	require.Contains(t, s.verify(bare, ``), `"credits":8`)
	s.post("identities.deleteIdentity", `{"identity":"user_7"}`).ok()
	e := s.audit(`{"limit":1}`)[0]
	require.Equal(t, "identity.delete", e.Event)
	require.Equal(t, id, e.Balances[0].ID)
	require.EqualValues(t, 8, *e.Balances[0].Before)
	require.Nil(t, e.Balances[0].After)

	s.now += day
	denied := bare.in(`{"valid":false,"code":"USAGE_EXCEEDED","keyId":"KEYID","enabled":true,"credits":0}`)
	require.JSONEq(t, denied, s.verify(bare, ``))
	require.JSONEq(t, denied, s.verify(bare, `,"credits":{"cost":1000000}`))
	require.Contains(t, s.showKey(bare), `"credits":{"remaining":0}`)
	require.Contains(t, s.verify(own, ``), `"credits":3`)

	s.must("identities.createIdentity", `{"externalId":"user_7"}`)
	require.JSONEq(t, denied, s.verify(bare, ``), "another identity of that name is not its owner")
	require.Equal(t, `{"remaining":5}`, s.must("keys.updateCredits", bare.in(`{"keyId":"KEYID","operation":"increment","value":5}`)))
	require.Contains(t, s.verify(bare, ``), `"credits":4`)
}

// deleteKeys ends the keys in the same step, and needs the permission to: docs/contract.md 2.4.
func TestDeleteIdentity_WithItsKeys(t *testing.T) {
	s := newServer(t)
	base := s.fixture()
	k, other := s.newKey(base, `,"externalId":"user_8"`), s.newKey(base, `,"externalId":"user_9"`)
	body := `{"identity":"user_8","deleteKeys":true}`
	re := s.grant("identity.*.delete_identity", base.in("api.API.delete_key")).post("identities.deleteIdentity", body).fails(403, forbidden)
	require.Contains(t, re.Error.Detail, "api.*.delete_key")
	require.Contains(t, s.verify(k, ``), `"VALID"`)
	s.post("identities.deleteIdentity", `{"identity":"user_8","deleteKeys":null}`).fails(400, invalidInput)
	re = s.grant("identity.*.delete_identity", "api.*.delete_key").post("identities.deleteIdentity", body)
	require.Equal(t, `{"meta":{"requestId":"req"}}`, re.anonymous())
	require.JSONEq(t, `{"valid":false,"code":"NOT_FOUND"}`, s.verify(k, ``))
	s.post("keys.getKey", k.in(`{"keyId":"KEYID"}`)).fails(404, keyNotFound)
	require.NotContains(t, s.must("apis.listKeys", base.in(`{"apiId":"API"}`)), k.keyID)
	require.Contains(t, s.verify(other, ``), `"VALID"`)
	require.Len(t, s.audit(`{"limit":1,"event":"identity.delete"}`)[0].Resources, 1, "as with an API, its keys are not listed")
}

// A ledger of an older version has not this rule, and says so: docs/contract.md 7.2.
func TestDeleteIdentity_WithItsKeysNeedsTheLedgerVersion(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	s.state = fsm.New()
	s.apply(t, "", &founding)
	s.must("identities.createIdentity", `{"externalId":"user_8"}`)
	s.post("identities.deleteIdentity", `{"identity":"user_8","deleteKeys":true}`).fails(412, "unkey/application/precondition_failed")
	s.must("identities.getIdentity", `{"identity":"user_8"}`)
}
