package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// words are what stands for the <placeholders> of a body.
type words map[string]string

func (w words) in(body string) string {
	return regexp.MustCompile(`<[a-zA-Z]+>`).ReplaceAllStringFunc(body, func(placeholder string) string {
		word, ok := w[strings.Trim(placeholder, "<>")]
		if !ok {
			panic("nothing stands for " + placeholder)
		}
		return word
	})
}

var (
	mintedID  = regexp.MustCompile(`\b(req|ws|api|key|id|perm|role|rl|rlns|rlor)_[a-zA-Z0-9]{16}\b`)
	mintedKey = regexp.MustCompile(`"(key|start)":"[^"]+"`)
)

// nameless is an answer without the words of the one who asked and without what is drawn anew for every request.
func (w words) nameless(text string) string {
	pairs := []string{}
	names := []string{}
	for name, word := range w {
		if !strings.HasPrefix(name, "my") || !mintedID.MatchString(word) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return len(w[b]) - len(w[a]) }) // the longest first: one may be a part of another
	for _, name := range names {
		pairs = append(pairs, w[name], "<>")
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	return mintedKey.ReplaceAllString(mintedID.ReplaceAllString(text, "$1"), `"$1":""`)
}

// treasure fills a workspace with one of everything, and returns by which words each is asked for; "private" is in what nobody
// has to know to ask.
func (s *server) treasure(tag string) words {
	s.t.Helper()
	long := sha256.Sum256([]byte(tag + "Pending"))
	w := words{
		"external": tag + ".user", "slug": tag + ".slug", "roleName": tag + " role", "spaceName": tag + " space", "ident": tag + " ident",
		"migration": tag + "_migration", "limit": tag + " limit", "legacy": tag + "_short_" + tag + "Pending", "hash": hex.EncodeToString(long[:]),
		"workspace": s.workspace, "private": "confidential of " + tag,
	}
	take := func(word, field, endpoint, body string) { w[word] = s.get(field, endpoint, w.in(body)) }
	take("api", "apiId", "apis.createApi", `{"name":"<private>"}`)
	take("perm", "permissionId", "permissions.createPermission", `{"name":"<private>","slug":"<slug>","description":"<private>"}`)
	take("role", "roleId", "permissions.createRole", `{"name":"<roleName>","description":"<private>","permissions":["<slug>"]}`)
	take("identity", "identityId", "identities.createIdentity", `{"externalId":"<external>","meta":{"a":"<private>"},"credits":{"remaining":500},
		"ratelimits":[{"name":"<limit>","limit":77,"duration":60000,"autoApply":false}]}`)
	re := s.post("keys.createKey", w.in(`{"apiId":"<api>","name":"<private>","meta":{"a":"<private>"},"externalId":"<external>",
		"roles":["<roleName>"],"permissions":["<slug>"],"credits":{"remaining":500},
		"ratelimits":[{"name":"<limit>","limit":77,"duration":60000,"autoApply":false}]}`))
	w["key"], w["secret"] = re.field("keyId"), re.field("key")
	s.must("migrations.createMigration", w.in(`{"migrationId":"<migration>","algorithm":"`+prefixed+`"}`))
	var m migrated
	require.NoError(s.t, json.Unmarshal([]byte(s.must("keys.migrateKeys",
		w.in(`{"migrationId":"<migration>","apiId":"<api>","keys":[{"hash":"<hash>","name":"<private>"}]}`))), &m))
	require.Len(s.t, m.Migrated, 1)
	w["pending"] = m.Migrated[0].KeyID
	s.must("ratelimit.limit", w.in(`{"namespace":"<spaceName>","identifier":"<ident>","limit":77,"duration":60000,"cost":7}`))
	w["space"] = s.namespaceID(w["spaceName"])
	take("override", "overrideId", "ratelimit.setOverride", `{"namespace":"<spaceName>","identifier":"<ident>","limit":77,"duration":60000}`)
	re = s.post("rootKeys.createRootKey", w.in(`{"name":"<private>","permissions":["<private>"]}`))
	w["rootKey"], w["rootSecret"] = re.field("keyId"), re.field("key")
	s.must("identities.updateCredits", w.in(`{"identity":"<identity>","operation":"increment","value":1}`))
	s.must("keys.verifyKey", w.in(`{"key":"<secret>","ratelimits":[{"name":"<limit>"}]}`))
	return w
}

// nothing are words of the same form that stand for nothing at all.
func (w words) nothing() words {
	other := words{}
	for name, word := range w {
		if minted := mintedID.FindStringSubmatch(word); minted != nil && minted[0] == word {
			other[name] = mint.ID(minted[1])
		} else {
			other[name] = strings.ReplaceAll(word, "vault", "vaunt")
		}
	}
	other["secret"], other["rootSecret"], other["hash"] = mint.RootKey(), mint.RootKey(), strings.Repeat("f0", 32)
	return other
}

// show is everything that a workspace can be asked about what treasure put into it.
func (s *server) show(w words) string {
	s.t.Helper()
	var b strings.Builder
	for _, question := range [][2]string{
		{"apis.getApi", `{"apiId":"<api>"}`}, {"apis.listKeys", `{"apiId":"<api>"}`}, {"keys.getKey", `{"keyId":"<key>"}`},
		{"keys.getKey", `{"keyId":"<pending>"}`}, {"keys.whoami", `{"key":"<secret>"}`},
		{"apis.listApis", `{}`}, {"keys.previewVerification", `{"key":"<secret>"}`},
		{"keys.verifyKey", `{"key":"<secret>","credits":{"cost":0},"ratelimits":[{"name":"<limit>","cost":0}]}`},
		{"identities.getIdentity", `{"identity":"<external>"}`}, {"identities.listIdentities", `{}`},
		{"permissions.listPermissions", `{}`}, {"permissions.listRoles", `{}`},
		{"ratelimit.limit", `{"namespace":"<spaceName>","identifier":"<ident>","limit":1,"duration":1000,"cost":0}`},
		{"ratelimit.getOverride", `{"namespace":"<spaceName>","identifier":"<ident>"}`}, {"ratelimit.listOverrides", `{"namespace":"<spaceName>"}`},
		{"audit.listEntries", `{}`},
	} {
		b.WriteString(s.post(question[0], w.in(question[1])).anonymous() + "\n")
		require.NotContains(s.t, b.String(), `"error":{`)
	}
	return b.String()
}

// strangers are what somebody with every permission in one workspace is told about the things of another. my... is what the caller has.
// The ones that make something come last.
var strangers = []struct {
	endpoint, body string
	answerRow
}{
	{"apis.getApi", `{"apiId":"<api>"}`, answerRow{404, apiNotFound}},
	{"apis.deleteApi", `{"apiId":"<api>"}`, answerRow{404, apiNotFound}},
	{"apis.listApis", `{"search":"<api>"}`, answerRow{200, `[]`}},
	{"apis.listApis", `{"search":"<private>"}`, answerRow{200, `[]`}},
	{"apis.listKeys", `{"apiId":"<api>"}`, answerRow{404, apiNotFound}},
	{"apis.listKeys", `{"apiId":"<api>","externalId":"<external>"}`, answerRow{404, apiNotFound}},
	{"apis.listKeys", `{"apiId":"<myApi>","externalId":"<external>"}`, answerRow{200, `[]`}},

	{"keys.createKey", `{"apiId":"<api>"}`, answerRow{404, apiNotFound}},
	{"keys.createKey", `{"apiId":"<myApi>","roles":["<roleName>"]}`, answerRow{404, roleMissing}},
	{"keys.createKey", `{"apiId":"<myApi>","roles":["<role>"]}`, answerRow{404, roleMissing}},
	{"keys.getKey", `{"keyId":"<key>"}`, answerRow{404, keyNotFound}},
	{"keys.getKey", `{"keyId":"<pending>"}`, answerRow{404, keyNotFound}},
	{"keys.getKey", `{"keyId":"<rootKey>"}`, answerRow{404, keyNotFound}},
	{"keys.whoami", `{"key":"<secret>"}`, answerRow{404, keyNotFound}},
	{"keys.whoami", `{"key":"<rootSecret>"}`, answerRow{404, keyNotFound}},
	{"keys.verifyKey", `{"key":"<secret>"}`, answerRow{200, `{"valid":false,"code":"NOT_FOUND"}`}},
	{"keys.verifyKey", `{"key":"<secret>","permissions":"AND","ratelimits":[{"name":"nobody's"}]}`, answerRow{200, `"NOT_FOUND"`}},
	{"keys.verifyKey", `{"key":"<rootSecret>"}`, answerRow{200, `"NOT_FOUND"`}},
	{"keys.verifyKey", `{"key":"<legacy>","migrationId":"<migration>"}`, answerRow{200, `"NOT_FOUND"`}},
	{"keys.verifyKey", `{"key":"<legacy>","migrationId":"<myMigration>"}`, answerRow{200, `"NOT_FOUND"`}},
	{"keys.verifyKey", `{"key":"<secret>","migrationId":"<myMigration>"}`, answerRow{400, "unkey/authentication/malformed"}},
	{"keys.verifyKey", `{"key":"<secret>","migrationId":"<migration>"}`, answerRow{200, `"NOT_FOUND"`}},
	{"keys.verifyKey", `{"key":"<mySecret>","migrationId":"<migration>"}`, answerRow{200, `"VALID"`}},
	{"keys.verifyKey", `{"key":"<mySecret>","permissions":"<slug>"}`, answerRow{200, `"INSUFFICIENT_PERMISSIONS"`}},
	{"keys.verifyKey", `{"key":"<mySecret>","ratelimits":[{"name":"<limit>"}]}`, answerRow{412, "unkey/application/precondition_failed"}},
	{"keys.verifyKeys", `{"verifications":[{"key":"<secret>"},{"key":"<legacy>","migrationId":"<migration>"},{"key":"<rootSecret>"},
		{"key":"<mySecret>","permissions":"<slug>"},{"key":"<mySecret>","ratelimits":[{"name":"<limit>"}]}]}`, answerRow{200, `"NOT_FOUND"`}},
	{"keys.verifyKeys", `{"atomic":true,"verifications":[{"key":"<secret>"},{"key":"<mySecret>"}]}`, answerRow{200, `"passed":false`}},
	{"keys.previewVerification", `{"key":"<secret>"}`, answerRow{200, `{"valid":false,"code":"NOT_FOUND"}`}},
	{"keys.previewVerification", `{"keyHash":"<hash>"}`, answerRow{200, `{"valid":false,"code":"NOT_FOUND"}`}},
	{"keys.previewVerification", `{"key":"<legacy>","migrationId":"<migration>"}`, answerRow{200, `"NOT_FOUND"`}},
	{"keys.updateKey", `{"keyId":"<key>","name":"x","credits":null}`, answerRow{404, keyNotFound}},
	{"keys.updateKey", `{"keyId":"<myKey>","name":"x","roles":["<roleName>"]}`, answerRow{404, roleMissing}},
	{"keys.updateCredits", `{"keyId":"<key>","operation":"set","value":1}`, answerRow{404, keyNotFound}},
	{"keys.addPermissions", `{"keyId":"<key>","permissions":["<slug>"]}`, answerRow{404, keyNotFound}},
	{"keys.removePermissions", `{"keyId":"<key>","permissions":["<slug>"]}`, answerRow{404, keyNotFound}},
	{"keys.removePermissions", `{"keyId":"<myKey>","permissions":["<slug>"]}`, answerRow{404, permissionMissing}},
	{"keys.removePermissions", `{"keyId":"<myKey>","permissions":["<perm>"]}`, answerRow{404, permissionMissing}}, // row 217
	{"keys.setPermissions", `{"keyId":"<key>","permissions":[]}`, answerRow{404, keyNotFound}},
	{"keys.addRoles", `{"keyId":"<key>","roles":["<roleName>"]}`, answerRow{404, keyNotFound}},
	{"keys.addRoles", `{"keyId":"<myKey>","roles":["<roleName>"]}`, answerRow{404, roleMissing}},
	{"keys.removeRoles", `{"keyId":"<key>","roles":["<roleName>"]}`, answerRow{404, keyNotFound}},
	{"keys.removeRoles", `{"keyId":"<myKey>","roles":["<roleName>"]}`, answerRow{404, roleMissing}},
	{"keys.setRoles", `{"keyId":"<key>","roles":[]}`, answerRow{404, keyNotFound}},
	{"keys.setRoles", `{"keyId":"<myKey>","roles":["<roleName>"]}`, answerRow{404, roleMissing}},
	{"keys.deleteKey", `{"keyId":"<key>"}`, answerRow{404, keyNotFound}},
	{"keys.deleteKey", `{"keyId":"<pending>","permanent":true}`, answerRow{404, keyNotFound}},
	{"keys.deleteKey", `{"keyId":"<rootKey>"}`, answerRow{404, keyNotFound}},
	{"keys.rerollKey", `{"keyId":"<key>","expiration":0}`, answerRow{404, keyNotFound}},
	{"keys.migrateKeys", `{"migrationId":"<migration>","apiId":"<myApi>","keys":[{"hash":"<myHash>"}]}`, answerRow{404, migrationNotFound}},
	{"keys.migrateKeys", `{"migrationId":"<myMigration>","apiId":"<api>","keys":[{"hash":"<myHash>"}]}`, answerRow{404, apiNotFound}},

	{"identities.getIdentity", `{"identity":"<identity>"}`, answerRow{404, identityMissing}},
	{"identities.getIdentity", `{"identity":"<external>"}`, answerRow{404, identityMissing}},
	{"identities.listIdentities", `{"search":"<external>"}`, answerRow{200, `[]`}},
	{"identities.listIdentities", `{"search":"<identity>"}`, answerRow{200, `[]`}},
	{"identities.listIdentities", `{}`, answerRow{200, `"externalId"`}},
	{"identities.updateIdentity", `{"identity":"<identity>","meta":{}}`, answerRow{404, identityMissing}},
	{"identities.updateIdentity", `{"identity":"<external>","credits":null}`, answerRow{404, identityMissing}},
	{"identities.deleteIdentity", `{"identity":"<identity>"}`, answerRow{404, identityMissing}},
	{"identities.deleteIdentity", `{"identity":"<external>"}`, answerRow{404, identityMissing}},
	{"identities.updateCredits", `{"identity":"<identity>","operation":"set","value":1}`, answerRow{404, identityMissing}},
	{"identities.updateCredits", `{"identity":"<external>","operation":"set","value":1}`, answerRow{404, identityMissing}},

	{"permissions.getPermission", `{"permission":"<perm>"}`, answerRow{404, permissionMissing}},
	{"permissions.getPermission", `{"permission":"<slug>"}`, answerRow{404, permissionMissing}},
	{"permissions.listPermissions", `{"search":"<slug>"}`, answerRow{200, `[]`}},
	{"permissions.listPermissions", `{"search":"<perm>"}`, answerRow{200, `[]`}},
	{"permissions.listPermissions", `{}`, answerRow{200, `"slug"`}},
	{"permissions.deletePermission", `{"permission":"<perm>"}`, answerRow{404, permissionMissing}},
	{"permissions.deletePermission", `{"permission":"<slug>"}`, answerRow{404, permissionMissing}},
	{"permissions.getRole", `{"role":"<role>"}`, answerRow{404, roleMissing}},
	{"permissions.getRole", `{"role":"<roleName>"}`, answerRow{404, roleMissing}},
	{"permissions.listRoles", `{"search":"<roleName>"}`, answerRow{200, `[]`}},
	{"permissions.listRoles", `{}`, answerRow{200, `"name"`}},
	{"permissions.setRolePermissions", `{"roleId":"<role>","permissions":[]}`, answerRow{404, roleMissing}},
	{"permissions.deleteRole", `{"role":"<role>"}`, answerRow{404, roleMissing}},
	{"permissions.deleteRole", `{"role":"<roleName>"}`, answerRow{404, roleMissing}},

	{"ratelimit.setOverride", `{"namespace":"<space>","identifier":"<ident>","limit":5,"duration":60000}`, answerRow{404, namespaceMissing}},
	{"ratelimit.setOverride", `{"namespace":"<spaceName>","identifier":"<ident>","limit":5,"duration":60000}`, answerRow{404, namespaceMissing}},
	{"ratelimit.getOverride", `{"namespace":"<space>","identifier":"<ident>"}`, answerRow{404, namespaceMissing}},
	{"ratelimit.getOverride", `{"namespace":"<spaceName>","identifier":"<ident>"}`, answerRow{404, namespaceMissing}},
	{"ratelimit.getOverride", `{"namespace":"<mySpaceName>","identifier":"<ident>"}`, answerRow{404, overrideMissing}},
	{"ratelimit.listOverrides", `{"namespace":"<space>"}`, answerRow{404, namespaceMissing}},
	{"ratelimit.listOverrides", `{"namespace":"<spaceName>"}`, answerRow{404, namespaceMissing}},
	{"ratelimit.listOverrides", `{"namespace":"<mySpaceName>"}`, answerRow{200, `"overrideId"`}},
	{"ratelimit.deleteOverride", `{"namespace":"<space>","identifier":"<ident>"}`, answerRow{404, namespaceMissing}},
	{"ratelimit.deleteOverride", `{"namespace":"<spaceName>","identifier":"<ident>"}`, answerRow{404, namespaceMissing}},
	{"ratelimit.deleteOverride", `{"namespace":"<mySpaceName>","identifier":"<ident>"}`, answerRow{404, overrideMissing}},

	{"audit.listEntries", `{"resourceId":"<key>"}`, answerRow{200, `[]`}},
	{"audit.listEntries", `{"actorId":"<rootKey>"}`, answerRow{200, `[]`}},
	{"audit.listEntries", `{"event":"api.delete"}`, answerRow{200, `[]`}},

	{"records.importRecords", `{"records":[{"workspaceId":"<workspace>","api":{"id":"api_new","name":"mine","createdAt":1}}]}`, answerRow{200, `"operator_only"`}},
	{"records.importRecords", `{"records":[{"balance":{"keyId":"<key>"}}]}`, answerRow{200, `"not_found"`}},
	{"records.getImport", `{}`, answerRow{200, `"followed":0`}},
	{"records.getImport", `{"workspaceId":"<workspace>"}`, missingPermission},
	{"records.finishImport", `{}`, answerRow{200, `{"ended":0,"more":false}`}},
	{"records.exportRecords", `{"workspaceId":"<workspace>"}`, missingPermission},
	{"records.exportRecords", `{"all":true}`, missingPermission},

	// Operators act for the whole cluster: to anybody else these endpoints are closed.
	{"rootKeys.createRootKey", `{"name":"x","permissions":["a"],"workspaceId":"<workspace>"}`, missingPermission},
	{ownRootKey, `{}`, success},
	{"rootKeys.listRootKeys", `{"cursor":"<rootKey>"}`, missingPermission},
	{"rootKeys.revokeRootKey", `{"keyId":"<rootKey>"}`, missingPermission},
	{"workspaces.createWorkspace", `{"name":"<workspace>"}`, missingPermission},
	{"workspaces.listWorkspaces", `{"cursor":"<workspace>"}`, missingPermission},
	{"workspaces.updateWorkspace", `{"workspaceId":"<workspace>","enabled":false}`, missingPermission},
	{"migrations.createMigration", `{"migrationId":"<migration>","algorithm":"sha256"}`, missingPermission},
	{"cluster.getStatus", `{}`, missingPermission},
	{"cluster.transferLeadership", `{}`, missingPermission},
	{"cluster.saveSnapshot", `{}`, missingPermission},
	{"cluster.removeServer", `{"nodeId":"n1"}`, missingPermission},
	{"cluster.getGossipKeys", `{}`, missingPermission},
	{"cluster.changeGossipKeys", `{"action":"add"}`, missingPermission},

	{"apis.createApi", `{"name":"<private>"}`, success},
	{"permissions.createPermission", `{"name":"x","slug":"<slug>"}`, success},
	{"permissions.createRole", `{"name":"<roleName>","permissions":["<slug>"]}`, success},
	{"permissions.setRolePermissions", `{"roleId":"<myRole>","permissions":["<slug>","<perm>"]}`, answerRow{200, `"slug"`}},
	{"identities.createIdentity", `{"externalId":"<external>"}`, success},
	{"keys.createKey", `{"apiId":"<myApi>","externalId":"<external>","roles":["<roleName>"],"permissions":["<slug>","<perm>"]}`, success},
	{"keys.addPermissions", `{"keyId":"<myKey>","permissions":["<slug>","<perm>"]}`, answerRow{200, `"slug"`}},
	{"keys.updateKey", `{"keyId":"<myKey>","externalId":"<external>","permissions":["<slug>"],"roles":["<roleName>"]}`, success},
	{"keys.migrateKeys", `{"migrationId":"<myMigration>","apiId":"<myApi>","keys":[{"hash":"<myHash>","externalId":"<external>","roles":["<roleName>"]}]}`,
		answerRow{200, `"failed":[]`}},
	{"keys.getKey", `{"keyId":"<myKey>"}`, answerRow{200, `"identity":{`}},
	{"keys.verifyKey", `{"key":"<mySecret>"}`, answerRow{200, `"VALID"`}},
	{"identities.getIdentity", `{"identity":"<external>"}`, success},
	{"ratelimit.limit", `{"namespace":"<spaceName>","identifier":"<ident>","limit":1,"duration":60000}`, answerRow{200, `"success":true`}},
	{"ratelimit.limit", `{"namespace":"<space>","identifier":"<ident>","limit":1,"duration":60000}`, answerRow{200, `"success":true`}},
	{"ratelimit.multiLimit", `[{"namespace":"<spaceName>","identifier":"<ident>","limit":2,"duration":60000},
		{"namespace":"<space>","identifier":"<ident>","limit":2,"duration":60000}]`, answerRow{200, `"passed":true`}},
	{"ratelimit.getOverride", `{"namespace":"<spaceName>","identifier":"<ident>"}`, answerRow{404, overrideMissing}},
}

const ownRootKey = "rootKeys.getRootKey"

// TestIsolation_EveryEndpointIsAsked: an endpoint without a row might show the things of other workspaces.
func TestIsolation_EveryEndpointIsAsked(t *testing.T) {
	aloneOnly(t)
	asked := map[string]bool{}
	for _, row := range strangers {
		asked["/v2/"+row.endpoint] = true
	}
	for _, route := range newServer(t).each[0].Routes() {
		if route.Method == http.MethodPost {
			require.True(t, asked[route.Path], route.Path)
		}
	}
}

// TestIsolation_ForeignThingsLookMissing: two workspaces with the same history ask the same, one about the things of a third, the other
// about what does not exist. They get the same bytes with any permissions, and the third workspace does not change. See docs/contract.md
// 1.13 and rows 25, 54, 61, 64, 68, 73, 97, 105, 146, 169, 188 and 198 of section 5.
func TestIsolation_ForeignThingsLookMissing(t *testing.T) {
	base := newServer(t)
	vault := base.foreign()
	foreign := vault.treasure("vault")
	vault.show(foreign)
	vault.must("apis.deleteApi", fmt.Sprintf(`{"apiId":%q}`, vault.get("apiId", "apis.createApi", `{"name":"gone"}`)))
	before := vault.show(foreign)
	require.Contains(t, before, foreign["private"])

	seen, missing := newObserver(base, foreign, "own1"), newObserver(base, foreign.nothing(), "own2")
	for as := range seen.callers {
		for _, row := range strangers {
			t.Run(callers[as]+" "+row.endpoint, func(t *testing.T) {
				body := seen.in(row.body)
				re := seen.callers[as].on(t).post(row.endpoint, body)
				genuine := missing.callers[as].on(t).post(row.endpoint, missing.in(row.body))
				require.Equal(t, missing.nameless(genuine.text), seen.nameless(re.text))
				require.Equal(t, genuine.Code, re.Code)
				require.Equal(t, genuine.Header().Get("Content-Type"), re.Header().Get("Content-Type"))
				require.NotContains(t, re.text, foreign["private"])
				for name, word := range foreign {
					told := strings.Contains(body, word) || row.endpoint == ownRootKey // whose permissions name what it was given
					require.False(t, strings.Contains(re.text, word) && !told && mintedID.MatchString(word),
						"%s %s in %s", name, word, re.text)
				}
				if as == 0 {
					row.check(re)
				}
			})
		}
	}
	require.Equal(t, before, vault.show(foreign))
}

// callers name the root keys of an observer: with every permission in its workspace; with the permissions on each foreign thing by its
// id; with none.
var callers = [...]string{"all", "by id", "none"}

// observer is a workspace that asks about things of another one.
type observer struct {
	words
	callers [len(callers)]*server
}

func newObserver(base *server, asked words, tag string) *observer {
	s := base.foreign()
	o := &observer{words: words{}}
	for name, word := range s.treasure(tag) {
		o.words["my"+strings.ToUpper(name[:1])+name[1:]] = word
	}
	// A hash that no other observer migrates.
	sum := sha256.Sum256([]byte(tag))
	o.words["myHash"] = hex.EncodeToString(sum[:])
	for name, word := range asked {
		o.words[name] = word
	}
	var all, byID []string
	for _, p := range fsm.AllPermissions() {
		if strings.HasPrefix(p, "cluster.") || p == string(fsm.BackupPermission) {
			continue
		}
		all = append(all, p)
		for _, name := range []string{"api", "identity", "space", "key", "role", "perm"} {
			byID = append(byID, strings.Replace(p, "*", asked[name], 1))
		}
	}
	o.callers = [...]*server{s.grant(all...), s.grant(byID...), s.grant("none")}
	return o
}

// TestIsolation_ForeignCursors: the id of a foreign thing is a place in the order of ids like any other: docs/contract.md 1.14.
func TestIsolation_ForeignCursors(t *testing.T) {
	base := newServer(t)
	vault, s := base.foreign(), base.foreign()
	foreign, own := vault.treasure("vault"), s.treasure("other")
	next := func(id string) string { return id + "0" } // what sorts behind an id and before every other one
	for _, list := range [][3]string{
		{"apis.listApis", ``, "api"}, {"apis.listKeys", `"apiId":"<api>",`, "key"}, {"apis.listKeys", `"apiId":"<api>","externalId":"<external>",`, "key"},
		{"identities.listIdentities", ``, "identity"}, {"permissions.listPermissions", ``, "perm"}, {"permissions.listRoles", ``, "role"},
		{"ratelimit.listOverrides", `"namespace":"<spaceName>",`, "override"},
	} {
		fields := own.in(list[1])
		at := s.post(list[0], fmt.Sprintf(`{%s"cursor":%q}`, fields, foreign[list[2]]))
		behind := s.post(list[0], fmt.Sprintf(`{%s"cursor":%q}`, fields, next(foreign[list[2]])))
		require.Equal(t, behind.anonymous(), at.anonymous(), list[0])
		require.NotContains(t, at.text, foreign[list[2]])
	}
	cursor := vault.post("audit.listEntries", `{"limit":1}`).Pagination.Cursor
	for _, e := range s.audit(fmt.Sprintf(`{"cursor":%q}`, *cursor)) {
		for _, r := range e.Resources {
			for name, id := range foreign {
				require.NotEqual(t, id, r.ID, name)
			}
		}
	}
}

// TestIsolation_EqualNames: slugs, externalIds, names of roles, namespaces and rate limits, migration ids and Idempotency-Keys belong
// to one workspace. See docs/contract.md 1.3 and 7.1.
func TestIsolation_EqualNames(t *testing.T) {
	base := newServer(t)
	one, two := base.foreign(), base.foreign()
	history := func(s *server) (w words, answers string) {
		s = s.on(t)
		w = words{}
		for n, step := range [][2]string{
			{"apis.createApi", `{"name":"same"}`},
			{"migrations.createMigration", `{"migrationId":"same","algorithm":"sha256"}`},
			{"permissions.createPermission", `{"name":"same","slug":"same"}`},
			{"permissions.createRole", `{"name":"same","permissions":["same"]}`},
			{"identities.createIdentity", `{"externalId":"same","credits":{"remaining":5}}`},
			{"keys.createKey", `{"apiId":"<apiId>","externalId":"same","roles":["same"],"permissions":["same","new"],
				"ratelimits":[{"name":"same","limit":1,"duration":60000,"autoApply":true}]}`},
			{"ratelimit.limit", `{"namespace":"same","identifier":"same","limit":1,"duration":60000}`},
			{"ratelimit.setOverride", `{"namespace":"same","identifier":"same","limit":9,"duration":60000}`},
			{"keys.verifyKey", `{"key":"<key>","permissions":"same AND new"}`},
			{"keys.verifyKey", `{"key":"<key>"}`},
			{"keys.updateCredits", `{"keyId":"<keyId>","operation":"set","value":9}`},
			{"keys.verifyKeys", `{"verifications":[{"key":"<key>","idempotencyKey":"same"}]}`},
		} {
			re := s.post(step[0], w.in(step[1]), "Idempotency-Key", fmt.Sprintf("same%d", n))
			require.Equal(t, 200, re.Code, re.text)
			require.Empty(t, re.Header().Get("Idempotency-Replayed"), step[0])
			answers += words{}.nameless(re.text) + "\n"
			var data map[string]any
			require.NoError(t, json.Unmarshal(re.Data, &data))
			for name, value := range data {
				if text, ok := value.(string); ok {
					w[name] = text
				}
			}
		}
		return w, answers
	}
	first, answersOne := history(one)
	second, answersTwo := history(two)
	require.Equal(t, answersOne, answersTwo)
	require.NotEqual(t, first["keyId"], second["keyId"])
	require.NotEqual(t, first["identityId"], second["identityId"])

	// What one of them ends is still there for the other.
	for _, end := range [][2]string{
		{"permissions.deletePermission", `{"permission":"same"}`}, {"permissions.deleteRole", `{"role":"same"}`},
		{"identities.deleteIdentity", `{"identity":"same"}`}, {"ratelimit.deleteOverride", `{"namespace":"same","identifier":"same"}`},
	} {
		require.Equal(t, 200, one.post(end[0], end[1]).Code, end[0])
	}
	two.must("permissions.getPermission", `{"permission":"same"}`)
	two.must("permissions.getRole", `{"role":"same"}`)
	require.Contains(t, two.must("identities.getIdentity", `{"identity":"same"}`), second["identityId"])
	require.Contains(t, two.must("ratelimit.getOverride", `{"namespace":"same","identifier":"same"}`), `"limit":9`)
}
