package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// bounded serves with a bound on failed authentications, and sends requests from an address.
func bounded(t *testing.T) (s *server, from func(address, rootKey, body string) *httptest.ResponseRecorder) {
	t.Helper()
	aloneOnly(t)
	s = newServer(t, func(c *api.Config) {
		c.FailedAuthentications, c.Knows = 5, func(hash fsm.Hash) bool { return hash == mint.Hash(rootKey) }
	})
	return s, func(address, rootKey, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/v2/apis.createApi", strings.NewReader(body))
		r.RemoteAddr = address
		r.Header.Set("Authorization", "Bearer "+rootKey)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		return w
	}
}

// An address whose requests have unknown root keys costs the cluster a bounded number of questions. Who has a root key is served from it.
func TestAuth_FailuresOfAnAddressAreBounded(t *testing.T) {
	s, from := bounded(t)
	const body = `{"name":"shop"}`
	for i := range 5 {
		require.Equal(t, 401, from("10.0.0.1:1", fmt.Sprint("root_guess", i), body).Code)
	}
	asked := len(s.calls)
	for i, request := range []string{body, `{"name":"shop` + strings.Repeat("x", 100<<10) + `"}`} { // a large body is authenticated first
		refused := from("10.0.0.1:"+strconv.Itoa(i), "root_guess", request)
		require.Equal(t, 429, refused.Code)
		wait, err := strconv.Atoi(refused.Header().Get("Retry-After"))
		require.NoError(t, err)
		require.InDelta(t, 5, wait, 5)
		require.Contains(t, refused.Body.String(), "More than 5 requests of this address had an unknown root key")
	}
	require.Len(t, s.calls, asked, "nobody was asked")
	require.Equal(t, 200, from("10.0.0.1:1", rootKey, body).Code, "a proxy has one address for all")
	require.Equal(t, 401, from("10.0.0.2:1", "root_guess", body).Code)
	metrics := s.visit(http.MethodGet, "/metrics").Body.String()
	require.Contains(t, metrics, "\ncreditd_api_failed_authentications_total 6\n")
	require.Contains(t, metrics, "\ncreditd_api_authentication_refusals_total 2\n")
}

// A body of which every value is wrong costs milliseconds to explain. An address of strangers hears that so often, and no more.
func TestAuth_BadBodiesOfStrangersAreBounded(t *testing.T) {
	_, from := bounded(t)
	bad := `{"name":5,` + strings.Repeat(`"unknown":1,`, 1000) + `"last":1}`
	for i := range 5 {
		require.Equal(t, 400, from("10.0.0.1:1", fmt.Sprint("root_guess", i), bad).Code)
	}
	for _, stranger := range []string{"root_guess", ""} {
		require.Equal(t, 429, from("10.0.0.1:1", stranger, bad).Code)
	}
	for range 10 {
		require.Equal(t, 400, from("10.0.0.1:1", rootKey, bad).Code, "whoever has a root key hears what is wrong")
		require.Equal(t, 400, from("10.0.0.2:1", rootKey, bad).Code, "and does not count")
	}
	require.Equal(t, 400, from("10.0.0.2:1", "root_guess", bad).Code)
}

// One host may have all addresses of its network, and nobody fills the memory.
func TestAuth_FailuresAreCountedByNetwork(t *testing.T) {
	_, from := bounded(t)
	for i := range 5 {
		require.Equal(t, 401, from(fmt.Sprintf("[2001:db8::%x]:1", i), "root_guess", `{"name":"shop"}`).Code)
	}
	require.Equal(t, 429, from("[2001:db8::ffff]:1", "root_guess", `{"name":"shop"}`).Code)
	require.Equal(t, 401, from("[2001:db8:0:1::1]:1", "root_guess", `{"name":"shop"}`).Code)
}
