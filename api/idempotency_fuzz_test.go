package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzIdempotencyKey sends any text as Idempotency-Key, one value per line. Either the request is refused and nothing happens, or it is
// executed exactly once, however often it comes. See docs/contract.md 7.1.
func FuzzIdempotencyKey(f *testing.F) {
	s := newServer(f)
	body := s.fixture().in(`{"keyId":"KEYID","operation":"increment","value":1}`)
	balance := int64(10)
	for _, values := range []string{"a", "order:1", "a b", " a", "a\t", "\x00", "é", "\x7f", "a\nb", "a\n", "", strings.Repeat("~", 255), strings.Repeat("~", 256)} {
		f.Add(values)
	}
	form := regexp.MustCompile(`^[!-~]{1,255}$`)
	f.Fuzz(func(t *testing.T, values string) {
		s.now += day // the outcomes of the inputs before are forgotten
		send := func(body string) *httptest.ResponseRecorder {
			r := s.request("keys.updateCredits", body)
			r.Header["Idempotency-Key"] = strings.Split(values, "\n")
			rec := httptest.NewRecorder()
			s.handler.ServeHTTP(rec, r)
			s.calls = nil
			return rec
		}
		first := send(body)
		if !form.MatchString(values) || strings.Contains(values, "\n") {
			require.Equal(t, http.StatusBadRequest, first.Code, first.Body)
			return
		}
		balance++
		require.Equal(t, http.StatusOK, first.Code, first.Body)
		require.Empty(t, first.Header().Get("Idempotency-Replayed"))
		require.Contains(t, first.Body.String(), fmt.Sprintf(`"remaining":%d`, balance))

		again := send(body)
		require.Equal(t, http.StatusOK, again.Code, again.Body)
		require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"))
		require.Contains(t, again.Body.String(), fmt.Sprintf(`"remaining":%d`, balance))
		require.Equal(t, http.StatusConflict, send(body+" ").Code)
	})
}
