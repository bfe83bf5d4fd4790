package suite

import (
	"net/http"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	unkey "github.com/unkeyed/sdks/api/go/v2"
	"github.com/unkeyed/sdks/api/go/v2/models/apierrors"
	"github.com/unkeyed/sdks/api/go/v2/models/components"
)

const errorBase = "https://unkey.com/docs/errors/"

// is requires a typed error of the SDK, and returns it.
func is[E error](t *testing.T, err error) E {
	t.Helper()
	var typed E
	require.ErrorAs(t, err, &typed)
	return typed
}

// TestErrors: the SDK makes its own type of every error, which it does only if status, content type and shape are right.
func TestErrors(t *testing.T) {
	s := newSuite(t)
	user := unique("user")
	s.identity(user)
	type base = components.BaseError
	getMissing := func(err error) base { return is[*apierrors.NotFoundErrorResponse](t, err).Error_ }
	for _, test := range []struct {
		name string
		kind string
		call func() base
	}{
		{"401", "unkey/authentication/key_not_found", func() base {
			_, err := client(s.url, "nobody").Apis.GetAPI(s.ctx, components.V2ApisGetAPIRequestBody{APIID: "api_12345678"})
			return is[*apierrors.UnauthorizedErrorResponse](t, err).Error_
		}},
		{"403", "unkey/authorization/insufficient_permissions", func() base {
			_, err := s.granted("api.*.read_api").Apis.CreateAPI(s.ctx, components.V2ApisCreateAPIRequestBody{Name: "sdk"})
			return is[*apierrors.ForbiddenErrorResponse](t, err).Error_
		}},
		{"403 of deleteIdentity", "unkey/authorization/insufficient_permissions", func() base {
			_, err := s.granted("api.*.read_api").Identities.DeleteIdentity(s.ctx, components.V2IdentitiesDeleteIdentityRequestBody{Identity: user})
			return is[*apierrors.ForbiddenErrorResponse](t, err).Error_
		}},
		{"404 of an API", "unkey/data/api_not_found", func() base {
			_, err := s.Apis.GetAPI(s.ctx, components.V2ApisGetAPIRequestBody{APIID: "api_12345678"})
			return getMissing(err)
		}},
		{"404 of a key", "unkey/data/key_not_found", func() base {
			_, err := s.Keys.GetKey(s.ctx, components.V2KeysGetKeyRequestBody{KeyID: "key_12345678"})
			return getMissing(err)
		}},
		{"404 of an identity", "unkey/data/identity_not_found", func() base {
			_, err := s.Identities.GetIdentity(s.ctx, components.V2IdentitiesGetIdentityRequestBody{Identity: "nobody"})
			return getMissing(err)
		}},
		{"404 of deleteIdentity", "unkey/data/identity_not_found", func() base {
			_, err := s.Identities.DeleteIdentity(s.ctx, components.V2IdentitiesDeleteIdentityRequestBody{Identity: "nobody"})
			return getMissing(err)
		}},
		{"409", "unkey/data/identity_already_exists", func() base {
			_, err := s.Identities.CreateIdentity(s.ctx, components.V2IdentitiesCreateIdentityRequestBody{ExternalID: user})
			return is[*apierrors.ConflictErrorResponse](t, err).Error_
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.call()
			require.Equal(t, errorBase+test.kind, got.Type)
			require.Equal(t, test.name[:3], strconv.FormatInt(got.Status, 10))
			require.NotEmpty(t, got.Title)
			require.NotEmpty(t, got.Detail)
		})
	}
}

// TestErrors_BadRequest: a 400 lists what is wrong with the body.
func TestErrors_BadRequest(t *testing.T) {
	s := newSuite(t)
	_, err := s.Apis.CreateAPI(s.ctx, components.V2ApisCreateAPIRequestBody{Name: "x"})
	got := is[*apierrors.BadRequestErrorResponse](t, err).Error_
	require.Equal(t, errorBase+"unkey/application/invalid_input", got.Type)
	require.Len(t, got.Errors, 1)
	require.Equal(t, "/properties/name/minLength", got.Errors[0].Location)
	require.Equal(t, "minLength: got 1, want 3", got.Errors[0].Message)

	_, err = s.Identities.DeleteIdentity(s.ctx, components.V2IdentitiesDeleteIdentityRequestBody{Identity: ""})
	require.Len(t, is[*apierrors.BadRequestErrorResponse](t, err).Error_.Errors, 1)
}

// TestErrors_WithoutAType: the SDK declares 412 only for apis.deleteApi. Elsewhere it is an error that carries status and body.
func TestErrors_WithoutAType(t *testing.T) {
	s := newSuite(t)
	created := s.createKey(components.V2KeysCreateKeyRequestBody{})
	_, ofGetKey := s.Keys.GetKey(s.ctx, components.V2KeysGetKeyRequestBody{KeyID: created.KeyID, Decrypt: ptr(true)})
	_, ofCreateKey := s.Keys.CreateKey(s.ctx, components.V2KeysCreateKeyRequestBody{APIID: s.api(), Recoverable: ptr(true)})
	_, ofVerifyKey := s.Keys.VerifyKey(s.ctx, components.V2KeysVerifyKeyRequestBody{
		Key: created.Key, Ratelimits: []components.KeysVerifyKeyRatelimit{{Name: "unknown"}},
	})
	for _, err := range []error{ofGetKey, ofCreateKey, ofVerifyKey} {
		got := is[*apierrors.APIError](t, err)
		require.Equal(t, 412, got.StatusCode)
		require.Contains(t, got.Body, errorBase+"unkey/application/precondition_failed")
	}
}

// counting counts what the SDK really sends.
type counting struct {
	client *http.Client
	sent   int
}

func (c *counting) Do(r *http.Request) (*http.Response, error) {
	c.sent++
	return c.client.Do(r)
}

// troubled is the SDK at a node in trouble. The node is full, and never learns the outcome of a verification. What it is to delete is
// protected, and what it is to use is deleted.
func troubled(t *testing.T) (*suite, *counting) {
	s, c := newSuite(t), &counting{client: http.DefaultClient}
	s.Unkey = unkey.New(unkey.WithServerURL(os.Getenv("CREDITD_TROUBLED_URL")), unkey.WithSecurity(s.key), unkey.WithClient(c))
	return s, c
}

// TestErrors_TooManyRequests: the SDK has a type for 429 too, and leaves it to the caller to try again.
func TestErrors_TooManyRequests(t *testing.T) {
	s, c := troubled(t)
	_, err := s.Apis.CreateAPI(s.ctx, components.V2ApisCreateAPIRequestBody{Name: "sdk"})
	got := is[*apierrors.TooManyRequestsErrorResponse](t, err).Error_
	require.Equal(t, errorBase+"user/too_many_requests/workspace_rate_limited", got.Type)
	require.Equal(t, 1, c.sent)
}

// TestErrors_Protected: the one 412 that the SDK has a type for.
func TestErrors_Protected(t *testing.T) {
	s, c := troubled(t)
	_, err := s.Apis.DeleteAPI(s.ctx, components.V2ApisDeleteAPIRequestBody{APIID: "api_12345678"})
	got := is[*apierrors.PreconditionFailedErrorResponse](t, err).Error_
	require.Equal(t, errorBase+"unkey/application/protected_resource", got.Type)
	require.EqualValues(t, http.StatusPreconditionFailed, got.Status)
	require.Equal(t, 1, c.sent)
}

// TestErrors_Gone: only the two methods that use a namespace tell a deleted one from one that never was.
func TestErrors_Gone(t *testing.T) {
	s, c := troubled(t)
	one := components.V2RatelimitLimitRequestBody{Namespace: "deleted", Identifier: "user", Limit: 1, Duration: 60_000}
	_, ofLimit := s.Ratelimit.Limit(s.ctx, one)
	_, ofMultiLimit := s.Ratelimit.MultiLimit(s.ctx, []components.V2RatelimitLimitRequestBody{one})
	for _, err := range []error{ofLimit, ofMultiLimit} {
		got := is[*apierrors.GoneErrorResponse](t, err).Error_
		require.Equal(t, errorBase+"unkey/data/ratelimit_namespace_gone", got.Type)
		require.EqualValues(t, http.StatusGone, got.Status)
	}
	require.Equal(t, 2, c.sent)
}

// TestErrors_UnknownOutcomeIsNotRetried: a charge that may have happened must not be sent again behind the caller's back.
func TestErrors_UnknownOutcomeIsNotRetried(t *testing.T) {
	s, c := troubled(t)
	_, err := s.Keys.VerifyKey(s.ctx, components.V2KeysVerifyKeyRequestBody{Key: "x"})
	got := is[*apierrors.APIError](t, err)
	require.Equal(t, http.StatusRequestTimeout, got.StatusCode)
	require.Equal(t, "unknown", got.RawResponse.Header.Get("Creditd-Outcome"))
	require.Equal(t, 1, c.sent)
}
