package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	unkey "github.com/unkeyed/sdks/api/go/v2"
)

// suite is the SDK pointed at one node, and what rows need around it.
type suite struct {
	*unkey.Unkey
	t   *testing.T
	ctx context.Context
	url string
	key string
}

func newSuite(t *testing.T) *suite {
	url, key := os.Getenv("CREDITD_URL"), os.Getenv("CREDITD_ROOT_KEY")
	if url == "" || key == "" {
		t.Skip("needs a cluster: run `make sdk`")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return &suite{Unkey: client(url, key), t: t, ctx: ctx, url: url, key: key}
}

func client(url, key string) *unkey.Unkey {
	return unkey.New(unkey.WithServerURL(url), unkey.WithSecurity(key))
}

// granted is the SDK with a root key that has these permissions only.
func (s *suite) granted(permissions ...string) *unkey.Unkey {
	status, body := s.post("rootKeys.createRootKey", map[string]any{"name": "sdk", "permissions": permissions})
	require.Equal(s.t, http.StatusOK, status, body)
	var answer struct {
		Data struct {
			Key string `json:"key"`
		} `json:"data"`
	}
	require.NoError(s.t, json.Unmarshal([]byte(body), &answer))
	return client(s.url, answer.Data.Key)
}

// post is plain HTTP, for what no SDK has a method for.
func (s *suite) post(endpoint string, request any) (status int, body string) {
	encoded, err := json.Marshal(request)
	require.NoError(s.t, err)
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.url+"/v2/"+endpoint, bytes.NewReader(encoded))
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+s.key)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, string(text)
}

var drawn int

// unique returns a name that no other row of any run uses.
func unique(prefix string) string {
	drawn++
	return fmt.Sprintf("%s_%x_%d", prefix, time.Now().UnixNano(), drawn)
}

func ptr[T any](v T) *T { return &v }

// TestMethods runs the row of every method.
func TestMethods(t *testing.T) {
	for _, method := range slices.Sorted(maps.Keys(rows)) {
		t.Run(method, func(t *testing.T) { rows[method](newSuite(t)) })
	}
}

// TestMethods_AreAllAccountedFor: every method of the groups that creditd serves has a row, and nothing else has. docs/sdk-methods.md
// lists the others.
func TestMethods_AreAllAccountedFor(t *testing.T) {
	var want []string
	for group, sdk := range map[string]any{
		"apis": (*unkey.Apis)(nil), "identities": (*unkey.Identities)(nil), "keys": (*unkey.Keys)(nil),
		"permissions": (*unkey.Permissions)(nil), "ratelimit": (*unkey.Ratelimit)(nil),
	} {
		methods := reflect.TypeOf(sdk)
		for i := range methods.NumMethod() {
			want = append(want, strings.ToLower(group+"."+methods.Method(i).Name)) // it writes CreateAPI for createApi
		}
	}
	var have []string
	for method := range rows {
		have = append(have, strings.ToLower(method))
	}
	require.ElementsMatch(t, want, have)
}
