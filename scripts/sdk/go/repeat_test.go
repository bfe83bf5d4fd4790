package suite

import (
	"crypto/rand"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	unkey "github.com/unkeyed/sdks/api/go/v2"
	"github.com/unkeyed/sdks/api/go/v2/models/apierrors"
	"github.com/unkeyed/sdks/api/go/v2/models/components"
	"github.com/unkeyed/sdks/api/go/v2/models/operations"
)

// through is the SDK behind a proxy that withholds the first answer to each request, after the charge.
func (s *suite) through(proxy string, client *http.Client) (*unkey.Unkey, *counting) {
	url := os.Getenv(proxy)
	require.NotEmpty(s.t, url, "needs a proxy: run `make sdk`")
	c := &counting{client: client}
	return unkey.New(unkey.WithServerURL(url), unkey.WithSecurity(s.key), unkey.WithClient(c)), c
}

// spendTwice verifies a key of 100 credits at a cost of 10 through a broken connection, and again if that fails. It returns the balance.
func (s *suite) spendTwice(sdk *unkey.Unkey, options ...operations.Option) (failures int, balance int64) {
	created := s.createKey(components.V2KeysCreateKeyRequestBody{Credits: &components.KeyCreditsData{Remaining: ptr(int64(100))}})
	request := components.V2KeysVerifyKeyRequestBody{Key: created.Key, Credits: &components.KeysVerifyKeyCredits{Cost: 10}}
	for {
		answer, err := sdk.Keys.VerifyKey(s.ctx, request, options...)
		if err == nil {
			require.Equal(s.t, components.CodeValid, answer.V2KeysVerifyKeyResponseBody.Data.Code)
			return failures, *s.getKey(created.KeyID).Credits.Remaining
		}
		failures++
		require.Less(s.t, failures, 3, "%v", err)
	}
}

func idempotencyKey() operations.Option {
	return operations.WithSetHeaders(map[string]string{"Idempotency-Key": rand.Text()})
}

// TestRepeat_ResetConnection: the SDK leaves it to the caller to repeat a POST on a connection that broke. Only an Idempotency-Key makes
// that safe.
func TestRepeat_ResetConnection(t *testing.T) {
	s := newSuite(t)
	// On a connection that it used before, Go's HTTP client itself would repeat a request with an Idempotency-Key.
	sdk, c := s.through("CREDITD_RESETTING_URL", &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	failures, balance := s.spendTwice(sdk)
	require.Equal(t, 1, failures)
	require.Equal(t, 2, c.sent)
	require.EqualValues(t, 80, balance, "without the key, the repetition is charged again")

	failures, balance = s.spendTwice(sdk, idempotencyKey())
	require.Equal(t, 1, failures)
	require.EqualValues(t, 90, balance)
}

// TestRepeat_Timeout: the SDK itself repeats what its HTTP client gave up on.
func TestRepeat_Timeout(t *testing.T) {
	s := newSuite(t)
	sdk, c := s.through("CREDITD_WAITING_URL", &http.Client{Timeout: time.Second})
	failures, balance := s.spendTwice(sdk)
	require.Zero(t, failures, "the caller does not learn of it")
	require.Equal(t, 2, c.sent)
	require.EqualValues(t, 80, balance, "without the key, the repetition is charged again")

	failures, balance = s.spendTwice(sdk, idempotencyKey())
	require.Zero(t, failures)
	require.EqualValues(t, 90, balance)
}

// TestNotServed: a method that creditd does not serve is a typed error, not an answer without a form.
func TestNotServed(t *testing.T) {
	s := newSuite(t)
	_, err := s.Analytics.GetVerifications(s.ctx, components.V2AnalyticsGetVerificationsRequestBody{Query: "SELECT 1"})
	got := is[*apierrors.NotFoundErrorResponse](t, err).Error_
	require.Equal(t, errorBase+"unkey/application/endpoint_not_served", got.Type)
	require.Contains(t, got.Detail, "analytics.getVerifications")
}
