package fsm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// operation is a command or a query with the permissions it needs on the objects of newTown.
type operation struct {
	name    string
	command fsm.Command
	query   fsm.Query
	needs   []string        // strings of which each alone is enough
	hidden  fsm.RefusalCode // what a caller without them is told, when it is not the truth
	unknown operand         // the same on something that does not exist
	lost    fsm.RefusalCode // what is answered then
	first   checkFirst      // what is checked first
}

type operand struct {
	command fsm.Command
	query   fsm.Query
}

type checkFirst int

const (
	neither checkFirst = iota
	permissionFirst
	lookupFirst
)

// operations are contract 1.13, row by row. An operation that changes something is one that any state allows.
func operations() []operation {
	free := fsm.BalanceChange{Op: fsm.SetBalance, Limited: true, Value: 5}
	return append(limitOperations(), []operation{
		{
			name: "createApi", command: &fsm.CreateAPI{ID: "api_new", KeyspaceID: "ks_new"}, needs: []string{"api.*.create_api"},
		},
		{
			name: "getApi", query: &fsm.GetAPI{APIID: "api_1"}, needs: []string{"api.*.read_api", "api.api_1.read_api"},
			unknown: operand{query: &fsm.GetAPI{APIID: "api_9"}}, lost: fsm.APINotFound, first: permissionFirst,
		},
		{
			name: "deleteApi", command: &fsm.DeleteAPI{APIID: "api_1"}, needs: []string{"api.*.delete_api", "api.api_1.delete_api"},
			unknown: operand{command: &fsm.DeleteAPI{APIID: "api_9"}}, lost: fsm.APINotFound, first: permissionFirst,
		},
		{
			name: "createKey", command: &fsm.CreateKey{ID: "key_new", Hash: fsm.Hash{'n'}, APIID: "api_1"},
			needs: []string{"api.*.create_key", "api.api_1.create_key"}, hidden: fsm.APINotFound,
			unknown: operand{command: &fsm.CreateKey{ID: "key_new", Hash: fsm.Hash{'n'}, APIID: "api_9"}}, lost: fsm.APINotFound,
			first: lookupFirst,
		},
		{
			name: "getKey", query: &fsm.GetKey{KeyID: "key_a"}, needs: []string{"api.*.read_key", "api.api_1.read_key"},
			unknown: operand{query: &fsm.GetKey{KeyID: "key_9"}}, lost: fsm.KeyNotFound, first: lookupFirst,
		},
		{
			name: "whoami", query: &fsm.WhoAmI{Hash: fsm.Hash{'a'}}, needs: []string{"api.*.read_key", "api.api_1.read_key"},
			hidden: fsm.KeyNotFound, unknown: operand{query: &fsm.WhoAmI{Hash: fsm.Hash{9}}}, lost: fsm.KeyNotFound,
			first: lookupFirst,
		},
		{
			name: "updateKey", command: &fsm.UpdateKey{KeyID: "key_a"},
			needs:   []string{"api.*.update_key", "api.api_1.update_key"},
			unknown: operand{command: &fsm.UpdateKey{KeyID: "key_9"}}, lost: fsm.KeyNotFound, first: lookupFirst,
		},
		{
			name: "keys.updateCredits", command: &fsm.UpdateKeyCredits{KeyID: "key_a", Change: free},
			needs:   []string{"api.*.update_key", "api.api_1.update_key"},
			unknown: operand{command: &fsm.UpdateKeyCredits{KeyID: "key_9", Change: free}}, lost: fsm.KeyNotFound,
			first: lookupFirst,
		},
		{
			name: "deleteKey", command: &fsm.DeleteKey{KeyID: "key_a"}, needs: []string{"api.*.delete_key", "api.api_1.delete_key"},
			unknown: operand{command: &fsm.DeleteKey{KeyID: "key_9"}}, lost: fsm.KeyNotFound, first: lookupFirst,
		},
		{
			name: "rerollKey", command: &fsm.RerollKey{KeyID: "key_a", NewID: "key_new", Hash: fsm.Hash{'n'}},
			needs:   []string{"api.*.create_key", "api.api_1.create_key"},
			unknown: operand{command: &fsm.RerollKey{KeyID: "key_9", NewID: "key_new", Hash: fsm.Hash{'n'}}}, lost: fsm.KeyNotFound,
			first: lookupFirst,
		},
		{
			name: "createMigration", command: &fsm.CreateMigration{ID: "mig", Algorithm: fsm.SHA256}, needs: []string{"cluster.*.operate"},
		},
		{
			name: "createIdentity", command: &fsm.CreateIdentity{ID: "id_new", ExternalID: "new"},
			needs: []string{"identity.*.create_identity"},
		},
		{
			name: "getIdentity", query: &fsm.GetIdentity{Identity: "alice"},
			needs:   []string{"identity.*.read_identity", "identity.id_alice.read_identity"},
			unknown: operand{query: &fsm.GetIdentity{Identity: "nobody"}}, lost: fsm.IdentityNotFound, first: lookupFirst,
		},
		{
			name: "updateIdentity", command: &fsm.UpdateIdentity{Identity: "alice"}, needs: []string{"identity.*.update_identity"},
			unknown: operand{command: &fsm.UpdateIdentity{Identity: "nobody"}}, lost: fsm.IdentityNotFound,
			first: permissionFirst,
		},
		{
			name: "identities.updateCredits", command: &fsm.UpdateIdentityCredits{Identity: "alice", Change: free},
			needs:   []string{"identity.*.update_identity", "identity.id_alice.update_identity"},
			unknown: operand{command: &fsm.UpdateIdentityCredits{Identity: "nobody", Change: free}}, lost: fsm.IdentityNotFound,
			first: lookupFirst,
		},
		{
			name: "deleteIdentity", command: &fsm.DeleteIdentity{Identity: "alice"}, needs: []string{"identity.*.delete_identity"},
			unknown: operand{command: &fsm.DeleteIdentity{Identity: "nobody"}}, lost: fsm.IdentityNotFound,
			first: permissionFirst,
		},
		{
			name: "createWorkspace", command: &fsm.CreateWorkspace{ID: "ws_new"}, needs: []string{"cluster.*.operate"},
		},
		{
			name: "createRootKey", command: &fsm.CreateRootKey{ID: "key_rn", Hash: fsm.Hash{'n'}},
			needs:   []string{"cluster.*.operate"},
			unknown: operand{command: &fsm.CreateRootKey{ID: "key_rn", Hash: fsm.Hash{'n'}, WorkspaceID: "ws_9"}},
			lost:    fsm.WorkspaceNotFound, first: permissionFirst,
		},
		{
			name: "createPermission", command: &fsm.CreatePermission{ID: "perm_new", Slug: "new"}, needs: []string{"rbac.*.create_permission"},
		},
		{
			name: "getPermission", query: &fsm.GetPermission{Permission: "docs.read"}, needs: []string{"rbac.*.read_permission"},
			unknown: operand{query: &fsm.GetPermission{Permission: "perm_9"}}, lost: fsm.PermissionNotFound, first: permissionFirst,
		},
		{
			name: "listPermissions", query: &fsm.ListPermissions{Limit: 1}, needs: []string{"rbac.*.read_permission"},
		},
		{
			name: "deletePermission", command: &fsm.DeletePermission{Permission: "perm_1"}, needs: []string{"rbac.*.delete_permission"},
			unknown: operand{command: &fsm.DeletePermission{Permission: "perm_9"}}, lost: fsm.PermissionNotFound,
			first: permissionFirst,
		},
		{
			name: "createRole", command: &fsm.CreateRole{ID: "role_new", Name: "new"}, needs: []string{"rbac.*.create_role"},
		},
		{
			name: "getRole", query: &fsm.GetRole{Role: "editor"}, needs: []string{"rbac.*.read_role"},
			unknown: operand{query: &fsm.GetRole{Role: "role_9"}}, lost: fsm.RoleNotFound, first: permissionFirst,
		},
		{
			name: "listRoles", query: &fsm.ListRoles{Limit: 1}, needs: []string{"rbac.*.read_role"},
		},
		{
			name: "listApis", query: &fsm.ListAPIs{Page: fsm.Page{Limit: 1}}, needs: []string{"api.*.read_api"},
		},
		{
			name: "previewVerification by hash", query: &fsm.PreviewVerification{Verification: &fsm.VerifyKey{Hash: fsm.Hash{'a'}}, ByHash: true},
			needs: []string{"api.*.verify_key_hash"},
		},
		{
			name: "deleteRole", command: &fsm.DeleteRole{Role: "role_1"}, needs: []string{"rbac.*.delete_role"},
			unknown: operand{command: &fsm.DeleteRole{Role: "role_9"}}, lost: fsm.RoleNotFound, first: permissionFirst,
		},
		{
			name: "removeRoles", command: &fsm.LinkKeyRoles{KeyID: "key_a", Op: fsm.RemoveLinks, Roles: []string{"editor"}},
			needs:   []string{"api.*.update_key", "api.api_1.update_key"},
			unknown: operand{command: &fsm.LinkKeyRoles{KeyID: "key_9", Op: fsm.RemoveLinks}}, lost: fsm.KeyNotFound,
			first: lookupFirst,
		},
		{
			name: "authorize", query: &fsm.Authorize{Permission: "cluster.*.read"}, needs: []string{"cluster.*.read"},
		},
	}...)
}

// newTown is a ledger with a key and an identity to work on, and a second workspace.
func newTown(t *testing.T) *fsm.State {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	newIdentity(t, s, "alice", credits(5), fsm.IdentityPays)
	newKey(t, s, 'a', "alice", credits(5))
	require.Zero(t, code(apply(t, s, &fsm.CreateWorkspace{ID: "ws_2"})))
	newPermission(t, s, "perm_1", "docs.read")
	newRole(t, s, "role_1", "editor", "docs.read")
	require.Zero(t, code(apply(t, s, &fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{
		{Namespace: "email", NamespaceID: "rlns_1", Identifier: "u", Limit: 1, Duration: 1000},
	}})))
	require.Zero(t, code(apply(t, s, &fsm.SetOverride{ID: "rlor_1", Namespace: "email", Identifier: "u", Duration: 1000})))
	return s
}

// ask sends a command or a query; a refused one changes nothing.
func ask(t *testing.T, s *fsm.State, actor fsm.Hash, command fsm.Command, query fsm.Query) fsm.Result {
	t.Helper()
	before := s.Digest()
	var r fsm.Result
	if query != nil {
		r = s.Answer(actor, query)
	} else {
		r = as(t, s, actor, command)
	}
	if code(r) != 0 {
		require.Equal(t, before, s.Digest(), "a refused command changes nothing")
	}
	return r
}

// near is what looks like a permission and is none: contract 1.12.
func near(needs string) []string {
	return []string{"*", "*.*.*", "api.*", "api.*.*", "identity.*.*", "cluster.*.*", needs + " ", needs + ".x", "api.api_2.read_key"}
}

// Each accepted string alone is enough, and nothing that resembles one: contract 1.12 and 1.13.
func TestPermissions_AreMatchedLiterally(t *testing.T) {
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			for i, needed := range op.needs {
				s := newTown(t)
				holder := newRoot(t, s, byte('0'+i), "", needed)
				require.Zero(t, code(ask(t, s, holder, op.command, op.query)), needed)
			}
			s := newTown(t)
			outsider := newRoot(t, s, 'o', "", near(op.needs[0])...)
			r := ask(t, s, outsider, op.command, op.query)
			if op.hidden != 0 {
				require.Equal(t, &fsm.Refusal{Code: op.hidden}, r)
			} else {
				require.Equal(t, &fsm.Refusal{Code: fsm.InsufficientPermissions, Accepted: op.needs}, r)
			}
		})
	}
}

// Which of "not permitted" and "not there" wins: contract 1.13. Something of another workspace is not there.
func TestPermissions_BeforeOrAfterTheLookup(t *testing.T) {
	for _, op := range operations() {
		if op.first == neither {
			continue
		}
		t.Run(op.name, func(t *testing.T) {
			s := newTown(t)
			able := newRoot(t, s, 'w', "", op.needs...)
			unable := newRoot(t, s, 'u', "")
			missing := ask(t, s, able, op.unknown.command, op.unknown.query)
			require.Equal(t, &fsm.Refusal{Code: op.lost}, missing)
			r := ask(t, s, unable, op.unknown.command, op.unknown.query)
			if op.first == permissionFirst {
				require.Equal(t, fsm.InsufficientPermissions, code(r))
			} else {
				require.Equal(t, missing, r)
			}
			if op.name == "createRootKey" {
				return // it may name a foreign workspace
			}
			foreign := newRoot(t, s, 'f', "ws_2", op.needs...)
			require.Equal(t, missing, ask(t, s, foreign, op.command, op.query), "foreign is as good as missing")
		})
	}
}

// Nobody gets past authentication without a root key that is good: contract 1.3.
func TestAuthentication_ComesFirst(t *testing.T) {
	s := newTown(t)
	require.Zero(t, code(apply(t, s, &fsm.CreateRootKey{
		ID: "key_r2", Hash: fsm.Hash{'e'}, Permissions: fsmtest.EveryPermission(), Expires: s.Clock() + 1000,
	})))
	expired := fsm.Hash{'e'}
	require.Equal(t, &fsm.Done{}, s.Answer(expired, &fsm.Authorize{Permission: "cluster.*.read"}))
	advance(t, s, "2025-01-01 10:00:01.000")
	require.Equal(t, &fsm.Done{}, s.Answer(expired, &fsm.Authorize{Permission: "cluster.*.read"}), "expiry is strict")
	advance(t, s, "2025-01-01 10:00:01.001")
	for _, op := range operations() {
		require.Equal(t, &fsm.Refusal{Code: fsm.RootKeyExpired}, ask(t, s, expired, op.command, op.query), op.name)
		for _, unknown := range []fsm.Hash{{}, {'x'}, {'a'}} { // the last one is the hash of a key
			require.Equal(t, &fsm.Refusal{Code: fsm.RootKeyNotFound}, ask(t, s, unknown, op.command, op.query), op.name)
		}
	}
}

// The first root key holds every permission of contract 1.12 that the first release had, and no other one gets any by itself: contract 7.2.
func TestBootstrap_GrantsEverything(t *testing.T) {
	s := newLedger(t)
	require.Equal(t, "cl_1", s.ClusterID())
	later := []string{string(fsm.VerifyKeyHashPermission), string(fsm.ImportPermission), string(fsm.ExportPermission), string(fsm.BackupPermission)}
	for _, p := range fsmtest.EveryPermission() {
		require.Contains(t, fsm.AllPermissions(), p)
		if !slices.Contains(later, p) {
			require.Equal(t, &fsm.Done{}, s.Answer(root, &fsm.Authorize{Permission: p}), p)
		}
	}
	for _, p := range later {
		require.Equal(t, fsm.InsufficientPermissions, code(s.Answer(root, &fsm.Authorize{Permission: p})), "all builds bootstrap alike")
	}
	for _, p := range append(near("cluster.*.operate"), "") {
		require.Equal(t, fsm.InsufficientPermissions, code(s.Answer(root, &fsm.Authorize{Permission: p})), p)
	}
}

// Every new leader may bootstrap; only the first one counts.
// Bootstrap grants when it is applied, so every build must grant these strings and no other: contract 7.2.
func TestBootstrap_GrantsWhatTheFirstReleaseGranted(t *testing.T) {
	granted := strings.Fields(`
		api.*.create_api api.*.read_api api.*.update_api api.*.delete_api
		api.*.create_key api.*.read_key api.*.update_key api.*.delete_key api.*.verify_key api.*.encrypt_key api.*.decrypt_key
		identity.*.create_identity identity.*.read_identity identity.*.update_identity identity.*.delete_identity
		rbac.*.create_permission rbac.*.read_permission rbac.*.delete_permission rbac.*.create_role rbac.*.read_role rbac.*.delete_role
		rbac.*.add_permission_to_key rbac.*.remove_permission_from_key rbac.*.add_role_to_key rbac.*.remove_role_from_key
		rbac.*.add_permission_to_role rbac.*.remove_permission_from_role
		ratelimit.*.limit ratelimit.*.create_namespace ratelimit.*.set_override ratelimit.*.read_override ratelimit.*.delete_override
		cluster.*.operate cluster.*.read audit.*.read`)
	found := newLedger(t).Answer(root, &fsm.ListRootKeys{Page: fsm.Page{Limit: 2}}).(*fsm.RootKeys)
	require.Len(t, found.List, 1)
	require.ElementsMatch(t, granted, found.List[0].Permissions)
}

func TestBootstrap_HappensOnce(t *testing.T) {
	s := newLedger(t)
	before := s.Digest()
	again := &fsm.Bootstrap{ClusterID: "cl_2", WorkspaceID: "ws_2", RootKeyID: "key_2", RootKeyHash: fsm.Hash{'z'}}
	require.Equal(t, &fsm.Done{}, apply(t, s, again))
	require.Equal(t, before, s.Digest())
	require.Equal(t, "cl_1", s.ClusterID())
	require.Equal(t, fsm.RootKeyNotFound, code(as(t, s, fsm.Hash{'z'}, &fsm.DeleteKey{})))
}

// The same externalId names different identities in different workspaces, and ids are unique across all: contract 1.13.
func TestWorkspaces_SeeNothingOfOneAnother(t *testing.T) {
	s := newTown(t)
	foreign := newRoot(t, s, 'f', "ws_2", fsmtest.EveryPermission()...)
	require.Equal(t, fsm.IDTaken, code(as(t, s, foreign, &fsm.CreateIdentity{ID: "id_alice", ExternalID: "alice"})))
	require.Equal(t, &fsm.Created{ID: "id_other"},
		as(t, s, foreign, &fsm.CreateIdentity{ID: "id_other", ExternalID: "alice", Credits: credits(7)}))
	require.Equal(t, fsm.IDTaken, code(as(t, s, foreign, &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_9"})))
	require.Zero(t, code(as(t, s, foreign, &fsm.CreateAPI{ID: "api_2", KeyspaceID: "ks_2"})))
	require.Zero(t, code(as(t, s, foreign, &fsm.CreateKey{
		ID: "key_b", Hash: fsm.Hash{'b'}, APIID: "api_2", ExternalID: "alice", IdentityID: "id_unused", Enabled: true, Expires: fsm.Never,
	})))
	v := as(t, s, foreign, &fsm.VerifyKey{Hash: fsm.Hash{'b'}, Cost: 1}).(*fsm.Verdict)
	require.Equal(t, "id_other", v.Identity.ID)
	require.EqualValues(t, 6, v.Credits)
	require.EqualValues(t, 5, getIdentity(t, s, "alice").Credits.Remaining)
	require.Equal(t, fsm.NotFound, verify(t, s, 'b', 1).Code)
	require.Equal(t, fsm.IdentityNotFound, code(s.Answer(foreign, &fsm.GetIdentity{Identity: "id_alice"})))
	require.Equal(t, fsm.IdentityNotFound, code(s.Answer(root, &fsm.GetIdentity{Identity: "id_other"})))
}

// IdentityRef is an id or an externalId, and the id is tried first: contract 2.0.
func TestIdentityRef_TriesTheIDFirst(t *testing.T) {
	s := newLedger(t)
	newIdentity(t, s, "a", credits(1), fsm.IdentityPays)
	require.Zero(t, code(apply(t, s, &fsm.CreateIdentity{ID: "id_b", ExternalID: "id_a", Credits: credits(2)})))
	require.Equal(t, "id_a", getIdentity(t, s, "id_a").ID)
	require.Equal(t, "id_b", getIdentity(t, s, "id_b").ID)
	apply(t, s, &fsm.DeleteIdentity{Identity: "id_a"})
	require.Equal(t, "id_b", getIdentity(t, s, "id_a").ID, "the name is free for the other")
}

// An id or hash that is in use is refused, so that the proposer makes another one; nothing of the command is left behind.
func TestCreate_RefusesWhatIsTaken(t *testing.T) {
	plain := func(id string, hash byte, identity string) *fsm.CreateKey {
		return &fsm.CreateKey{ID: id, Hash: fsm.Hash{hash}, APIID: "api_1", ExternalID: "new", IdentityID: identity}
	}
	for name, c := range map[string]fsm.Command{
		"key id":                     plain("key_a", 'z', "id_z"),
		"key id of a deleted key":    plain("key_d", 'z', "id_z"),
		"hash":                       plain("key_z", 'a', "id_z"),
		"hash of a root key":         plain("key_z", 1, "id_z"),
		"identity id":                plain("key_z", 'z', "id_alice"),
		"identity id in a relink":    &fsm.UpdateKey{KeyID: "key_a", Name: fsm.Set("x"), ExternalID: fsm.Set("new"), IdentityID: "id_alice"},
		"root key id":                &fsm.CreateRootKey{ID: "key_root", Hash: fsm.Hash{'z'}},
		"hash of another root key":   &fsm.CreateRootKey{ID: "key_z", Hash: root},
		"hash of a key for a root":   &fsm.CreateRootKey{ID: "key_z", Hash: fsm.Hash{'a'}},
		"api id":                     &fsm.CreateAPI{ID: "api_1"},
		"identity id on its own":     &fsm.CreateIdentity{ID: "id_alice", ExternalID: "new"},
		"workspace id":               &fsm.CreateWorkspace{ID: "ws_1"},
		"permission id":              &fsm.CreatePermission{ID: "perm_1", Slug: "new"},
		"permission id on the way":   &fsm.CreateRole{ID: "role_2", Name: "new", Permissions: slugRefs("perm_1", "new")},
		"permission id twice":        &fsm.CreateRole{ID: "role_2", Name: "new", Permissions: slugRefs("perm_2", "new", "perm_2", "newer")},
		"role id":                    &fsm.CreateRole{ID: "role_1", Name: "new"},
		"permission id for a key":    &fsm.UpdateKey{KeyID: "key_a", Name: fsm.Set("x"), Permissions: fsm.Set(slugRefs("perm_1", "new"))},
		"id of a deleted identity":   &fsm.CreateIdentity{ID: "id_gone", ExternalID: "new"},
		"id of a deleted one linked": plain("key_z", 'z', "id_gone"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newTown(t)
			newKey(t, s, 'd', "", credits(1))
			apply(t, s, &fsm.DeleteKey{KeyID: "key_d"})
			newIdentity(t, s, "gone", credits(1), fsm.IdentityPays)
			apply(t, s, &fsm.DeleteIdentity{Identity: "gone"})
			require.Equal(t, fsm.IDTaken, code(ask(t, s, root, c, nil)))
		})
	}
}

// A second identity of one externalId is refused under its own code: contract 2.4.
func TestCreateIdentity_RefusesANameInUse(t *testing.T) {
	s := newTown(t)
	require.Equal(t, fsm.IdentityExists, code(ask(t, s, root, &fsm.CreateIdentity{ID: "id_2", ExternalID: "alice"}, nil)))
}

// Recoverable keys cannot be had yet, and the order of the answers is that of contract 2.3: 404 masks the missing permissions.
func TestCreateKey_Recoverable(t *testing.T) {
	s := newTown(t)
	c := &fsm.CreateKey{ID: "key_z", Hash: fsm.Hash{'z'}, APIID: "api_1", Recoverable: true, Credits: fsm.NewCredits{Refill: daily(1)}}
	without := newRoot(t, s, 'w', "", "api.*.create_key")
	with := newRoot(t, s, 'x', "", "api.*.create_key", "api.api_1.encrypt_key")
	require.Equal(t, &fsm.Refusal{Code: fsm.APINotFound}, ask(t, s, without, c, nil))
	require.Equal(t, fsm.PreconditionFailed, code(ask(t, s, with, c, nil)))
}

// getKey with decrypt: 403, then 412. Contract 2.3.
func TestGetKey_Decrypt(t *testing.T) {
	s := newTown(t)
	q := &fsm.GetKey{KeyID: "key_a", Decrypt: true}
	reader := newRoot(t, s, 'r', "", "api.*.read_key")
	decrypter := newRoot(t, s, 'd', "", "api.*.decrypt_key")
	both := newRoot(t, s, 'b', "", "api.*.read_key", "api.api_1.decrypt_key")
	require.Equal(t, &fsm.Refusal{
		Code: fsm.InsufficientPermissions, Accepted: []string{"api.*.decrypt_key", "api.api_1.decrypt_key"},
	}, s.Answer(reader, q))
	require.Equal(t, &fsm.Refusal{
		Code: fsm.InsufficientPermissions, Accepted: []string{"api.*.read_key", "api.api_1.read_key"},
	}, s.Answer(decrypter, q))
	require.Equal(t, fsm.PreconditionFailed, code(s.Answer(both, q)))
}

// The three states of each field of updateKey: contract 1.8 and 2.3.
func TestUpdateKey_ThreeStates(t *testing.T) {
	s := newTown(t)
	require.Equal(t, &fsm.Done{}, apply(t, s, &fsm.UpdateKey{
		KeyID: "key_a", Name: fsm.Set("n"), Meta: fsm.Set(`{"a":1}`), Expires: fsm.Set[int64](9e12), ExternalID: fsm.Set("bob"),
		IdentityID: "id_bob",
	}))
	want := &fsm.Key{
		ID: "key_a", Name: "n", Meta: `{"a":1}`, Enabled: true, CreatedAt: s.Clock(), UpdatedAt: s.Clock(), Expires: 9e12,
		Credits: shown(5), Identity: &fsm.Identity{ID: "id_bob", ExternalID: "bob"},
	}
	require.Equal(t, want, getKey(t, s, "key_a"))

	advance(t, s, "2025-01-01 11:00:00.000")
	apply(t, s, &fsm.UpdateKey{KeyID: "key_a"})
	want.UpdatedAt = s.Clock()
	require.Equal(t, want, getKey(t, s, "key_a"), "absent keeps; updatedAt is set by every call")

	apply(t, s, &fsm.UpdateKey{
		KeyID: "key_a", Name: fsm.Clear[string](), Meta: fsm.Clear[string](), Expires: fsm.Clear[int64](),
		ExternalID: fsm.Clear[string](), Enabled: fsm.Set(false),
	})
	want.Name, want.Meta, want.Expires, want.Identity, want.Enabled = "", "", fsm.Never, nil, false
	require.Equal(t, want, getKey(t, s, "key_a"))
}

// updateIdentity answers with everything that is stored: contract 2.4, D-10.
func TestUpdateIdentity_AnswersWithWhatIsStored(t *testing.T) {
	s := newLedger(t)
	require.Zero(t, code(apply(t, s, &fsm.CreateIdentity{
		ID: "id_a", ExternalID: "a", Meta: `{"a":1}`, Credits: credits(777, monthly(888, 25)), Policy: fsm.KeyPays,
	})))
	stored := &fsm.Identity{
		ID: "id_a", ExternalID: "a", Meta: `{"a":1}`, Credits: shown(777, monthly(888, 25)), Policy: fsm.KeyPays,
	}
	require.Equal(t, stored, apply(t, s, &fsm.UpdateIdentity{Identity: "a"}))
	stored.Meta = "{}"
	require.Equal(t, stored, apply(t, s, &fsm.UpdateIdentity{Identity: "id_a", Meta: fsm.Set("{}")}))
	stored.Policy = fsm.BothPay
	require.Equal(t, stored, apply(t, s, &fsm.UpdateIdentity{Identity: "a", Policy: fsm.Set(fsm.BothPay)}))
	require.Equal(t, stored, getIdentity(t, s, "a"))
}

// A deleted key is gone for every endpoint, and cannot be deleted again: contract 2.3.
func TestDeleteKey_IsFinal(t *testing.T) {
	for _, permanent := range []bool{false, true} {
		s := newTown(t)
		require.Equal(t, &fsm.Done{}, apply(t, s, &fsm.DeleteKey{KeyID: "key_a", Permanent: permanent}))
		for _, again := range []bool{false, true} {
			require.Equal(t, fsm.KeyNotFound, code(apply(t, s, &fsm.DeleteKey{KeyID: "key_a", Permanent: again})))
		}
		require.Equal(t, fsm.KeyNotFound, code(apply(t, s, &fsm.UpdateKey{KeyID: "key_a"})))
		require.Equal(t, fsm.KeyNotFound, code(apply(t, s, &fsm.UpdateKeyCredits{KeyID: "key_a"})))
		require.Equal(t, fsm.KeyNotFound, code(s.Answer(root, &fsm.GetKey{KeyID: "key_a"})))
		require.Equal(t, fsm.KeyNotFound, code(s.Answer(root, &fsm.WhoAmI{Hash: fsm.Hash{'a'}})))
		require.Equal(t, fsm.NotFound, verify(t, s, 'a', 0).Code)
		require.Equal(t, map[bool]int{false: 1, true: 0}[permanent], s.Stats().Keys)
		require.Equal(t, map[bool]int{false: 2, true: 1}[permanent], s.Stats().CreditRecords)
	}
}

// A key with 100 whose identity has 500 shows both: contract 4.7.
func TestGetKey_ShowsBothBalances(t *testing.T) {
	s := newLedger(t)
	newIdentity(t, s, "alice", credits(500), fsm.IdentityPays)
	id := newKey(t, s, 'a', "alice", credits(100))
	k := getKey(t, s, id)
	require.Equal(t, shown(100), k.Credits)
	require.Equal(t, shown(500), k.Identity.Credits)
}

// Results stay as they are when the ledger moves on: they are read after its lock is gone.
func TestResults_DoNotChangeLater(t *testing.T) {
	s := newTown(t)
	k, i := getKey(t, s, "key_a"), getIdentity(t, s, "alice")
	v := verify(t, s, 'a', 1)
	apply(t, s, &fsm.UpdateIdentity{Identity: "alice", Meta: fsm.Set("{}"), Policy: fsm.Set(fsm.BothPay)})
	apply(t, s, &fsm.UpdateKey{KeyID: "key_a", Name: fsm.Set("new"), Enabled: fsm.Set(false)})
	apply(t, s, &fsm.DeleteIdentity{Identity: "alice"})
	require.Equal(t, &fsm.VerdictIdentity{ID: "id_alice", ExternalID: "alice"}, v.Identity)
	require.Empty(t, k.Name)
	require.True(t, k.Enabled)
	require.EqualValues(t, 5, k.Identity.Credits.Remaining)
	require.Empty(t, i.Meta)
}
