package unkey_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
	"github.com/creditd/creditd/scripts/unkeydb"
)

// server is one MariaDB for all tests of the package.
var server *unkeydb.Server

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) (code int) {
	if unkeydb.Installed() != nil && os.Getenv("CI") != "true" {
		return m.Run() // each test that needs it is skipped
	}
	dir, err := os.MkdirTemp("", "unkey-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		server, err = unkeydb.Start(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// fill makes a database, whose name is that of the test.
func fill(t *testing.T, options unkeydb.Options) *unkeydb.Set {
	t.Helper()
	if server == nil {
		t.Skip(unkeydb.Installed())
	}
	set, err := server.Fill(t.Context(), t.Name(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, set.DB.Close()) })
	return set
}

// open opens the database as the user who can only read.
func open(t *testing.T, set *unkeydb.Set) *unkey.Source {
	t.Helper()
	conf, err := unkey.ParseDSN(server.DSN(unkeydb.Reader, unkeydb.ReaderPassword, set.Name))
	require.NoError(t, err)
	s, err := unkey.Open(t.Context(), conf, unkeydb.Workspace, "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// result is what a database becomes.
type result struct {
	taken, skipped, problems map[string]int
	items                    []unkey.Item
	rows                     []unkey.Problem
	keys, owners             uint64
}

func readAll(t *testing.T, s *unkey.Source) result {
	t.Helper()
	got := result{taken: map[string]int{}, skipped: map[string]int{}, problems: map[string]int{}}
	for _, table := range s.Tables() {
		require.NoError(t, s.Pages(t.Context(), unkey.Query{Table: table}, func(p *unkey.Page) error {
			got.add(p)
			return nil
		}))
	}
	return got
}

// firstPage reads no further.
func firstPage(t *testing.T, s *unkey.Source, q unkey.Query) (first *unkey.Page) {
	t.Helper()
	enough := errors.New("enough")
	require.ErrorIs(t, s.Pages(t.Context(), q, func(p *unkey.Page) error {
		first = p
		return enough
	}), enough)
	return first
}

func (r *result) add(p *unkey.Page) {
	for _, n := range p.Skipped {
		r.skipped[p.Table] += n
	}
	for _, problem := range p.Problems {
		r.rows = append(r.rows, problem)
		r.problems[problem.Table+"."+problem.Column]++
	}
	for _, item := range p.Items {
		r.items = append(r.items, item)
		r.taken[item.Record.Kind()]++
		if k := item.Record.Key; k != nil && k.Credits != nil {
			r.keys += uint64(k.Credits.Remaining)
		}
		if i := item.Record.Identity; i != nil && i.Credits != nil {
			r.owners += uint64(i.Credits.Remaining)
		}
	}
}

var today = time.Date(2026, 11, 30, 15, 0, 0, 0, time.UTC)

// Every row becomes a record, is skipped, or is a problem, in both forms of the database.
func TestRead_EveryRow(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("old=%v", old), func(t *testing.T) {
			if server == nil {
				t.Skip(unkeydb.Installed())
			}
			set, err := server.Fill(t.Context(), fmt.Sprintf("every_row_%v", old), unkeydb.Options{Keys: 1300, Identities: 420, Old: old, Now: today})
			require.NoError(t, err)
			defer func() { require.NoError(t, set.DB.Close()) }()
			got := readAll(t, open(t, set))
			require.Equal(t, set.Expect.Problems, got.problems)
			require.Equal(t, set.Expect.Taken, got.taken)
			require.Equal(t, set.Expect.Skipped, got.skipped)
			require.Equal(t, []uint64{set.Expect.Keys, set.Expect.Owners}, []uint64{got.keys, got.owners})
		})
	}
}
