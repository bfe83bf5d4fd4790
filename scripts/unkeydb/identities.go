package unkeydb

import (
	"context"
	"fmt"
)

// What becomes of an identity.
type fate int

const (
	lives fate = iota
	isDeleted
	cannotBeTaken
)

// identityFate says what becomes of the nth identity.
func (s *Set) identityFate(n int) fate {
	switch n % 200 {
	case 9:
		return cannotBeTaken
	case 12:
		if !s.Options.Old {
			return cannotBeTaken
		}
	case 6:
		return isDeleted
	}
	return lives
}

// identityPays reports whether the nth identity has a balance of its own.
func (s *Set) identityPays(n int) bool { return !s.Options.Old && n%2 == 0 }

func (s *Set) fillIdentities(ctx context.Context) {
	for n := range s.Options.Identities {
		s.fillIdentity(ctx, n)
	}
	s.tables.identities.add(ctx, id("id", -100), "user_1", Neighbour, nil, 0, created, nil)
}

func (s *Set) fillIdentity(ctx context.Context, n int) {
	external, deleted := fmt.Sprintf("user_%d", n), 0
	var meta any = fmt.Sprintf(`{"plan":"pro","n":%d,"name":"Zo\u00eb \ud83d\udd11","big":12345678901234567890}`, n)
	remaining := n % 1000
	switch n % 200 {
	case 5:
		external = fmt.Sprintf("user@%d.example", n)
		s.problem("identities.external_id")
	case 6: // the next one has its name
		deleted = 1
		external = fmt.Sprintf("user_%d", n+1)
		s.Expect.Skipped["identities"]++
	case 9:
		meta = `["no","object"]`
		s.problem("identities.meta")
	case 10:
		meta = nil
	case 12:
		if s.identityPays(n) {
			remaining = -1
			s.problem("identities.credits.remaining")
		}
	}
	fate := s.identityFate(n)
	if fate == lives {
		s.take("identity")
	}
	s.tables.identities.add(ctx, IdentityID(n), external, Workspace, meta, deleted, created+n, nil)
	if n%4 == 0 {
		s.tables.ratelimits.add(ctx, id("rl", 1_000_000_000+n), "requests", Workspace, nil, IdentityID(n), 100, 60_000, 1, created)
	}
	if s.identityPays(n) {
		day, amount, at := s.refill(n)
		s.tables.credits.add(ctx, id("cr", 1_000_000_000+n), Workspace, nil, IdentityID(n), remaining, day, amount, milli(at), created, nil)
		if fate == lives {
			s.Expect.Owners += uint64(remaining)
		}
	}
}
