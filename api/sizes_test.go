package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The sizes of docs/contract.md 1.10 that keep one request from holding up the others [D-31]: the last one that passes, and the next.
func TestSizes_OfOneRequest(t *testing.T) {
	beside(t)
	s := newServer(t)
	f := s.fixture()
	k := s.newKey(f, ``)
	const year, month = 366 * 86_400_000, 30 * 86_400_000
	meta := func(bytes int) string { return `{"a":"` + strings.Repeat("x", bytes-len(`{"a":""}`)) + `"}` }
	checks := func(n, duration int) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(`{"name":"limit%d","limit":9,"duration":%d}`, i, duration)
		}
		return `[` + strings.Join(items, ",") + `]`
	}
	configured := func(duration int) string {
		return fmt.Sprintf(`[{"name":"own","limit":9,"duration":%d,"autoApply":false}]`, duration)
	}
	migrated := func(hash, meta string) string {
		return f.in(fmt.Sprintf(`{"migrationId":"mig","apiId":"API","keys":[{"hash":%q,"meta":%s}]}`, base64Of(hash), meta))
	}
	for _, size := range []struct {
		endpoint     string
		last, beyond string
		says         string
	}{
		{"keys.createKey", f.in(`{"apiId":"API","meta":` + meta(65536) + `}`), f.in(`{"apiId":"API","meta":` + meta(65537) + `}`), "meta is too large"},
		{"keys.updateKey", k.in(`{"keyId":"KEYID","meta":` + meta(65536) + `}`), k.in(`{"keyId":"KEYID","meta":` + meta(65537) + `}`), "65537 bytes"},
		{"keys.migrateKeys", migrated("a", meta(65536)), migrated("b", meta(65537)), "keys[0].meta is too large"},
		{"keys.verifyKey", k.in(`{"key":"SECRET","ratelimits":` + checks(50, 1000) + `}`), k.in(`{"key":"SECRET","ratelimits":` + checks(51, 1000) + `}`), ""},
		{"keys.verifyKey", k.in(`{"key":"SECRET","ratelimits":` + checks(1, month) + `}`), k.in(`{"key":"SECRET","ratelimits":` + checks(1, month+1) + `}`), ""},
		{
			"keys.verifyKeys", k.in(`{"verifications":[{"key":"SECRET","ratelimits":` + checks(50, month) + `}]}`),
			k.in(`{"verifications":[{"key":"SECRET","ratelimits":` + checks(51, month) + `}]}`), "",
		},
		{"keys.createKey", f.in(`{"apiId":"API","ratelimits":` + configured(year) + `}`), f.in(`{"apiId":"API","ratelimits":` + configured(year+1) + `}`), ""},
		{
			"ratelimit.setOverride", f.in(fmt.Sprintf(`{"namespace":"NAMESPACE","identifier":"i","limit":1,"duration":%d}`, year)),
			f.in(fmt.Sprintf(`{"namespace":"NAMESPACE","identifier":"i","limit":1,"duration":%d}`, year+1)), "",
		},
		{
			"ratelimit.setOverride", f.in(`{"namespace":"NAMESPACE","identifier":"a*b**c*\n*","limit":1,"duration":1000}`),
			f.in(`{"namespace":"NAMESPACE","identifier":"a*b**c*\n**","limit":1,"duration":1000}`), "",
		},
	} {
		s.post(size.endpoint, size.last).ok()
		re := s.post(size.endpoint, size.beyond).fails(400, invalidInput)
		require.Contains(t, re.Body.String(), size.says, size.endpoint)
		if size.says != "" { // not a matter of the schema, which comes before authentication
			s.as("nobody").post(size.endpoint, size.beyond).fails(401, unauthorized)
		}
	}
}
