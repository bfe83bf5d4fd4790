package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// apis.createApi: docs/contract.md 2.2.
func TestCreateAPI(t *testing.T) {
	s := newServer(t)
	first := s.post("apis.createApi", `{"name":"same"}`)
	require.Regexp(t, `^api_[a-zA-Z0-9]{16}$`, first.field("apiId"))
	require.NotEqual(t, first.field("apiId"), s.get("apiId", "apis.createApi", `{"name":"same"}`), "names need not be unique")
	for _, body := range []string{
		`{}`, `{"name":""}`, `{"name":"ab"}`, `{"name":null}`, `{"name":5}`, `{"name":"abc","x":1}`, `[]`,
		fmt.Sprintf(`{"name":%q}`, strings.Repeat("x", 257)),
	} {
		s.post("apis.createApi", body).fails(400, invalidInput)
	}
	s.must("apis.createApi", fmt.Sprintf(`{"name":%q}`, strings.Repeat("ü", 256)))
}

// apis.getApi: docs/contract.md 2.2.
func TestGetAPI(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"plain", "Grüße, 世界 🎉", `<b>"quoted" & \back</b>` + "\u2028"} {
		id := s.get("apiId", "apis.createApi", fmt.Sprintf(`{"name":%s}`, quote(name)))
		require.JSONEq(t, fmt.Sprintf(`{"id":%q,"name":%s}`, id, quote(name)), s.must("apis.getApi", fmt.Sprintf(`{"apiId":%q}`, id)))
	}
	for _, body := range []string{`{}`, `{"apiId":""}`, `{"apiId":"short"}`, `{"apiId":"api-nothing"}`, `{"apiId":"api_nothing","x":1}`} {
		s.post("apis.getApi", body).fails(400, invalidInput)
	}
	s.post("apis.getApi", `{"apiId":"api_nothing"}`).fails(404, apiNotFound)
	s.grant("api.*.create_api").post("apis.getApi", `{"apiId":"api_nothing"}`).fails(403, forbidden) // 403 wins: 1.13
}
