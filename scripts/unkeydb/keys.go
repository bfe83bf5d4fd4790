package unkeydb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// mySQLTime is how a datetime(3) is written.
const mySQLTime = "2006-01-02 15:04:05.000"

// refill returns the settings of the nth balance and when it was refilled last. The days are those around the ends of months.
func (s *Set) refill(n int) (day, amount any, at time.Time) {
	midnight := s.Options.Now.UTC().Truncate(24 * time.Hour)
	moments := []time.Time{
		{}, midnight.Add(3123 * time.Millisecond), midnight.Add(-24 * time.Hour), midnight.AddDate(0, -1, 0), midnight.AddDate(-1, 0, 0),
		time.Date(2024, 2, 29, 0, 0, 1, 0, time.UTC), time.Date(2025, 4, 30, 23, 59, 59, 999_000_000, time.UTC), midnight.Add(-time.Millisecond),
	}
	at = moments[n/16%len(moments)]
	switch days := []int{1, 15, 28, 29, 30, 31}; n % 4 {
	case 0:
		return nil, 100 + n%50, at
	case 1:
		return days[n/4%len(days)], 1000 + n%50, at
	}
	return nil, nil, time.Time{}
}

// milli is a time as Unix milliseconds, or nil.
func milli(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UnixMilli()
}

// keyRow is a row of keys and what hangs on it.
type keyRow struct {
	n                                         int
	id, keyspace, hash, start                 string
	forWorkspace, name, identity, meta        any
	expires, remaining, day, amount, refilled any
	pending, deleted                          any
	enabled                                   int
	credits                                   *creditRow
	ratelimit                                 int64 // duration; 0: none
	encrypted                                 bool
	worth                                     uint64
	skipped, lost                             bool
}

type creditRow struct {
	remaining           int64
	day, amount, filled any
}

// refills reports whether the balance has a refill that means something.
func (r *keyRow) refills() bool {
	if r.credits != nil {
		return r.credits.amount != nil
	}
	return r.amount != nil && r.amount != 0
}

func (s *Set) fillKeys(ctx context.Context) {
	for n := range s.Options.Keys {
		r := s.plainKey(n)
		s.giveBalance(r)
		s.spoil(r)
		s.link(r)
		s.writeKey(ctx, r)
	}
	for n := range 10 { // of the neighbour
		s.tables.keys.add(ctx, id("key", -100-n), id("ks", 100), hashOf(fmt.Sprint("neighbour", n)), "n_", Neighbour, nil, nil, nil, nil, nil, 1, 5, nil, nil, nil,
			0, nil, created, nil, nil)
	}
}

// plainKey is a key without a balance and without a flaw.
func (s *Set) plainKey(n int) *keyRow {
	api := n % guardedAPI
	switch {
	case n%7 == 0:
		api = guardedAPI
	case n%11 == 0:
		api = protectedAPI
	}
	r := &keyRow{n: n, id: KeyID(n), keyspace: id("ks", api), hash: hashOf(Secret(n)), start: "sk_live" + fmt.Sprint(n), enabled: 1}
	switch n % 6 {
	case 1:
		r.name = fmt.Sprintf("key %d", n)
	case 2:
		r.name = "\u043a\u043b\u044e\u0447 \U0001F511 e\u0301 \u202eabc"
		r.meta = `{"text":"\u0000 \ud83d\udd11","list":[1,2.5,null,{"deep":{"er":true}}],"big":12345678901234567890}`
	case 3:
		r.name, r.meta = strings.Repeat("\u00e4", 255), "{}"
	case 4:
		r.name, r.meta = "", ""
	}
	if n%9 == 0 {
		r.expires = s.Options.Now.UTC().Add(time.Duration(n%100-10) * time.Hour).Format(mySQLTime)
	}
	if n%13 == 0 {
		r.enabled = 0
	}
	if n%20 == 0 {
		r.ratelimit = 60_000
	}
	return r
}

// giveBalance gives the key one of the two forms of a balance, or none.
func (s *Set) giveBalance(r *keyRow) {
	balance := int64(r.n*7919) % 100_000
	switch r.n {
	case 42:
		balance = int64(s.most())
	case 43:
		balance = 0
	}
	day, amount, at := s.refill(r.n)
	switch form := r.n % 10; {
	case form < 2 || form == 9: // unlimited
		return
	case form < 7 || s.Options.Old:
		r.remaining, r.worth = balance, uint64(balance)
		if r.day, r.amount = day, amount; !at.IsZero() {
			r.refilled = at.Format(mySQLTime)
		}
	default: // the columns of the key say something else
		balance %= 1 << 31
		r.credits, r.worth = &creditRow{balance, day, amount, milli(at)}, uint64(balance)
		r.remaining, r.amount = 999_999, 999
	}
}

// link chooses the identity.
func (s *Set) link(r *keyRow) {
	if r.n%3 == 0 || r.identity != nil || s.Options.Identities == 0 {
		return
	}
	owner := r.n * 31 % s.Options.Identities
	r.identity = IdentityID(owner)
	if r.skipped || r.lost {
		return
	}
	limited := r.remaining != nil || r.credits != nil
	switch s.identityFate(owner) {
	case cannotBeTaken:
		r.lost = true
		s.problem("keys.identity_id")
	case isDeleted:
		r.lost = !limited && s.identityPays(owner)
		s.problem("keys.identity_id")
	case lives:
	}
}

// spoil gives some keys a flaw, or a state in which they are not taken.
func (s *Set) spoil(r *keyRow) {
	lose := func(column string) {
		r.lost = true
		s.problem(column)
	}
	switch r.n % 500 {
	case 111:
		r.hash = fmt.Sprintf("no hash %d", r.n)
		lose("keys.hash")
	case 112:
		r.meta = `{"cut":`
		lose("keys.meta")
	case 113:
		r.credits = nil
		if r.remaining = any(uint64(1)<<63 + 1); s.Options.Old {
			r.remaining = -5
		}
		lose("keys.remaining_requests")
	case 114:
		r.credits, r.remaining, r.day, r.amount, r.worth = nil, nil, nil, 10, 0
		s.problem("keys.refill_amount")
	case 115:
		r.deleted, r.skipped = int64(created+1), true
	case 116:
		r.forWorkspace, r.skipped = Workspace, true
	case 120:
		r.keyspace = id("ks", -1)
		lose("keys.key_auth_id")
	case 121:
		r.identity = id("id", -5)
		s.problem("keys.identity_id")
	case 124:
		r.expires = "0000-00-00 00:00:00"
		lose("keys.expires")
	case 125:
		r.name = strings.Repeat("n", 256)
		lose("keys.name")
	case 126:
		r.ratelimit = 10
		lose("keys.ratelimits.duration")
	case 127:
		r.meta = "[1,2]"
		lose("keys.meta")
	case 129:
		r.keyspace, r.skipped = id("ks", deletedAPI), true
	case 131:
		r.id = "key-" + r.id
		lose("keys.id")
	case 133:
		r.expires = "2150-01-01 00:00:00"
		lose("keys.expires")
	default:
		s.spoilBalance(r, lose)
		s.spoilNewer(r)
	}
}

// spoilBalance gives a balance a refill that cannot be, or means nothing.
func (s *Set) spoilBalance(r *keyRow, lose func(string)) {
	switch r.n % 500 {
	case 123:
		r.credits, r.remaining, r.worth, r.day, r.amount = nil, 5, 5, 32, 10
		lose("keys.refill_day")
	case 128:
		r.credits, r.remaining, r.worth, r.day, r.amount = nil, 7, 7, nil, 0
		s.problem("keys.refill_amount")
	case 130:
		r.credits, r.remaining, r.worth, r.day, r.amount = nil, 9, 9, 15, nil
		s.problem("keys.refill_day")
	case 134:
		if !s.Options.Old {
			r.credits = &creditRow{remaining: -1}
			lose("keys.credits.remaining")
		}
	}
}

// spoilNewer does what only the newer form can.
func (s *Set) spoilNewer(r *keyRow) {
	if s.Options.Old {
		return
	}
	switch r.n % 500 {
	case 118:
		sum := sha256.Sum256([]byte(Secret(r.n)))
		r.hash, r.pending, r.start = hex.EncodeToString(sum[:]), prefixedMigration, ""
	case 119:
		r.pending, r.start = sha256Migration, ""
	case 122:
		r.encrypted = true
		s.problem("encrypted_keys.encrypted")
	}
}

func (s *Set) writeKey(ctx context.Context, r *keyRow) {
	t := &s.tables
	t.keys.add(ctx, r.id, r.keyspace, r.hash, r.start, Workspace, r.forWorkspace, r.name, r.identity, r.meta, r.expires, r.enabled, r.remaining, r.day, r.amount,
		r.refilled, 0, r.pending, created+r.n, nil, r.deleted)
	if r.credits != nil {
		t.credits.add(ctx, id("cr", r.n), Workspace, r.id, nil, r.credits.remaining, r.credits.day, r.credits.amount, r.credits.filled, created, nil)
	}
	if r.ratelimit > 0 {
		t.ratelimits.add(ctx, id("rl", r.n), "requests", Workspace, r.id, nil, 10, r.ratelimit, 1, created)
	}
	if r.encrypted {
		t.encrypted.add(ctx, Workspace, r.id, "cipher", "vault")
	}
	if r.n%2 == 0 {
		t.keysPermissions.add(ctx, r.id, id("perm", r.n%permissionCount), Workspace)
		t.keysPermissions.add(ctx, r.id, id("perm", (r.n+7)%permissionCount), Workspace)
	}
	if r.n%5 == 0 {
		t.keysRoles.add(ctx, r.id, id("role", r.n%roleCount), Workspace)
	}
	switch {
	case r.skipped:
		s.Expect.Skipped["keys"]++
	case !r.lost:
		s.take("key")
		s.taken[r.n] = true
		s.Expect.Keys += r.worth
		if !r.refills() {
			s.Expect.Plain += r.worth
		}
	}
}
