package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/creditd/creditd/api"
)

// kindOfAnswer is what clients tell answers of an endpoint apart by. A success has no type.
type kindOfAnswer struct {
	endpoint string
	status   int
	path     string // of the error type
}

func (k kindOfAnswer) String() string {
	return strings.TrimSpace(fmt.Sprint(k.endpoint, " ", k.status, " ", k.path))
}

// received are the kinds of answers that tests have had; true: from the real rules, not only from a ledger that was told what to say.
var received = struct {
	sync.Mutex
	kinds map[kindOfAnswer]bool
}{kinds: map[kindOfAnswer]bool{}}

// record takes note of an answer.
func (re *reply) record(path string, real bool) {
	k := kindOfAnswer{endpoint: strings.TrimPrefix(path, "/v2/"), status: re.Code}
	if re.Error != nil {
		k.path = strings.TrimPrefix(re.Error.Type, errorBase)
	}
	received.Lock()
	defer received.Unlock()
	received.kinds[k] = received.kinds[k] || real
}

// madeUp are the errors that no endpoint can cause: none disables a root key, removes a workspace, deletes a namespace or protects an API.
var madeUp = []string{
	"unkey/authorization/key_disabled", "unkey/data/workspace_not_found", "unkey/data/ratelimit_namespace_gone",
	"unkey/application/protected_resource",
}

// enough reports whether the tests have had an answer in a way that shows that clients get it.
func (k kindOfAnswer) enough() bool {
	received.Lock()
	defer received.Unlock()
	real, ok := received.kinds[k]
	switch k.status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable:
		return ok // the state of a node, which tests make up
	}
	return real || ok && slices.Contains(madeUp, k.path)
}

// untested lists the answers that endpoints announce and no test has had. That none comes which is not announced is checked
// with every answer, by checkDocumented.
func untested() []string {
	missing := map[string]bool{}
	for _, e := range api.Describe() {
		kinds := []kindOfAnswer{{endpoint: e.Name, status: http.StatusOK}}
		for _, p := range e.Problems {
			kinds = append(kinds, kindOfAnswer{e.Name, p.Status, strings.TrimPrefix(p.Type, errorBase)})
		}
		for _, k := range kinds {
			if !k.enough() {
				missing[k.String()] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(missing))
}

// everyTest reports whether this run leaves no test out.
func everyTest() bool {
	return !given("test.run", "test.skip", "test.list", "test.fuzz") && !testing.Short()
}

// given reports whether one of the flags was.
func given(flags ...string) bool {
	return slices.ContainsFunc(os.Args, func(arg string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return slices.Contains(flags, name)
	})
}
