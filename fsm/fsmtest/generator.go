package fsmtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/creditd/creditd/fsm"
)

// Generator makes random batches and queries about a handful of things, so that commands meet each other. It knows which ids it
// gave out but not what became of them: many of its commands are refused, and that is intended.
//
// The same seed makes the same sequence.
type Generator struct {
	rng  *rand.Rand
	now  int64 // Unix ms
	last int64 // no stamp is later, unless by a few days

	keys, identities, apis, rootKeys  int // ids given out so far
	ratelimits, namespaces, overrides int

	// ReuseIDs lets a key be made under the id of one that was deleted for good. Proposers never do that.
	ReuseIDs bool
	gone     map[string]bool // keys that were perhaps deleted for good

	permissionIDs, roleIDs int // given out so far

	imported       []*fsm.KeyRecord // lately
	importedOwners []*fsm.IdentityRecord
	things         []fsm.Record // imported lately, of other kinds
	importer       fsm.Hash     // of the import that is made

	owned []int // keys that aboutOwners made lately

	sent     []fsm.Call // lately, with names
	capacity uint64     // for their outcomes
}

// NewGenerator returns a generator for a seed.
func NewGenerator(seed uint64) *Generator {
	return &Generator{
		rng:      rand.New(rand.NewPCG(seed, 0)),
		capacity: []uint64{0, 4, 9, 40, 100}[seed%5],
		now:      time.Date(2023, time.December, 30, 21, 4, 5, 678e6, time.UTC).UnixMilli(),
		last:     time.Date(2105, time.January, 1, 0, 0, 0, 0, time.UTC).UnixMilli(),
		gone:     make(map[string]bool),
	}
}

// chance is true in n of 100 cases.
func (g *Generator) chance(n int) bool { return g.rng.IntN(100) < n }

func pick[T any](g *Generator, of ...T) T { return of[g.rng.IntN(len(of))] }

// Root is the hash of the bootstrap root key.
var Root = rootHash(0)

func rootHash(n int) fsm.Hash { return fsm.Hash{0: 'r', 1: byte(n), 2: byte(n >> 8)} }

func keyHash(n int) fsm.Hash { return fsm.Hash{0: 'k', 1: byte(n), 2: byte(n >> 8)} }

// other is the hash of the root key of the second workspace.
var other = rootHash(1)

// Setup returns the batches that every sequence starts with: two workspaces, root keys of all sorts, three APIs.
func (g *Generator) Setup() []fsm.Batch {
	grants := [][]string{
		1: EveryPermission(),
		2: {"api.*.verify_key"},
		3: {"api.api_1.create_key", "api.api_1.update_key", "api.api_1.read_key", "api.api_1.verify_key"},
		4: EveryPermission(), // expires after a while
		5: {"api.*.read_key", "api.*.read_api", "identity.*.read_identity", "identity.id_2.update_identity"},
		6: {"*", "api.*.*", "API.*.VERIFY_KEY", "api.api_1", "identity.*", "identity.b.read_identity"},
		7: {
			"import.*.write", "api.*.create_key", "api.api_2.encrypt_key", "api.api_2.read_key", "api.api_2.decrypt_key", "api.api_2.delete_key",
			"identity.*.update_identity", "identity.*.delete_identity", "identity.*.create_identity",
		},
		8: {
			"api.*.update_key", "api.*.read_key", "rbac.*.add_permission_to_key", "rbac.*.create_role", "rbac.*.add_permission_to_role",
			"rbac.*.read_role", "rbac.*.remove_permission_from_role",
		},
		9: {"api.api_1.update_key", "rbac.*.remove_permission_from_key", "rbac.*.create_permission", "rbac.*.read_permission"},
		10: {
			"ratelimit.*.limit", "ratelimit.rlns_2.set_override", "ratelimit.rlns_1.read_override", "ratelimit.rlns_1.delete_override",
			"ratelimit.*.set_override", "ratelimit.rlns_2.limit",
		},
		11: {"ratelimit.rlns_1.limit", "ratelimit.*.create_namespace", "ratelimit.*.read_override", "ratelimit.rlns_1.set_override"},
	}
	calls := []fsm.Call{
		{Command: &fsm.Bootstrap{
			ClusterID: "cl_1", WorkspaceID: "ws_1", WorkspaceName: "first", RootKeyID: "key_root_0", RootKeyHash: Root,
		}},
		{Actor: Root, Command: &fsm.CreateWorkspace{ID: "ws_2", Name: "second"}},
	}
	for n := 1; n < len(grants); n++ {
		c := &fsm.CreateRootKey{
			ID: rootKeyID(n), Hash: rootHash(n), Name: "root", Permissions: grants[n], Expires: fsm.Never,
		}
		switch n {
		case 1:
			c.WorkspaceID = "ws_2"
		case 4:
			c.Expires = g.now + time.Minute.Milliseconds()
		}
		calls = append(calls, fsm.Call{Actor: Root, Command: c})
	}
	calls = append(calls,
		fsm.Call{Actor: Root, Command: &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "one"}},
		fsm.Call{Actor: Root, Command: &fsm.CreateAPI{ID: "api_2", KeyspaceID: "ks_2", Name: "two"}},
		fsm.Call{Actor: other, Command: &fsm.CreateAPI{ID: "api_3", KeyspaceID: "ks_3", Name: "three"}})
	g.apis, g.rootKeys = 3, len(grants)
	return []fsm.Batch{{Stamp: g.now, Calls: calls}}
}

func rootKeyID(n int) string { return fmt.Sprintf("key_root_%d", n) }

// Next returns the next batch. Now and then it is empty.
func (g *Generator) Next() fsm.Batch {
	b := fsm.Batch{Stamp: g.stamp(), IdempotencyMaxKeys: g.capacity, Calls: make([]fsm.Call, g.rng.IntN(6))}
	for i := range b.Calls {
		b.Calls[i] = g.Call()
	}
	return b
}

// stamp moves the leader's clock: mostly a little, at times far, to the very edge of a day, or back.
func (g *Generator) stamp() int64 {
	const day = 24 * time.Hour
	var step time.Duration
	switch n := g.rng.IntN(100); {
	case n < 25:
	case n < 50:
		step = time.Duration(g.rng.IntN(1500)) * time.Millisecond
	case n < 65:
		step = time.Duration(g.rng.IntN(70)) * time.Second
	case n < 72:
		step = time.Duration(g.rng.IntN(20)) * time.Hour
	case n < 80:
		midnight := time.UnixMilli(g.now).UTC().Truncate(day).Add(day)
		step = midnight.Sub(time.UnixMilli(g.now)) + pick(g, -time.Millisecond, 0, time.Millisecond)
	case n < 86:
		step = day * time.Duration(1+g.rng.IntN(3))
	case n < 89:
		step = day * time.Duration(g.rng.IntN(70))
	case n < 90 && g.chance(30):
		step = day * time.Duration(g.rng.IntN(800))
	case n < 94: // a new leader whose clock is behind
		return max(0, g.now-g.rng.Int64N(int64(pick(g, time.Second, day, 400*day)/time.Millisecond)))
	}
	if g.now < g.last {
		g.now += step.Milliseconds()
	}
	return g.now
}

// Call returns one command of a random caller.
func (g *Generator) Call() fsm.Call {
	c := fsm.Call{Actor: g.actor(), Command: g.command(), Origin: g.origin()}
	if _, imports := c.Command.(*fsm.ImportRecords); imports && g.chance(90) {
		c.Actor = g.importer
	}
	return byImporter(g.withKey(c))
}

func (g *Generator) actor() fsm.Hash {
	switch n := g.rng.IntN(100); {
	case n < 66:
		return Root
	case n < 80:
		return other
	case n < 97:
		return rootHash(2 + g.rng.IntN(max(1, g.rootKeys-2)))
	case n < 98:
		return g.keyHash() // a key that is no root key
	default:
		return pick(g, fsm.Hash{}, rootHash(999))
	}
}

func (g *Generator) command() fsm.Command {
	if g.chance(12) {
		return g.replacing()
	}
	if g.chance(8) {
		return g.verifyKeys()
	}
	if g.chance(15) {
		return g.aboutOwners()
	}
	if g.chance(14) {
		return g.imports()
	}
	if g.chance(2) {
		return g.quotas()
	}
	switch n := g.rng.IntN(126); {
	case n >= 118:
		return g.limitCommand()
	case n >= 100:
		return g.accessCommand()
	case n < 44:
		return &fsm.VerifyKey{Hash: g.keyHash(), Cost: g.cost(), Ratelimits: g.checks(), Query: g.permissionQuery()}
	case n < 54:
		return &fsm.UpdateKeyCredits{KeyID: g.keyID(), Change: g.balanceChange()}
	case n < 61:
		return &fsm.UpdateIdentityCredits{Identity: g.identityRef(), Change: g.balanceChange()}
	case n < 70:
		return g.createKey()
	case n < 80:
		return g.updateKey()
	case n < 84:
		return g.deleteKey()
	case n < 89:
		return g.createIdentity()
	case n < 94:
		return g.updateIdentity()
	case n < 96:
		return &fsm.DeleteIdentity{Identity: g.identityRef(), DeleteKeys: g.chance(25)}
	default:
		return g.createOther()
	}
}

func (g *Generator) createOther() fsm.Command {
	if g.chance(15) {
		return g.end()
	}
	switch g.rng.IntN(4) {
	case 0:
		id := fmt.Sprintf("api_%d", 1+g.fresh(&g.apis, 5))
		return &fsm.CreateAPI{ID: id, KeyspaceID: "ks" + id[3:], Name: g.text()}
	case 1:
		n := g.fresh(&g.rootKeys, 16)
		return &fsm.CreateRootKey{
			ID: rootKeyID(n), Hash: pick(g, rootHash(n), rootHash(n), rootHash(n), g.keyHash()), Name: g.text(),
			WorkspaceID: pick(g, "", "ws_1", "ws_2", "ws_3", "ws_none"), Permissions: g.permissions(), Expires: g.expires(), Nonce: g.nonce(),
		}
	case 2:
		return &fsm.CreateWorkspace{ID: pick(g, "ws_1", "ws_2", "ws_3"), Name: g.text()}
	default:
		return &fsm.Bootstrap{ClusterID: "cl_2", WorkspaceID: "ws_9", RootKeyID: "key_root_99", RootKeyHash: rootHash(99)}
	}
}

// permissions are in no order and may repeat.
func (g *Generator) permissions() []string {
	all := append(EveryPermission(), "api.api_1.verify_key", "api.api_2.update_key", "identity.id_3.read_identity", "x.y")
	list := make([]string, g.rng.IntN(8))
	for i := range list {
		list[i] = pick(g, all...)
	}
	return list
}

// fresh gives out a number: mostly a new one while there are fewer than limit, else one that was given out before.
func (g *Generator) fresh(given *int, limit int) int {
	if *given == 0 || *given < limit && !g.chance(10) {
		*given++
		return *given - 1
	}
	return g.rng.IntN(*given)
}

// keyID names one of the keys made lately: older ones are mostly deleted.
func (g *Generator) keyID() string { return fmt.Sprintf("key_%d", g.recent(g.keys, 14)) }

func (g *Generator) keyHash() fsm.Hash {
	if g.chance(1) {
		return Root
	}
	return keyHash(g.recent(g.keys, 14))
}

func (g *Generator) recent(given, n int) int {
	if g.chance(10) {
		return g.rng.IntN(given + 1)
	}
	return max(0, given-1-g.rng.IntN(n))
}

// externalIDs is short, and has names that are also ids.
var externalIDs = []string{"a", "b", "c", "d.e", "id_1", "id_4"}

func (g *Generator) externalID() string { return pick(g, externalIDs...) }

func (g *Generator) identityID() string { return fmt.Sprintf("id_%d", g.recent(g.identities, 8)) }

func (g *Generator) newIdentityID() string {
	return fmt.Sprintf("id_%d", g.fresh(&g.identities, math.MaxInt))
}

func (g *Generator) identityRef() string {
	if g.chance(70) {
		return g.externalID()
	}
	return g.identityID()
}

func (g *Generator) text() string {
	return pick(g, "", "x", "a name of some length", "größer ✓", string([]byte{0xff, 0}))
}

func (g *Generator) meta() string {
	return pick(g, "", "{}", `{"a":1}`, `{"plan":{"name":"pro","seats":[1,2]}}`)
}

func (g *Generator) expires() int64 {
	if g.chance(70) {
		return fsm.Never
	}
	return pick(g, 0, g.now, g.now-1, g.now+1, g.now+int64(g.rng.IntN(100_000)), g.now+g.rng.Int64N(1<<32))
}

func (g *Generator) cost() int64 {
	if g.chance(60) {
		return 1
	}
	return pick[int64](g, 0, 0, 2, 5, 40, 1_000_000_000_000, math.MaxInt64)
}

// amount is mostly small, so that balances run out, and at times at the limit.
func (g *Generator) amount() int64 {
	if g.chance(80) {
		return g.rng.Int64N(60)
	}
	return pick[int64](g, 0, 1, 1_000_000, 1_000_000_000_000, math.MaxInt64-1, math.MaxInt64)
}

// refill makes a day where none belongs, and none where one does.
func (g *Generator) refill() fsm.Refill {
	r := fsm.Refill{Interval: pick(g, fsm.Daily, fsm.Monthly), Amount: max(1, g.amount())}
	switch wrong := g.chance(12); {
	case r.Interval == fsm.Daily && wrong:
		r.Day = 5
	case r.Interval == fsm.Monthly && !wrong:
		r.Day = pick(g, 1, 2, 15, 27, 28, 29, 30, 31, uint8(1+g.rng.IntN(31)))
	}
	return r
}

func (g *Generator) newCredits() fsm.NewCredits {
	c := fsm.NewCredits{Limited: g.chance(70)}
	if c.Limited {
		c.Remaining = g.amount()
	}
	if g.chance(5) || c.Limited && g.chance(60) {
		c.Refill = g.refill()
	}
	return c
}

func (g *Generator) balanceChange() fsm.BalanceChange {
	c := fsm.BalanceChange{Op: pick(g, fsm.SetBalance, fsm.Increment, fsm.Decrement), Limited: g.chance(90)}
	if c.Limited {
		c.Value = g.amount()
	}
	return c
}

func (g *Generator) creditsChange() fsm.CreditsChange {
	if g.chance(45) {
		return fsm.CreditsChange{}
	}
	if g.chance(8) {
		return fsm.CreditsChange{Unlimited: true}
	}
	return fsm.CreditsChange{Remaining: maybe(g, g.amount()), Refill: maybe(g, g.refill())}
}

// maybe makes a field in each of its states.
func maybe[T any](g *Generator, v T) fsm.Field[T] {
	switch g.rng.IntN(5) {
	case 0:
		return fsm.Clear[T]()
	case 1, 2:
		return fsm.Set(v)
	default:
		return fsm.Field[T]{}
	}
}

// given is maybe for a field that cannot be null.
func given[T any](g *Generator, v T) fsm.Field[T] {
	if g.chance(30) {
		return fsm.Set(v)
	}
	return fsm.Field[T]{}
}

func (g *Generator) createKey() *fsm.CreateKey {
	n := g.fresh(&g.keys, math.MaxInt)
	for !g.ReuseIDs && g.gone[fmt.Sprintf("key_%d", n)] {
		n = g.fresh(&g.keys, math.MaxInt)
	}
	c := &fsm.CreateKey{
		ID: fmt.Sprintf("key_%d", n), Hash: keyHash(n), Start: "sk_abcd", Name: g.text(), Meta: g.meta(),
		APIID: pick(g, "api_1", "api_1", "api_2", "api_3", "api_4", "api_none"), Expires: g.expires(),
		Enabled: g.chance(90), Recoverable: g.chance(5), Credits: g.newCredits(),
		Ratelimits: g.limits(true), Nonce: g.nonce(),
	}
	if g.chance(10) {
		c.Hash = pick(g, g.keyHash(), rootHash(g.rng.IntN(g.rootKeys)))
	}
	if g.chance(30) {
		c.Permissions, c.Roles = g.slugRefs(), g.roleNames()
	}
	if g.chance(60) {
		c.ExternalID, c.IdentityID = g.externalID(), g.newIdentityID()
	}
	return c
}

func (g *Generator) deleteKey() *fsm.DeleteKey {
	c := &fsm.DeleteKey{KeyID: g.keyID(), Permanent: g.chance(50)}
	g.gone[c.KeyID] = g.gone[c.KeyID] || c.Permanent
	return c
}

func (g *Generator) updateKey() *fsm.UpdateKey {
	c := &fsm.UpdateKey{
		KeyID: g.keyID(), Name: maybe(g, g.text()), Meta: maybe(g, g.meta()), Expires: maybe(g, g.expires()),
		Enabled: given(g, g.chance(80)), ExternalID: maybe(g, g.externalID()), Credits: g.creditsChange(),
		Ratelimits: given(g, g.limits(true)),
	}
	if c.ExternalID.State == fsm.Given {
		c.IdentityID = g.newIdentityID()
	}
	if g.chance(30) {
		c.Permissions, c.Roles = given(g, g.slugRefs()), given(g, g.roleNames())
	}
	return c
}

func (g *Generator) createIdentity() *fsm.CreateIdentity {
	return &fsm.CreateIdentity{
		ID: g.newIdentityID(), ExternalID: g.externalID(), Meta: g.meta(), Credits: g.newCredits(), Policy: g.policy(),
		Ratelimits: g.limits(true),
	}
}

func (g *Generator) updateIdentity() *fsm.UpdateIdentity {
	return &fsm.UpdateIdentity{
		Identity: g.identityRef(), Meta: given(g, g.meta()), Credits: g.creditsChange(), Policy: given(g, g.policy()),
		Ratelimits: given(g, g.limits(g.chance(20))),
	}
}

func (g *Generator) policy() fsm.Policy { return pick(g, fsm.IdentityPays, fsm.KeyPays, fsm.BothPay) }
