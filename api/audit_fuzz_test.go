package api_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

// auditPage asks for one page of audit.listEntries and returns what the entries are about.
func (s *server) auditPage(t *testing.T, cursor string, limit int) (ids []string, next string) {
	quoted, err := json.Marshal(cursor)
	require.NoError(t, err)
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, s.request("audit.listEntries", fmt.Sprintf(`{"event":"api.create","limit":%d,"cursor":%s}`, limit, quoted)))
	s.calls = nil
	require.Equal(t, 200, rec.Code, rec.Body)
	var answer struct {
		Data       []auditEntry
		Pagination struct {
			HasMore bool
			Cursor  string
		}
	}
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &answer))
	require.Equal(t, answer.Pagination.HasMore, answer.Pagination.Cursor != "")
	for _, e := range answer.Data {
		ids = append(ids, e.Resources[0].ID)
	}
	return ids, answer.Pagination.Cursor
}

// FuzzAuditCursor: for any cursor, the client gets the entries of its own workspace from one position to the oldest, each exactly once. See
// docs/contract.md 7.4.
func FuzzAuditCursor(f *testing.F) {
	s := newServer(f)
	other := s.foreign()
	var all []string // the newest first
	for i := range 12 {
		id := fmt.Sprintf("api_%02d", i)
		s.apply(f, rootKey, &fsm.CreateAPI{ID: id, KeyspaceID: "ks_" + id})
		s.apply(f, other.token, &fsm.CreateAPI{ID: mint.ID(mint.API), KeyspaceID: "ks_theirs"})
		all = append([]string{id}, all...)
		s.now += int64(i % 2) // some at the same time
	}
	for i, cursor := range []string{
		"", "0", "z", "ä", fmt.Sprintf("%016x-%08x", s.now-2, 1), fmt.Sprintf("%016x", s.now-1), fmt.Sprintf("%016x-", s.now), "0000", "\xff",
	} {
		f.Add(uint8(i), cursor)
	}
	f.Fuzz(func(t *testing.T, limit uint8, cursor string) {
		if cursor = string([]rune(cursor)); utf8.RuneCountInString(cursor) > 1024 {
			cursor = ""
		}
		size := 1 + int(limit)%100
		var got []string
		for pages := 0; pages == 0 || cursor != ""; pages++ {
			require.Less(t, pages, 100)
			ids, next := s.auditPage(t, cursor, size)
			require.LessOrEqual(t, len(ids), size)
			got, cursor = append(got, ids...), next
		}
		require.LessOrEqual(t, len(got), len(all))
		require.True(t, slices.Equal(all[len(all)-len(got):], got), "%v", got)
	})
}
