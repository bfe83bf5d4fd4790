package unkeydb

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Charge debits random keys in the database, as Unkey does: it lowers a balance that covers the cost and changes no time. It returns how many
// credits it took from keys that are taken over, and stops after count debits or at the end of ctx.
func (s *Set) Charge(ctx context.Context, seed uint64, count int) (charged uint64, err error) {
	random := rand.New(rand.NewPCG(seed, 1))
	for range count {
		if ctx.Err() != nil {
			return charged, nil
		}
		n, cost := random.IntN(s.Options.Keys), 1+random.IntN(20)
		r := s.plainKey(n)
		if s.giveBalance(r); r.remaining == nil || n%500 >= 111 && n%500 <= 134 || r.refills() {
			continue // no balance, or one that is not taken over, or one that moves by itself
		}
		statement := "UPDATE `keys` SET remaining_requests = remaining_requests - ? WHERE id = ? AND remaining_requests >= ?"
		if r.credits != nil {
			statement = "UPDATE credits SET remaining = remaining - ? WHERE key_id = ? AND remaining >= ?"
		}
		if !s.Takes(n) {
			continue
		}
		result, err := s.DB.ExecContext(context.WithoutCancel(ctx), statement, cost, r.id, cost)
		if err != nil {
			return charged, fmt.Errorf("charge at the source: %w", err)
		}
		if changed, err := result.RowsAffected(); err != nil {
			return charged, err
		} else if changed == 1 {
			charged += uint64(cost)
		}
	}
	return charged, nil
}

// Takes reports whether the nth key is taken over.
func (s *Set) Takes(n int) bool { return s.taken[n] }

// Plain reports whether the nth key has a balance of its own without a refill.
func (s *Set) Plain(n int) bool {
	r := s.plainKey(n)
	s.giveBalance(r)
	return (r.remaining != nil || r.credits != nil) && !r.refills() && (n%500 < 111 || n%500 > 134)
}

// OwnerPays reports whether the identity of the nth key pays for it.
func (s *Set) OwnerPays(n int) bool {
	if n%3 == 0 {
		return false
	}
	owner := n * 31 % s.Options.Identities
	return s.identityPays(owner) && s.identityFate(owner) == lives
}

// APIs are the ids of the APIs that are taken over with keys.
func (s *Set) APIs() (ids []string) {
	for n := range apiCount {
		if n != deletedAPI && n != bareAPI {
			ids = append(ids, id("api", n))
		}
	}
	return ids
}

// Delete deletes the first keys that are taken over and have no balance of their own, as Unkey does, and returns their ids.
func (s *Set) Delete(ctx context.Context, count int) (ids []string, err error) {
	for n := 0; len(ids) < count && n < s.Options.Keys; n++ {
		r := s.plainKey(n)
		s.giveBalance(r)
		if !s.taken[n] || r.remaining != nil || r.credits != nil {
			continue
		}
		if _, err := s.DB.ExecContext(ctx, "UPDATE `keys` SET deleted_at_m = UNIX_TIMESTAMP(NOW(3)) * 1000 WHERE id = ?", r.id); err != nil {
			return nil, fmt.Errorf("delete at the source: %w", err)
		}
		delete(s.taken, n)
		s.Expect.Taken["key"]--
		s.Expect.Skipped["keys"]++
		ids = append(ids, r.id)
	}
	return ids, nil
}

// AddIdentity makes an identity that has nothing.
func (s *Set) AddIdentity(ctx context.Context, id, externalID string) error {
	s.Expect.Taken["identity"]++
	_, err := s.DB.ExecContext(ctx, "INSERT INTO identities (id, external_id, workspace_id, created_at) VALUES (?, ?, ?, ?)", id, externalID, Workspace, created)
	return err
}

// DeleteIdentity deletes one that AddIdentity made.
func (s *Set) DeleteIdentity(ctx context.Context, id string) error {
	s.Expect.Taken["identity"]--
	s.Expect.Skipped["identities"]++
	_, err := s.DB.ExecContext(ctx, "UPDATE identities SET deleted = 1 WHERE id = ?", id)
	return err
}

// DeleteOverride deletes an override that is taken over.
func (s *Set) DeleteOverride(ctx context.Context) error {
	s.Expect.Taken["override"]--
	s.Expect.Skipped["ratelimit_overrides"]++
	_, err := s.DB.ExecContext(ctx, "UPDATE ratelimit_overrides SET deleted_at_m = UNIX_TIMESTAMP(NOW(3)) * 1000 WHERE id = ?", id("rlor", 10))
	return err
}

// DeleteAPI deletes the API without keys.
func (s *Set) DeleteAPI(ctx context.Context) error {
	s.Expect.Taken["api"]--
	s.Expect.Skipped["apis"]++
	_, err := s.DB.ExecContext(ctx, "UPDATE apis SET deleted_at_m = UNIX_TIMESTAMP(NOW(3)) * 1000 WHERE id = ?", id("api", bareAPI))
	return err
}

// Balances are the balances of all keys that have one which fits, by the ids of the keys. A row of credits wins over the key's own column.
func (s *Set) Balances(ctx context.Context) (map[string]int64, error) {
	statement := "SELECT k.id, COALESCE(c.remaining, k.remaining_requests) FROM `keys` k LEFT JOIN credits c ON c.key_id = k.id"
	if s.Options.Old {
		statement = "SELECT id, remaining_requests FROM `keys`"
	}
	rows, err := s.DB.QueryContext(ctx, statement)
	if err != nil {
		return nil, fmt.Errorf("read the balances of the source: %w", err)
	}
	defer func() { _ = rows.Close() }()
	balances := map[string]int64{}
	for rows.Next() {
		var id string
		var text sql.NullString
		if err := rows.Scan(&id, &text); err != nil {
			return nil, err
		}
		if n, err := strconv.ParseInt(text.String, 10, 64); err == nil && n >= 0 {
			balances[id] = n
		}
	}
	return balances, rows.Err()
}
