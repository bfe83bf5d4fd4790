package api_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// pagedLists are the lists of one workspace: the request, the field with the id, the prefix of the ids, and how many items cursorLedger
// adds.
var pagedLists = []pagedList{
	{"apis.listKeys", `"apiId":"api_cursor",`, "keyId", "key_", 9},
	{"apis.listKeys", `"apiId":"api_cursor","externalId":"user",`, "keyId", "key_", 5},
	{"apis.listApis", ``, "id", "api_", 9},
	{"identities.listIdentities", ``, "id", "id_", 10},
	{"permissions.listPermissions", ``, "id", "perm_", 9},
	{"permissions.listRoles", ``, "id", "role_", 9},
	{"ratelimit.listOverrides", `"namespace":"space",`, "overrideId", "rlor_", 9},
}

type pagedList struct {
	endpoint, fields, id, prefix string
	items                        int
}

// refuses reports whether a cursor is too long: two lists have a limit, docs/contract.md 2.5.
func (l pagedList) refuses(cursor string) bool {
	return strings.HasPrefix(l.endpoint, "permissions.") && utf8.RuneCountInString(cursor) > 1024
}

// idTails make ids whose first bytes agree, which an index by the first bytes has to tell apart.
var idTails = []string{"0", "a", "aa", "aaaaaaaa", "aaaaaaaaa", "aaaaaaaaab", "b", "z", "zz"}

func cursorLedger(t testing.TB) *server {
	s := newServer(t)
	other := s.foreign()
	fill := func(token, prefix string) {
		space := fsm.RatelimitRequest{Namespace: "space", NamespaceID: prefix + "rlns", Identifier: "i", Limit: 1, Duration: 1000}
		s.apply(t, token, &fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{space}})
		api := "api_" + prefix + "cursor"
		s.apply(t, token, &fsm.CreateAPI{ID: api, KeyspaceID: "ks_" + prefix, Name: "a"})
		for i, tail := range idTails {
			tail = prefix + tail
			if i > 0 { // with the API above, as many
				s.apply(t, token, &fsm.CreateAPI{ID: "api_" + tail, KeyspaceID: "ks_" + tail, Name: "a"})
			}
			key := &fsm.CreateKey{ID: "key_" + tail, Hash: mint.Hash(tail), APIID: api, Expires: fsm.Never}
			if i%2 == 0 {
				key.ExternalID, key.IdentityID = "user", "id_"+tail
			}
			s.apply(t, token, key)
			s.apply(t, token, &fsm.CreateIdentity{ID: "id_" + tail + "x", ExternalID: tail})
			s.apply(t, token, &fsm.CreatePermission{ID: "perm_" + tail, Slug: tail, Name: tail})
			s.apply(t, token, &fsm.CreateRole{ID: "role_" + tail, Name: tail})
			s.apply(t, token, &fsm.SetOverride{ID: "rlor_" + tail, Namespace: "space", Identifier: tail, Limit: 1, Duration: 1000})
		}
	}
	fill(rootKey, "")
	fill(other.token, "aaaa") // among the others, for whoever reads the list of another workspace
	return s
}

// pageFrom asks for one page. Unlike post it serves any number of calls of a fuzz run.
func (s *server) pageFrom(t *testing.T, list int, cursor string, limit int) (ids []string, next string) {
	quoted, err := json.Marshal(cursor)
	require.NoError(t, err)
	rec := httptest.NewRecorder()
	l := pagedLists[list]
	s.handler.ServeHTTP(rec, s.request(l.endpoint, fmt.Sprintf(`{%s"limit":%d,"cursor":%s}`, l.fields, limit, quoted)))
	s.calls = nil
	if l.refuses(cursor) {
		require.Equal(t, 400, rec.Code)
		return nil, ""
	}
	require.Equal(t, 200, rec.Code, rec.Body)
	var answer struct {
		Data       []map[string]any
		Pagination struct {
			HasMore bool
			Cursor  *string
		}
	}
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &answer))
	require.Equal(t, answer.Pagination.HasMore, answer.Pagination.Cursor != nil)
	for _, item := range answer.Data {
		ids = append(ids, item[l.id].(string))
	}
	if answer.Pagination.HasMore {
		next = *answer.Pagination.Cursor
	}
	return ids, next
}

// FuzzCursor: for any cursor, the page begins at the caller's first id that is not smaller. The pages after it hold the rest, each id
// exactly once. See docs/contract.md 1.14.
func FuzzCursor(f *testing.F) {
	s := cursorLedger(f)
	for list, l := range pagedLists {
		for i, tail := range []string{"", "a", "aaaaaaaaa\x00", "aaaab", "zz", "\xff", "ä"} {
			f.Add(uint8(list), uint8(i), l.prefix+tail)
		}
	}
	f.Add(uint8(0), uint8(3), "\x00")
	full := make([][]string, len(pagedLists))
	f.Fuzz(func(t *testing.T, list, limit uint8, cursor string) {
		which, size := int(list)%len(pagedLists), 1+int(limit)%100
		if full[which] == nil {
			full[which], _ = s.pageFrom(t, which, "", 100)
			require.Len(t, full[which], pagedLists[which].items)
			require.True(t, slices.IsSorted(full[which]))
		}
		if !utf8.ValidString(cursor) {
			cursor = string([]rune(cursor)) // as JSON carries it
		}
		if pagedLists[which].refuses(cursor) {
			s.pageFrom(t, which, cursor, size)
			return
		}
		at, _ := slices.BinarySearch(full[which], cursor)
		want := full[which][at:]
		for {
			ids, next := s.pageFrom(t, which, cursor, size)
			n := min(size, len(want))
			require.Equal(t, want[:n], append([]string{}, ids...))
			if want = want[n:]; len(want) == 0 {
				require.Empty(t, next)
				return
			}
			require.Equal(t, want[0], next)
			cursor = next
		}
	})
}
