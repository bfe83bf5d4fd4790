package codec_test

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"

	"github.com/creditd/creditd/fsm"
)

// hash returns a hash that is easy to find in a dump.
func hash(b byte) (h fsm.Hash) {
	for i := range h {
		h[i] = b + byte(i)
	}
	return h
}

var ratelimits = []fsm.Ratelimit{
	{ID: "rl_1", Name: "requests", Limit: 100, Duration: 60_000, AutoApply: true},
	{ID: "rl_2", Name: "tokens", Limit: math.MaxInt64, Duration: 2_592_000_000},
}

// commandSamples has one command of each type and in each shape that its encoding branches on. The golden files hold their
// encoding: change none, append.
var commandSamples = []fsm.Command{
	&fsm.Bootstrap{
		ClusterID: "cl_1", WorkspaceID: "ws_1", WorkspaceName: "default", RootKeyID: "key_root", RootKeyHash: hash(1),
	},
	&fsm.CreateWorkspace{ID: "ws_2", Name: "zweite ✓"},
	&fsm.CreateRootKey{
		ID: "key_r2", Hash: hash(2), Name: "ci", WorkspaceID: "ws_2",
		Permissions: []string{"api.*.verify_key", "api.api_1.read_key", ""}, Expires: 1_790_000_000_000,
	},
	&fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "payments"},
	&fsm.CreateKey{
		ID: "key_1", Hash: hash(3), Start: "sk_3fTq", APIID: "api_1", Name: "k", ExternalID: "user.1", IdentityID: "id_1",
		Meta: `{"a":[1,null]}`, Expires: fsm.Never, Enabled: true, Recoverable: true,
		Credits: fsm.NewCredits{
			Limited: true, Remaining: math.MaxInt64, Refill: fsm.Refill{Interval: fsm.Monthly, Amount: 100, Day: 31},
		},
	},
	&fsm.CreateKey{ID: "key_2", Hash: hash(4), APIID: "api_1"},
	&fsm.UpdateKey{
		KeyID: "key_1", Name: fsm.Set("new"), ExternalID: fsm.Set("user.2"), IdentityID: "id_2", Meta: fsm.Set("{}"),
		Expires: fsm.Set(int64(0)), Enabled: fsm.Set(false),
		Credits: fsm.CreditsChange{
			Remaining: fsm.Set(int64(5)), Refill: fsm.Set(fsm.Refill{Interval: fsm.Daily, Amount: 7}),
		},
	},
	&fsm.UpdateKey{
		KeyID: "key_1", Name: fsm.Clear[string](), ExternalID: fsm.Clear[string](), Meta: fsm.Clear[string](),
		Expires: fsm.Clear[int64](),
		Credits: fsm.CreditsChange{
			Remaining: fsm.Clear[int64](), Refill: fsm.Clear[fsm.Refill](),
		},
	},
	&fsm.UpdateKey{KeyID: "key_1", Credits: fsm.CreditsChange{Unlimited: true}},
	&fsm.DeleteKey{KeyID: "key_1", Permanent: true},
	&fsm.UpdateKeyCredits{KeyID: "key_1", Change: fsm.BalanceChange{Op: fsm.SetBalance}},
	&fsm.UpdateKeyCredits{KeyID: "key_1", Change: fsm.BalanceChange{Op: fsm.Increment, Limited: true, Value: 300}},
	&fsm.UpdateIdentityCredits{Identity: "id_1", Change: fsm.BalanceChange{Op: fsm.Decrement, Limited: true, Value: 127}},
	&fsm.CreateIdentity{
		ID: "id_1", ExternalID: "user.1", Meta: "{}", Policy: fsm.BothPay,
		Credits: fsm.NewCredits{Limited: true, Refill: fsm.Refill{Interval: fsm.Daily, Amount: 1}},
	},
	&fsm.UpdateIdentity{Identity: "user.1", Meta: fsm.Set(`{"x":"y"}`), Policy: fsm.Set(fsm.KeyPays)},
	&fsm.DeleteIdentity{Identity: "user.1"},
	&fsm.VerifyKey{Hash: hash(5), Cost: 1_000_000_000_000},
	&fsm.VerifyKey{Hash: hash(6), Cost: 0},

	&fsm.DeleteAPI{APIID: "api_1"},
	&fsm.RevokeRootKey{KeyID: "key_r2"},
	&fsm.UpdateWorkspace{WorkspaceID: "ws_2", Enabled: true},
	&fsm.RerollKey{KeyID: "key_1", NewID: "key_3", Hash: hash(7), Start: "sk_9", Expiration: 60_000, RatelimitIDs: []string{"rl_8", ""}},
	&fsm.CreateMigration{ID: "mig_1", Algorithm: fsm.PrefixedAPIKey},
	&fsm.MigrateKeys{MigrationID: "mig_1", APIID: "api_1"},
	&fsm.MigrateKeys{MigrationID: "mig_1", APIID: "api_1", Keys: []fsm.MigratedKey{
		{
			ID: "key_4", Hash: hash(8), Form: fsm.SHA256, Name: "n", ExternalID: "user.1", IdentityID: "id_1", Meta: "{}", Expires: 5,
			Enabled: true, Credits: fsm.NewCredits{Limited: true, Remaining: 7},
		},
		{ID: "key_5"},
	}},
	&fsm.VerifyMigrated{Verify: fsm.VerifyKey{Hash: hash(9), Cost: 1}, MigrationID: "mig_1", Hash: hash(10), Start: "p_1"},
	&fsm.VerifyMigrated{
		Verify:      fsm.VerifyKey{Hash: hash(9), Query: "a", Ratelimits: []fsm.RatelimitCheck{{Name: "tokens", Cost: 1}}},
		MigrationID: "mig_1", Hash: hash(10),
	},

	&fsm.OpenSession{Node: "node_1"},
	&fsm.VerifyKey{Hash: hash(7), Cost: 1, Query: "docs.read AND (docs.write OR admin)"},
	&fsm.CreateKey{
		ID: "key_3", Hash: hash(8), APIID: "api_1", Permissions: []fsm.PermissionRef{{Slug: "docs.read", ID: "perm_1"}, {}},
		Roles: []string{"editor", "Größe"},
	},
	&fsm.UpdateKey{
		KeyID: "key_3", Permissions: fsm.Set([]fsm.PermissionRef{{Slug: "docs.read", ID: "perm_1"}}), Roles: fsm.Set([]string{"editor"}),
	},
	&fsm.UpdateKey{KeyID: "key_3", Permissions: fsm.Set[[]fsm.PermissionRef](nil), Roles: fsm.Set[[]string](nil)},
	&fsm.CreatePermission{ID: "perm_1", Name: "Read", Slug: "docs.read", Description: "reads"},
	&fsm.DeletePermission{Permission: "docs.read"},
	&fsm.CreateRole{
		ID: "role_1", Name: "editor", Description: "edits", Permissions: []fsm.PermissionRef{{Slug: "docs.read", ID: "perm_1"}},
	},
	&fsm.DeleteRole{Role: "editor"},
	&fsm.SetRolePermissions{RoleID: "role_1", Permissions: []fsm.PermissionRef{{Slug: "docs.read", ID: "perm_1"}}},
	&fsm.LinkKeyPermissions{KeyID: "key_1", Op: fsm.SetLinks, Permissions: []fsm.PermissionRef{{Slug: "docs.read", ID: "perm_1"}}},
	&fsm.LinkKeyRoles{KeyID: "key_1", Op: fsm.AddLinks, Roles: []string{"editor"}},

	// Rate limits.
	&fsm.CreateKey{ID: "key_3", Hash: hash(7), APIID: "api_1", Ratelimits: ratelimits},
	&fsm.UpdateKey{KeyID: "key_1", Ratelimits: fsm.Set(ratelimits)},
	&fsm.CreateIdentity{ID: "id_2", ExternalID: "user.2", Ratelimits: ratelimits},
	&fsm.UpdateIdentity{Identity: "id_2", Ratelimits: fsm.Set([]fsm.Ratelimit(nil))},
	&fsm.VerifyKey{Hash: hash(5), Cost: 1, Ratelimits: []fsm.RatelimitCheck{
		{Name: "tokens", Cost: 300}, {Name: "requests", Cost: 1, AdHoc: true, Limit: 10, Duration: 60_000},
	}},
	&fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{
		{Namespace: "email", NamespaceID: "rlns_1", Identifier: "user ✓", Limit: 10, Duration: 60_000, Cost: 1}, {Namespace: "rlns_2"},
	}},
	&fsm.SetOverride{ID: "rlor_1", Namespace: "email", Identifier: "user_*", Limit: 200, Duration: 120_000},
	&fsm.DeleteOverride{Namespace: "email", Identifier: "user_*"},
	&fsm.VerifyKey{Hash: hash(5), Cost: 1, Query: "docs.read", Ratelimits: []fsm.RatelimitCheck{{Name: "tokens", Cost: 1}}},

	&fsm.VerifyKeys{},
	&fsm.VerifyKeys{Atomic: true, Items: []fsm.Verification{
		{Command: &fsm.VerifyKey{Hash: hash(5), Cost: 1}},
		{Command: &fsm.VerifyKey{Hash: hash(6), Query: "docs.read"}},
		{Command: &fsm.VerifyMigrated{Verify: fsm.VerifyKey{Hash: hash(9), Cost: 1}, MigrationID: "mig_1", Hash: hash(10), Start: "p_1"}},
	}},

	&fsm.MigrateKeys{MigrationID: "mig_1", APIID: "api_1", Keys: []fsm.MigratedKey{{ID: "key_6"}, {
		ID: "key_7", Hash: hash(8), Form: fsm.SHA256, MigratedAccess: fsm.MigratedAccess{
			Permissions: []fsm.PermissionRef{{Slug: "docs.read", ID: "perm_1"}}, Roles: []fsm.RoleRef{{Name: "editor", ID: "role_1"}},
			Ratelimits: ratelimits,
		},
	}}},
	&fsm.VerifyKeys{Items: []fsm.Verification{{Command: &fsm.VerifyKey{Hash: hash(5), Cost: 1}, Idempotency: idempotency(3)}}},
}

func idempotency(b byte) *fsm.Idempotency {
	h, g := hash(b), hash(b+1)
	return &fsm.Idempotency{Key: fsm.ShortHash(h[:16]), Fingerprint: fsm.ShortHash(g[:16])}
}

var originSample = fsm.Origin{RequestID: "req_1", RemoteAddr: "[2001:db8::1]:4711", UserAgent: "curl/8 ✓"}

// batchSample has all of them, from three actors, and one more with its origin.
func batchSample() fsm.Batch {
	b := fsm.Batch{Stamp: 1_764_000_000_123}
	for i, c := range commandSamples {
		b.Calls = append(b.Calls, fsm.Call{Actor: []fsm.Hash{{}, hash(1), hash(2)}[i%3], Command: c})
	}
	b.Calls = append(b.Calls, fsm.Call{Actor: hash(1), Command: &fsm.DeleteAPI{APIID: "api_1"}, Origin: &originSample})
	b.IdempotencyMaxKeys = 2_000_000
	for i := range b.Calls {
		if i%7 == 6 {
			b.Calls[i].Idempotency = idempotency(byte(i))
		}
	}
	return b
}

var resultSamples = []fsm.Result{
	&fsm.Done{},
	&fsm.Created{ID: "key_1"},
	&fsm.Opened{Session: 1 << 63},
	&fsm.Refusal{Code: fsm.InsufficientPermissions, Accepted: []string{"api.*.read_key", "api.api_1.read_key"}},
	&fsm.Refusal{Code: fsm.InvalidInput, Detail: "value must not be negative"},
	&fsm.Refusal{Code: fsm.IDTaken},
	&fsm.Credits{},
	&fsm.Credits{
		Limited: true, Remaining: math.MaxInt64, Refill: fsm.Refill{Interval: fsm.Monthly, Amount: 64, Day: 15},
	},
	&fsm.API{ID: "api_1", Name: "payments"},
	&fsm.Identity{
		ID: "id_1", ExternalID: "user.1", Meta: "{}", Policy: fsm.KeyPays,
		Credits: fsm.Credits{Limited: true, Refill: fsm.Refill{Interval: fsm.Daily, Amount: 5}},
	},
	&fsm.Key{ID: "key_2", Start: "3fTq", Expires: fsm.Never},
	&fsm.Key{
		ID: "key_1", Start: "sk_3fTq", Name: "k", Meta: `{"a":1}`, Enabled: true, CreatedAt: 1_764_000_000_000,
		UpdatedAt: 1_764_000_000_001, LastUsedAt: 1_764_000_000_002, Expires: 4_102_444_800_000,
		Credits:  fsm.Credits{Limited: true, Remaining: 63},
		Identity: &fsm.Identity{ID: "id_1", ExternalID: "user.1", Meta: "{}", Policy: fsm.BothPay},
	},
	&fsm.Verdict{Code: fsm.NotFound},
	&fsm.Verdict{
		Code: fsm.UsageExceeded, Enabled: true, Limited: true, Credits: 2, Expires: fsm.Never, KeyID: "key_1", Name: "k",
		Meta: "{}", Identity: &fsm.VerdictIdentity{ID: "id_1", ExternalID: "user.1", Meta: "{}"},
	},

	&fsm.Keys{},
	&fsm.Keys{List: []fsm.Key{{ID: "key_1", Identity: &fsm.Identity{ID: "id_1"}}, {ID: "key_2", Expires: 5}}, Next: "key_3"},
	&fsm.Identities{List: []fsm.Identity{{ID: "id_1", ExternalID: "user.1"}}, Next: "id_2"},
	&fsm.RootKeys{
		List: []fsm.RootKey{{
			ID: "key_r", Name: "ci", WorkspaceID: "ws_1", Permissions: []string{"a", "b"}, CreatedAt: 1, Expires: 2, Enabled: true,
		}}, Next: "key_s",
	},
	&fsm.KeyStart{Text: "sk_3fTq", Ratelimits: 2},
	&fsm.Migrated{IDs: []string{"key_4", ""}},
	&fsm.Refusal{Code: fsm.MigrationExists},
	&fsm.Workspaces{List: []fsm.Workspace{{ID: "ws_1", Name: "n", CreatedAt: 1, Enabled: true}}, Next: "ws_2"},

	&fsm.Verdict{
		Code: fsm.NotPermitted, KeyID: "key_1", Expires: fsm.Never,
		Access: &fsm.VerdictAccess{Permissions: []string{"docs.read"}, Roles: []string{"editor"}},
	},
	&fsm.Key{ID: "key_3", Expires: fsm.Never, Permissions: []string{"docs.read", "docs.write"}, Roles: []string{"editor"}},
	&fsm.Refusal{Code: fsm.QuerySyntax, Detail: "at position 30"},
	&fsm.Permission{ID: "perm_1", Name: "Read", Slug: "docs.read", Description: "reads"},
	&fsm.Role{
		ID: "role_1", Name: "editor", Description: "edits",
		Permissions: []fsm.Permission{{ID: "perm_1", Name: "Read", Slug: "docs.read", Description: "reads"}},
	},
	&fsm.PermissionList{Permissions: []fsm.Permission{{ID: "perm_1", Name: "Read", Slug: "docs.read"}, {}}, Next: "perm_2"},
	&fsm.RoleList{Roles: []fsm.Role{{ID: "role_1", Name: "editor"}}, Next: "role_2"},

	// Rate limits.
	&fsm.Verdict{
		Code: fsm.RateLimited, KeyID: "key_1",
		Identity:   &fsm.VerdictIdentity{ID: "id_1", ExternalID: "user.1", Ratelimits: ratelimits[1:]},
		Ratelimits: []fsm.RatelimitState{{Ratelimit: ratelimits[0], Reset: 1_764_000_060_000, Remaining: 99, Exceeded: true}},
	},
	&fsm.RatelimitResults{Passed: true, Requests: []fsm.RatelimitResult{
		{Passed: true, Limit: 200, Remaining: 199, Reset: 1_764_000_060_000, OverrideID: "rlor_1"}, {},
	}},
	&fsm.Override{ID: "rlor_1", Identifier: "user_*", Limit: 200, Duration: 120_000},
	&fsm.Overrides{List: []fsm.Override{{ID: "rlor_1", Identifier: "user_*", Duration: 1000}}, Next: "rlor_2"},
	&fsm.Refusal{Code: fsm.RatelimitOverrideNotFound},
	&fsm.Verdicts{},
	&fsm.Verdicts{Passed: true, Results: []fsm.Result{
		&fsm.Verdict{Code: fsm.Valid, KeyID: "key_1", Expires: fsm.Never}, &fsm.Refusal{Code: fsm.AnswerTooLarge},
	}},

	&fsm.AuditEntries{List: []fsm.AuditEntry{auditSample, {Event: fsm.APICreated}}, Next: "0000000000000005-00000000"},
	&fsm.IdempotentReplay{Result: &fsm.Created{ID: "key_1"}, Index: 300},
	&fsm.Refusal{Code: fsm.IdempotencyStoreFull, RetryAfter: 86_400},
	&fsm.Rerolled{ID: "key_3", Start: "sk_9fTq"},
	&fsm.Refusal{Code: fsm.KeyMalformed},
}

var auditSample = fsm.AuditEntry{
	Index: 300, Time: 1_764_000_000_000, Event: fsm.KeyCreditsUpdated, ActorID: "key_root", ActorName: "ci", Origin: &originSample,
	Resources: []fsm.AuditResource{{Type: fsm.IdentityResource, ID: "id_1"}, {Type: fsm.KeyResource, ID: "key_1"}}, Omitted: 7,
	Balances: []fsm.AuditBalance{{
		Owner: fsm.AuditResource{Type: fsm.KeyResource, ID: "key_1"}, After: fsm.Balance{Limited: true, Remaining: math.MaxInt64},
	}},
}

var recordSamples = []fsm.Record{
	&fsm.MetaRecord{
		ClusterID: "cl_1", Clock: 1_764_000_000_123, Totals: fsm.Totals{Granted: math.MaxUint64, Withdrawn: 1 << 63, Debited: 7}, Sessions: 12,
		LedgerVersion: 1,
	},
	&fsm.WorkspaceRecord{ID: "ws_1", Name: "default", CreatedAt: 1_764_000_000_000, Enabled: true},
	&fsm.RootKeyRecord{
		ID: "key_root", Hash: hash(1), Name: "ci", WorkspaceID: "ws_1", Permissions: []string{"a.*.b", "a.c.b"},
		CreatedAt: 1_764_000_000_000, Expires: fsm.Never, Enabled: true,
	},
	&fsm.APIRecord{ID: "api_1", KeyspaceID: "ks_1", Name: "payments", WorkspaceID: "ws_1", CreatedAt: 1_764_000_000_001},
	&fsm.IdentityRecord{
		ID: "id_1", ExternalID: "user.1", WorkspaceID: "ws_1", Meta: "{}", Policy: fsm.BothPay, CreatedAt: 1, Deleted: true,
	},
	&fsm.KeyRecord{
		ID: "key_1", Hash: hash(3), Start: "sk_3fTq", APIID: "api_1", IdentityID: "id_1", Name: "k", Meta: `{"a":1}`,
		CreatedAt: 1, UpdatedAt: 2, LastUsedAt: 300, Expires: fsm.Never, Enabled: true, Deleted: true,
	},
	&fsm.CreditRecord{
		Owner: "id_1", Identity: true, Remaining: math.MaxInt64, Refill: fsm.Refill{Interval: fsm.Monthly, Amount: 100, Day: 31},
		RefilledAt: 1_763_942_400_000, Considered: 20_416,
	},
	&fsm.CreditRecord{Owner: "key_1", Remaining: 0, Refill: fsm.Refill{Interval: fsm.Daily, Amount: 1}, Considered: 1},
	&fsm.CreditRecord{Owner: "key_2", Remaining: 12},
	&fsm.APIRecord{ID: "api_2", KeyspaceID: "ks_2", Name: "old", WorkspaceID: "ws_1", CreatedAt: 1, Protected: true, Deleted: true},
	&fsm.MigrationRecord{ID: "mig_1", WorkspaceID: "ws_1", Algorithm: fsm.PrefixedAPIKey, CreatedAt: 1},

	&fsm.SessionRecord{ID: 7, Node: "node_1", LastSeen: 5, Base: 3, Results: []fsm.SessionResult{
		{Seq: 3, Index: 9, Result: &fsm.Done{}}, {Seq: 5, Index: 11, Result: &fsm.Refusal{Code: fsm.KeyNotFound}},
	}},
	&fsm.PermissionRecord{
		ID: "perm_1", WorkspaceID: "ws_1", Name: "Read", Slug: "docs.read", Description: "reads", CreatedAt: 5, Deleted: true,
	},
	&fsm.RoleRecord{
		ID: "role_1", WorkspaceID: "ws_1", Name: "editor", Description: "edits", Permissions: []string{"perm_1", "perm_2"},
		CreatedAt: 6, Deleted: true,
	},
	&fsm.KeyRecord{
		ID: "key_3", Hash: hash(9), APIID: "api_1", Permissions: []string{"perm_1", "perm_2"}, Roles: []string{"role_1"},
	},

	// Rate limits.
	&fsm.IdentityRecord{ID: "id_2", ExternalID: "user.2", WorkspaceID: "ws_1", Ratelimits: ratelimits},
	&fsm.KeyRecord{ID: "key_3", APIID: "api_1", Ratelimits: ratelimits},
	&fsm.NamespaceRecord{ID: "rlns_1", Name: "email", WorkspaceID: "ws_1", CreatedAt: 1, Deleted: true},
	&fsm.OverrideRecord{ID: "rlor_1", NamespaceID: "rlns_1", Identifier: "user_*", Limit: 200, Duration: 120_000, CreatedAt: 1},
	&fsm.WindowRecord{Scope: 2, Owner: "id_2", Name: "tokens", Duration: 60_000, Sequence: 29_400_000, Current: 7, Previous: 300},

	&fsm.AuditRecord{WorkspaceID: "ws_1", Number: 3, Entry: auditSample},
	&fsm.IdempotencyRecord{
		WorkspaceID: "ws_1", KeyHash: idempotency(1).Key, Fingerprint: idempotency(1).Fingerprint, At: 1_764_000_000_000, Index: 300,
		Result: &fsm.Verdict{Code: fsm.NotFound},
	},
}

// sealed appends the checksum that batches and results end in.
func sealed(body []byte) []byte {
	sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	return binary.LittleEndian.AppendUint32(append([]byte(nil), body...), sum)
}

// What the build for tests of upgrades adds: nothing without the tag nextversion.
var (
	buildTags          []string
	commandSamplesNext []fsm.Command
	resultSamplesNext  []fsm.Result
	recordSamplesNext  []fsm.Record
)

func allCommands() []fsm.Command {
	return slices.Concat(commandSamples, commandSamples2, commandSamples3, commandSamples4, commandSamples5, commandSamplesNext)
}

func allResults() []fsm.Result {
	return slices.Concat(resultSamples, resultSamples2, resultSamples3, resultSamples4, resultSamplesOfQueries, resultSamplesNext)
}

func allRecords() []fsm.Record {
	return slices.Concat(recordSamples, recordSamples2, recordSamples3, recordSamples4, recordSamples5, recordSamplesNext)
}

// Answers to queries that came later. They are in no log and in no snapshot, so no golden file has them.
var resultSamplesOfQueries = []fsm.Result{
	&fsm.APIs{List: []fsm.API{{ID: "api_1", Name: "payments"}, {}}, Next: "api_2"},
	&fsm.Preview{Verdict: fsm.Verdict{Code: fsm.NotFound}},
	&fsm.ExportScope{WorkspaceID: "ws_1"},
	&fsm.ImportState{ClusterID: "cluster_1", WorkspaceID: "ws_1", Followed: 3},
	&fsm.Preview{
		Verdict: fsm.Verdict{Code: fsm.Valid, Enabled: true, Limited: true, Credits: 2, Expires: fsm.Never, KeyID: "key_1"},
		Payers: []fsm.Payer{
			{Identity: true, ID: "id_1", Credits: fsm.Credits{Limited: true, Remaining: 3, Refill: fsm.Refill{Interval: fsm.Daily, Amount: 5}}},
			{ID: "key_1", Credits: fsm.Credits{Limited: true, Remaining: 4}},
		},
	},
}

// What came with ledger version 2: likewise.
var (
	commandSamples2 = []fsm.Command{
		&fsm.RaiseLedgerVersion{Version: 2, Build: "v1.2.3"},
		&fsm.DeleteIdentity{Identity: "user.1", DeleteKeys: true},
	}
	resultSamples2 = []fsm.Result{
		&fsm.Migrated{IDs: []string{"", "key_4", ""}, Failures: []fsm.MigrationFailure{fsm.HashInUse, 0, fsm.HashTakenOver}},
	}
	recordSamples2 = []fsm.Record{
		&fsm.MetaRecord{ClusterID: "cl_1", Clock: 5, Totals: fsm.Totals{Granted: 1}, Sessions: 12, LedgerVersion: 2, RaisedBy: "v1.2.3"},
		&fsm.KeyRecord{ID: "key_4", Hash: hash(9), APIID: "api_1", FormerHash: hash(11)},
		&fsm.IdentityRecord{ID: "id_3", ExternalID: "user.3", WorkspaceID: "ws_1", Deleted: true, HadBalance: true},
		&fsm.IdentityRecord{ID: "id_4", ExternalID: "user.4", WorkspaceID: "ws_1", Deleted: true, KeysDeleted: true},
	}
)

// What came with ledger version 3: likewise.
var (
	commandSamples3 = []fsm.Command{
		&fsm.CreateKey{ID: "key_5", Hash: hash(5), APIID: "api_1", Nonce: nonceSample},
		&fsm.RerollKey{KeyID: "key_5", NewID: "key_6", Hash: hash(6), Nonce: nonceSample},
		&fsm.CreateRootKey{ID: "key_r3", Hash: hash(7), Name: "ci", Nonce: nonceSample},
		&fsm.UpdateWorkspace{WorkspaceID: "ws_2", KeepEnabled: true, Quotas: fsm.QuotaChanges{
			fsm.KeysQuota: fsm.Set[int64](1000), fsm.WindowsQuota: fsm.Clear[int64](), fsm.OutcomesQuota: fsm.Set[int64](0),
		}},
	}
	resultSamples3 = []fsm.Result{
		&fsm.Created{ID: "key_5", Nonce: nonceSample},
		&fsm.Rerolled{ID: "key_6", Start: "sk_9", Nonce: nonceSample},
		&fsm.IdempotentReplay{Result: &fsm.Created{ID: "key_5", Nonce: nonceSample}, Index: 300},
		&fsm.Refusal{Code: fsm.QuotaExceeded, Detail: "The workspace has used up its quota of 5 keys", RetryAfter: 60},
		&fsm.Workspaces{List: []fsm.Workspace{{ID: "ws_1", Enabled: true, Quotas: quotasSample, Used: fsm.Usage{fsm.KeysQuota: 300}}, {ID: "ws_2"}}},
	}
	recordSamples3 = []fsm.Record{
		&fsm.IdempotencyRecord{WorkspaceID: "ws_1", At: 1, Index: 300, Result: &fsm.Created{ID: "key_5", Nonce: nonceSample}},
		&fsm.WorkspaceRecord{ID: "ws_2", Name: "n", CreatedAt: 1, Enabled: true, Quotas: quotasSample},
	}
	nonceSample  = idempotency(21).Key
	quotasSample = fsm.Quotas{fsm.KeysQuota: {Limited: true, Limit: 300}, fsm.APIsQuota: {Limited: true}, fsm.RequestsQuota: {Limited: true, Limit: 5}}
)

// What came with ledger version 4: likewise. A release has it: what comes now is of version 5.
var (
	commandSamples4 = []fsm.Command{
		&fsm.RaiseLedgerVersion{Version: 4, Build: "v1.4.0"},
		&fsm.ImportRecords{OnConflict: fsm.ReplaceOnConflict, Track: true, ReadAt: 1_790_000_000_000, Items: []fsm.ImportItem{
			{WorkspaceID: "ws_2", Record: &fsm.WorkspaceRecord{ID: "ws_2", Name: "n", CreatedAt: 1, Enabled: true, Quotas: quotasSample}},
			{Record: &fsm.RootKeyRecord{ID: "key_r2", Hash: hash(2), Name: "ci", WorkspaceID: "ws_2", Permissions: []string{"a"}, Expires: fsm.Never, Enabled: true}},
			{Record: &fsm.APIRecord{ID: "api_1", KeyspaceID: "ks_1", Name: "payments", WorkspaceID: "ws_1", CreatedAt: 5, Protected: true}},
			{Record: &fsm.MigrationRecord{ID: "m/1", WorkspaceID: "ws_1", Algorithm: fsm.SHA256, CreatedAt: 5}},
			{Record: &fsm.PermissionRecord{ID: "perm_1", WorkspaceID: "ws_1", Name: "Read", Slug: "docs.read", CreatedAt: 5}},
			{Record: &fsm.RoleRecord{ID: "role_1", WorkspaceID: "ws_1", Name: "editor", Permissions: []string{"perm_1"}, CreatedAt: 6}},
			{
				Record:  &fsm.IdentityRecord{ID: "id_1", ExternalID: "user.1", WorkspaceID: "ws_1", Policy: fsm.BothPay, CreatedAt: 7},
				Credits: fsm.ImportedCredits{Limited: true, Remaining: math.MaxInt64},
			},
			{
				Record: &fsm.KeyRecord{ID: "key_4", Hash: hash(9), APIID: "api_1", Expires: fsm.Never, FormerHash: hash(11), Ratelimits: ratelimits},
				Credits: fsm.ImportedCredits{
					Limited: true, Remaining: 5, Refill: fsm.Refill{Interval: fsm.Monthly, Amount: 7, Day: 31}, RefilledAt: 1_790_000_000_000, Considered: 20_717,
				},
			},
			{Record: &fsm.NamespaceRecord{ID: "rlns_1", Name: "email", WorkspaceID: "ws_1", CreatedAt: 1}},
			{Record: &fsm.OverrideRecord{ID: "rlor_1", NamespaceID: "rlns_1", Identifier: "user_*", Limit: 200, Duration: 120_000, CreatedAt: 1}},
			{Record: &fsm.ImportMarkRecord{Owner: "id_1", Of: fsm.MarkedIdentity}, Credits: fsm.ImportedCredits{Limited: true, Remaining: 5}},
		}},
		&fsm.FinishImport{Most: 1000},
	}
	resultSamples4 = []fsm.Result{
		&fsm.Imported{Outcomes: []fsm.ImportOutcome{
			{Status: fsm.ImportCreated}, {Status: fsm.ImportConflict, Reason: fsm.ImportImmutable}, {Status: fsm.ImportReplaced, Shortfall: 300},
		}},
		&fsm.ImportFinished{Ended: 1000, More: true},
	}
	recordSamples4 = []fsm.Record{
		&fsm.MetaRecord{ClusterID: "cl_1", Clock: 5, LedgerVersion: 4, RaisedBy: "v1.4.0"},
		&fsm.ImportMarkRecord{Owner: "key_1", WorkspaceID: "ws_1", Limited: true, Remaining: 100, RefilledAt: 1_790_000_000_000, ReadAt: 1_790_000_000_001},
		&fsm.ImportMarkRecord{Owner: "id_1", Of: fsm.MarkedIdentity, WorkspaceID: "ws_1"},
		&fsm.ImportMarkRecord{Owner: "api_1", Of: fsm.MarkedAPI, WorkspaceID: "ws_1"},
	}
)

// What came with ledger version 5: likewise. Append until a release has it.
var (
	commandSamples5 = []fsm.Command{
		&fsm.RaiseLedgerVersion{Version: 5, Build: "v1.5.0"},
	}
	recordSamples5 = []fsm.Record{
		&fsm.MetaRecord{ClusterID: "cl_1", Clock: 5, LedgerVersion: 5, RaisedBy: "v1.5.0"},
		&fsm.ImportMarkRecord{Owner: "key_2", WorkspaceID: "ws_1", Limited: true, Remaining: 100, Exact: true, Bases: []fsm.MarkBase{{Day: 20_717, Base: 70}, {Day: 20_718, Base: -3}}},
		&fsm.ImportMarkRecord{Owner: "key_3", WorkspaceID: "ws_1", Exact: true},
		&fsm.SweepRecord{WorkspaceID: "ws_1", Since: 1_790_000_000_000, Keys: true, APIID: "api_1", Next: "key_5"},
		&fsm.SweepRecord{WorkspaceID: "ws_2"},
		&fsm.KeyRecord{ID: "key_6", Hash: hash(12), APIID: "api_1", Expires: fsm.Never, Lost: true},
	}
)
