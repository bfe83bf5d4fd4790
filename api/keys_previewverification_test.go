package api_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// keys.previewVerification: docs/contract.md 7.2. It says what keys.verifyKey then says, and changes nothing.
func TestPreviewVerification(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	digest := s.digest()
	for _, fields := range []string{``, `,"credits":{"cost":50}`, `,"credits":{"cost":51}`, `,"permissions":"docs.write"`, `,"tags":["a"]`} {
		require.Equal(t, digest, s.digest())
		asked := s.must("keys.previewVerification", f.in(`{"key":"SECRET"`+fields+`}`))
		require.Contains(t, asked, f.in(`"payers":[{"type":"identity","id":"IDENTITY","credits":{"remaining":50}}]`))
	}
	require.Equal(t, digest, s.digest())
	asked := s.must("keys.previewVerification", f.in(`{"key":"SECRET","credits":{"cost":7}}`))
	told := s.must("keys.verifyKey", f.in(`{"key":"SECRET","credits":{"cost":7}}`))
	require.Equal(t, told[:len(told)-1], asked[:len(told)-1])

	s.post("keys.previewVerification", f.in(`{"key":"SECRET"}`), "Idempotency-Key", "a").fails(400, invalidInput)
	s.post("keys.previewVerification", f.in(`{"key":"SECRET","permissions":"("}`)).fails(400, "user/bad_request/permissions_query_syntax_error")
	s.post("keys.previewVerification", f.in(`{"key":"SECRET","ratelimits":[{"name":"none"}]}`)).fails(412, "unkey/application/precondition_failed")
}

// A hash names a key for those who may use hashes, and opens nothing that the permission to verify does not open.
func TestPreviewVerification_ByHash(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	body := fmt.Sprintf(`{"keyHash":%q}`, base64Of(f.key))
	const hashes, verify = "api.*.verify_key_hash", "api.*.verify_key"
	require.Contains(t, s.grant(hashes, verify).must("keys.previewVerification", body), `"valid":true`)
	for _, held := range []string{verify, f.in("api.API.verify_key_hash")} {
		re := s.grant(held, verify).post("keys.previewVerification", body).fails(403, forbidden)
		require.Equal(t, "Missing permission: 'api.*.verify_key_hash'", re.Error.Detail)
	}
	require.Equal(t, `{"valid":false,"code":"NOT_FOUND"}`, s.grant(hashes).must("keys.previewVerification", body))
	require.Equal(t, `{"valid":false,"code":"NOT_FOUND"}`, s.grant(hashes, verify).must("keys.previewVerification", fmt.Sprintf(`{"key":%q}`, base64Of(f.key))))

	caller := s.grant(hashes, verify)
	for _, bad := range []string{
		`{}`, f.in(`{"key":"SECRET","keyHash":"x"}`), `{"keyHash":"x"}`, `{"keyHash":""}`, fmt.Sprintf(`{"keyHash":%q,"migrationId":"mig"}`, base64Of(f.key)),
	} {
		caller.post("keys.previewVerification", bad).fails(400, invalidInput)
	}
	s.as("nobody").post("keys.previewVerification", `{}`).fails(401, "unkey/authentication/key_not_found")
}

// apis.listApis: docs/contract.md 7.2 and 1.14.
func TestListAPIs(t *testing.T) {
	s := newServer(t)
	var made []string
	for i := range 5 {
		made = append(made, s.get("apiId", "apis.createApi", fmt.Sprintf(`{"name":"Payments %d"}`, i)))
	}
	other := s.get("apiId", "apis.createApi", `{"name":"mail"}`)
	require.ElementsMatch(t, append(made, other), s.every("apis.listApis", `"limit":2,`, "id"))
	require.ElementsMatch(t, made, s.every("apis.listApis", `"search":" pAy",`, "id"))
	s.must("apis.deleteApi", fmt.Sprintf(`{"apiId":%q}`, made[0]))
	require.ElementsMatch(t, append(made[1:], other), s.every("apis.listApis", ``, "id"))
	require.Equal(t, "[]", s.foreign().must("apis.listApis", `{}`))
	s.grant(fmt.Sprintf("api.%s.read_api", other)).post("apis.listApis", `{}`).fails(403, forbidden)
}
