package api_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/openapi"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// fixture is one API with one key of one identity, for requests that need something to be about.
type fixture struct {
	apiID, keyID, key, identityID, permissionID, roleID, namespaceID, rootKeyID string
}

func (s *server) fixture() fixture {
	s.t.Helper()
	f := fixture{rootKeyID: mint.ID(mint.Key)}
	s.apply(s.t, s.token, &fsm.CreateRootKey{ID: f.rootKeyID, Hash: mint.Hash(f.rootKeyID), Name: "spare", Permissions: []string{"none"}, Expires: fsm.Never})
	f.apiID = s.get("apiId", "apis.createApi", `{"name":"payments"}`)
	f.identityID = s.get("identityId", "identities.createIdentity", `{"externalId":"user_1","credits":{"remaining":50}}`)
	s.must("ratelimit.limit", `{"namespace":"space","identifier":"i","limit":9,"duration":60000}`)
	f.namespaceID = s.namespaceID("space")
	s.must("ratelimit.setOverride", `{"namespace":"space","identifier":"i","limit":9,"duration":60000}`)
	created := s.post("keys.createKey", f.in(`{"apiId":"API","externalId":"user_1","credits":{"remaining":10}}`))
	f.keyID, f.key = created.field("keyId"), created.field("key")
	s.must("migrations.createMigration", `{"migrationId":"mig","algorithm":"sha256"}`)
	f.permissionID = s.get("permissionId", "permissions.createPermission", `{"name":"Read","slug":"docs.read"}`)
	f.roleID = s.get("roleId", "permissions.createRole", `{"name":"editor"}`)
	return f
}

// in puts the ids of the fixture into a body.
func (f fixture) in(body string) string {
	return strings.NewReplacer(
		"API", f.apiID, "ROOTKEYID", f.rootKeyID, "KEYID", f.keyID, "SECRET", f.key, "IDENTITY", f.identityID, "PERMID", f.permissionID, "ROLEID", f.roleID,
		"NAMESPACE", f.namespaceID,
	).Replace(body)
}

type answerRow struct {
	status int
	is     string // path of the error type, or a part of data when the status is 200
}

var (
	missingPermission = answerRow{403, forbidden}
	success           = answerRow{200, ""}
)

// matrixRow is one endpoint. Which root permissions it needs, its description says.
type matrixRow struct {
	endpoint string
	body     string
	without  answerRow // to a root key without any of them
	foreign  answerRow // to a root key of another workspace that has them all
}

// matrix has one row per endpoint, as docs/contract.md 1.12, 1.13 and 2 state its permission.
var matrix = []matrixRow{
	{"apis.createApi", `{"name":"more"}`, missingPermission, success},
	{"apis.getApi", `{"apiId":"API"}`, missingPermission, answerRow{404, apiNotFound}},
	{"apis.deleteApi", `{"apiId":"API"}`, missingPermission, answerRow{404, apiNotFound}},
	{"apis.listApis", `{}`, missingPermission, answerRow{200, `[]`}},
	{"apis.listKeys", `{"apiId":"API"}`, answerRow{404, apiNotFound}, answerRow{404, apiNotFound}},

	{"keys.createKey", `{"apiId":"API"}`, answerRow{404, apiNotFound}, answerRow{404, apiNotFound}},
	{"keys.getKey", `{"keyId":"KEYID"}`, missingPermission, answerRow{404, keyNotFound}},
	{"keys.whoami", `{"key":"SECRET"}`, answerRow{404, keyNotFound}, answerRow{404, keyNotFound}},
	{"keys.verifyKey", `{"key":"SECRET"}`, answerRow{200, `{"valid":false,"code":"NOT_FOUND"}`}, answerRow{200, `{"valid":false,"code":"NOT_FOUND"}`}},
	{"keys.verifyKeys", `{"verifications":[{"key":"SECRET"}]}`, answerRow{200, `{"results":[{"valid":false,"code":"NOT_FOUND"}]}`}, answerRow{200, `{"results":[{"valid":false,"code":"NOT_FOUND"}]}`}},
	{"keys.previewVerification", `{"key":"SECRET"}`, answerRow{200, `{"valid":false,"code":"NOT_FOUND"}`}, answerRow{200, `{"valid":false,"code":"NOT_FOUND"}`}},
	{"keys.updateKey", `{"keyId":"KEYID","name":"x"}`, missingPermission, answerRow{404, keyNotFound}},
	{"keys.updateCredits", `{"keyId":"KEYID","operation":"set","value":1}`, missingPermission, answerRow{404, keyNotFound}},
	{"keys.deleteKey", `{"keyId":"KEYID"}`, missingPermission, answerRow{404, keyNotFound}},
	{"keys.rerollKey", `{"keyId":"KEYID","expiration":0}`, missingPermission, answerRow{404, keyNotFound}},
	{"keys.migrateKeys", `{"migrationId":"mig","apiId":"API","keys":[{"hash":"abc"}]}`, missingPermission, answerRow{404, apiNotFound}},

	{"identities.createIdentity", `{"externalId":"user_2"}`, missingPermission, success},
	{"identities.getIdentity", `{"identity":"IDENTITY"}`, missingPermission, answerRow{404, identityMissing}},
	{"identities.listIdentities", `{}`, missingPermission, answerRow{200, `[]`}},
	{"identities.updateIdentity", `{"identity":"IDENTITY"}`, missingPermission, answerRow{404, identityMissing}},
	{"identities.deleteIdentity", `{"identity":"IDENTITY"}`, missingPermission, answerRow{404, identityMissing}},
	{"identities.updateCredits", `{"identity":"IDENTITY","operation":"set","value":1}`, missingPermission, answerRow{404, identityMissing}},

	{"ratelimit.limit", `{"namespace":"space","identifier":"i","limit":5,"duration":60000}`, missingPermission, success},
	{"ratelimit.multiLimit", `[{"namespace":"NAMESPACE","identifier":"i","limit":5,"duration":60000}]`, missingPermission, success},
	{"ratelimit.setOverride", `{"namespace":"space","identifier":"i","limit":5,"duration":60000}`, missingPermission, answerRow{404, namespaceMissing}},
	{"ratelimit.getOverride", `{"namespace":"space","identifier":"i"}`, answerRow{404, overrideMissing}, answerRow{404, namespaceMissing}},
	{"ratelimit.listOverrides", `{"namespace":"space"}`, missingPermission, answerRow{404, namespaceMissing}},
	{"ratelimit.deleteOverride", `{"namespace":"space","identifier":"i"}`, missingPermission, answerRow{404, namespaceMissing}},

	{"rootKeys.createRootKey", `{"name":"x","permissions":["a"]}`, missingPermission, success},
	{"rootKeys.getRootKey", `{}`, success, success},
	{"rootKeys.listRootKeys", `{}`, missingPermission, success},
	{"rootKeys.revokeRootKey", `{"keyId":"ROOTKEYID"}`, missingPermission, success},
	{"workspaces.listWorkspaces", `{}`, missingPermission, success},
	{"workspaces.updateWorkspace", `{"workspaceId":"ws_test","enabled":true}`, missingPermission, success},
	{"migrations.createMigration", `{"migrationId":"new","algorithm":"sha256"}`, missingPermission, success},
	{"workspaces.createWorkspace", `{"name":"x"}`, missingPermission, success},
	{"records.importRecords", `{"records":[{"api":{"id":"API","name":"x","createdAt":1}}]}`, missingPermission, answerRow{200, `{"outcomes":[{"index":0,"outcome":"conflict","reason":"id_taken"}]}`}},
	{"records.getImport", `{}`, missingPermission, answerRow{200, `"followed":0`}},
	{"records.finishImport", `{}`, missingPermission, answerRow{200, `{"ended":0,"more":false}`}},
	{"records.exportRecords", `{}`, missingPermission, success},
	{"audit.listEntries", `{}`, missingPermission, answerRow{200, `[]`}},
	{"cluster.getStatus", `{}`, missingPermission, success},
	{"cluster.saveSnapshot", `{}`, missingPermission, success},
	{"cluster.removeServer", `{"nodeId":"n2"}`, missingPermission, success},
	{"cluster.transferLeadership", `{}`, missingPermission, success},
	{"cluster.getGossipKeys", `{}`, missingPermission, success},
	{"cluster.changeGossipKeys", `{"action":"add"}`, missingPermission, success},

	{"keys.addPermissions", `{"keyId":"KEYID","permissions":["docs.read"]}`, missingPermission, answerRow{404, keyNotFound}},
	{"keys.removePermissions", `{"keyId":"KEYID","permissions":["docs.read"]}`, missingPermission, answerRow{404, keyNotFound}},
	{"keys.setPermissions", `{"keyId":"KEYID","permissions":["docs.read"]}`, missingPermission, answerRow{404, keyNotFound}},
	{"keys.addRoles", `{"keyId":"KEYID","roles":["editor"]}`, missingPermission, answerRow{404, keyNotFound}},
	{"keys.removeRoles", `{"keyId":"KEYID","roles":["editor"]}`, missingPermission, answerRow{404, keyNotFound}},
	{"keys.setRoles", `{"keyId":"KEYID","roles":["editor"]}`, missingPermission, answerRow{404, keyNotFound}},

	{"permissions.createPermission", `{"name":"x","slug":"x"}`, missingPermission, success},
	{"permissions.getPermission", `{"permission":"PERMID"}`, missingPermission, answerRow{404, permissionMissing}},
	{"permissions.listPermissions", `{}`, missingPermission, answerRow{200, "[]"}},
	{"permissions.deletePermission", `{"permission":"PERMID"}`, missingPermission, answerRow{404, permissionMissing}},
	{"permissions.createRole", `{"name":"x","permissions":["docs.read"]}`, missingPermission, success},
	{"permissions.getRole", `{"role":"ROLEID"}`, missingPermission, answerRow{404, roleMissing}},
	{"permissions.listRoles", `{}`, missingPermission, answerRow{200, "[]"}},
	{"permissions.deleteRole", `{"role":"ROLEID"}`, missingPermission, answerRow{404, roleMissing}},
	{"permissions.setRolePermissions", `{"roleId":"ROLEID","permissions":["docs.read"]}`, missingPermission, answerRow{404, roleMissing}},
}

// grants lists the sets of permissions that are enough. Each set has every needed permission, for all resources or for the one in the body.
// The permissions of a set stand between spaces.
func (row matrixRow) grants(t testing.TB) []string {
	all := api.Describe()
	i := slices.IndexFunc(all, func(e openapi.Endpoint) bool { return e.Name == row.endpoint })
	require.GreaterOrEqual(t, i, 0, row.endpoint)
	ids := strings.NewReplacer("<apiId>", "API", "<id>", "IDENTITY", "<namespaceId>", "NAMESPACE")
	sets := []string{""}
	for _, n := range all[i].Needs {
		if !slices.Contains([]string{"", "to give it permissions", "for each identity on the page"}, n.Condition) { // no body of the matrix needs more
			continue
		}
		var longer []string
		for _, set := range sets {
			for _, p := range n.Accepted {
				longer = append(longer, strings.TrimSpace(set+" "+ids.Replace(p)))
			}
		}
		sets = longer
	}
	if row.without == success { // needs none, so any will do
		require.Equal(t, []string{""}, sets, row.endpoint)
		return []string{"other.*.thing"}
	}
	require.NotEqual(t, []string{""}, sets, row.endpoint)
	return sets
}

// TestPermissions_MatrixIsComplete: an endpoint without a row would be an endpoint whose permission nobody tests.
func TestPermissions_MatrixIsComplete(t *testing.T) {
	var routes, rows []string
	for _, route := range newServer(t).each[0].Routes() {
		if route.Method == http.MethodPost {
			routes = append(routes, route.Path)
		}
	}
	for _, row := range matrix {
		rows = append(rows, "/v2/"+row.endpoint)
	}
	require.ElementsMatch(t, routes, rows)
}

// TestPermissions_Matrix asks every endpoint with every kind of caller: docs/contract.md 1.3, 1.12 and 1.13.
func TestPermissions_Matrix(t *testing.T) {
	base := newServer(t)
	for _, row := range matrix {
		t.Run(row.endpoint, func(t *testing.T) {
			s := base.on(t).foreign() // a workspace of its own. Who is refused changes nothing in it, so all of them can share it
			f := s.fixture()
			grants := row.grants(t)
			ask := func(t *testing.T, caller *server, headers ...string) *reply {
				return caller.on(t).post(row.endpoint, f.in(row.body), headers...)
			}
			t.Run("no header", func(t *testing.T) {
				re := ask(t, s, "Authorization", "").fails(400, invalidInput)
				require.Equal(t, "Authorization header for 'bearer' scheme", re.Error.Detail)
			})
			t.Run("malformed header", func(t *testing.T) {
				for _, header := range []string{"Bearer", "Bearer   ", rootKey, "bearer " + rootKey, "Basic " + rootKey} {
					ask(t, s, "Authorization", header).fails(400, "unkey/authentication/malformed")
				}
			})
			t.Run("unknown root key", func(t *testing.T) {
				re := ask(t, s, "Authorization", "Bearer    nobody").fails(401, "unkey/authentication/key_not_found")
				require.Equal(t, "Unauthorized", re.Error.Title)
			})
			t.Run("a user's key", func(t *testing.T) {
				ask(t, s.as(f.key)).fails(401, "unkey/authentication/key_not_found")
			})
			t.Run("revoked", func(t *testing.T) {
				created := s.post("rootKeys.createRootKey", `{"name":"x","permissions":["cluster.*.read"]}`)
				caller := s.as(created.field("key"))
				caller.must("cluster.getStatus", `{}`)
				s.must("rootKeys.revokeRootKey", fmt.Sprintf(`{"keyId":%q}`, created.field("keyId")))
				s.settle() // one endpoint is content with what its node knows
				ask(t, caller).fails(401, "unkey/authentication/key_not_found")
			})
			t.Run("disabled", func(t *testing.T) { // no endpoint of this release disables a root key
				s.result = &fsm.Refusal{Code: fsm.RootKeyDisabled}
				defer func() { s.result = nil }()
				ask(t, s).fails(403, "unkey/authorization/key_disabled")
			})
			t.Run("expired", func(t *testing.T) {
				body := fmt.Sprintf(`{"name":"x","permissions":["cluster.*.read"],"expires":%d}`, s.now+1000)
				caller := s.as(s.get("key", "rootKeys.createRootKey", body))
				s.now += 1000
				caller.must("cluster.getStatus", `{}`)
				s.now++
				s.settle()
				ask(t, caller).fails(403, "unkey/authorization/forbidden")
			})
			t.Run("without the permission", func(t *testing.T) {
				wrong := []string{"*", "other.*.thing"}
				for _, grant := range strings.Fields(strings.Join(grants, " ")) {
					wrong = append(wrong, strings.ToUpper(f.in(grant)), strings.Replace(grant, ".*.", ".someone_elses.", 1)+"x")
				}
				re := ask(t, s.grant(wrong...))
				row.without.check(re)
				if row.without == missingPermission {
					require.Contains(t, re.Error.Detail, strings.Fields(grants[0])[0])
					require.NotContains(t, re.Error.Detail, "other.*.thing", "a 403 must not list what the caller holds")
				}
			})
			t.Run("without the permission, with a large body", func(t *testing.T) {
				caller := s.grant("*", "other.*.thing").on(t)
				if row.without != missingPermission || row.endpoint == "identities.listIdentities" { // an empty list needs no permission
					row.without.check(caller.post(row.endpoint, f.in(row.body)+strings.Repeat(" ", 64<<10)))
					return
				}
				r := caller.request(row.endpoint, "")
				r.Body, r.ContentLength = io.NopCloser(unreadableBody{t}), 64<<10+1
				re := caller.do(r).fails(403, forbidden)
				require.Contains(t, re.Error.Detail, strings.Fields(row.grants(t)[0])[0])
			})
			t.Run("another workspace's", func(t *testing.T) {
				row.foreign.check(ask(t, s.foreign()))
			})
			for _, grant := range grants {
				t.Run(grant, func(t *testing.T) {
					needed := strings.Fields(grant)
					for i := range needed[1:] { // one of several is missing
						partly := slices.Delete(slices.Clone(needed), i+1, i+2)
						re := ask(t, s.grant(strings.Fields(f.in(strings.Join(partly, " ")))...)).fails(row.without.status, row.without.is)
						if row.without == missingPermission {
							require.Equal(t, "Missing permission: '"+needed[i+1]+"'", re.Error.Detail)
						}
					}
					own := base.on(t).foreign()
					about := own.fixture()
					own.grant(strings.Fields(about.in(grant))...).post(row.endpoint, about.in(row.body)).ok()

					own = base.on(t).foreign() // many requests can be executed once only
					about = own.fixture()
					own.grant(strings.Fields(about.in(grant))...).post(row.endpoint, about.in(row.body)+strings.Repeat(" ", 64<<10)).ok()
				})
			}
		})
	}
}

func (a answerRow) check(re *reply) {
	re.t.Helper()
	if a.status == http.StatusOK {
		require.Contains(re.t, re.ok(), a.is)
		return
	}
	re.fails(a.status, a.is)
}

// TestAuthentication_StateOfTheRootKey: what the ledger says of a root key reaches the client as docs/contract.md 1.3 words it. The last
// case is row 18 of section 5: no endpoint removes a workspace.
func TestAuthentication_StateOfTheRootKey(t *testing.T) {
	for code, want := range map[fsm.RefusalCode]answerRow{
		fsm.RootKeyNotFound:   {401, "unkey/authentication/key_not_found"},
		fsm.RootKeyDisabled:   {403, "unkey/authorization/key_disabled"},
		fsm.RootKeyExpired:    {403, "unkey/authorization/forbidden"},
		fsm.WorkspaceDisabled: {403, "unkey/authorization/workspace_disabled"},
		fsm.WorkspaceNotFound: {404, "unkey/data/workspace_not_found"},
	} {
		s := newServer(t)
		s.result = &fsm.Refusal{Code: code}
		want.check(s.post("apis.getApi", `{"apiId":"api_12345678"}`))
		want.check(s.post("keys.verifyKey", `{"key":"x"}`))
	}
}

// TestAuthentication_SpacesAroundTheToken: docs/contract.md 1.1.
func TestAuthentication_SpacesAroundTheToken(t *testing.T) {
	newServer(t).post("apis.createApi", `{"name":"abc"}`, "Authorization", "Bearer    "+rootKey+"  ").ok()
}

// TestMasking_HiddenThingsLookMissing: docs/contract.md 1.13 wants the same bytes for a thing that is hidden, deleted or in another
// workspace as for one that never existed.
func TestMasking_HiddenThingsLookMissing(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	deleted := s.get("keyId", "keys.createKey", f.in(`{"apiId":"API"}`))
	s.must("keys.deleteKey", fmt.Sprintf(`{"keyId":%q}`, deleted))
	s.must("identities.createIdentity", `{"externalId":"gone"}`)
	s.post("identities.deleteIdentity", `{"identity":"gone"}`)
	foreign, weak := s.foreign(), s.grant("identity.*.read_identity")

	for _, test := range []struct {
		name            string
		genuine, hidden *reply
	}{
		{"createKey in a foreign API", s.post("keys.createKey", `{"apiId":"api_nothing"}`), foreign.post("keys.createKey", f.in(`{"apiId":"API"}`))},
		{"createKey without create_key", s.post("keys.createKey", `{"apiId":"api_nothing"}`), weak.post("keys.createKey", f.in(`{"apiId":"API"}`))},
		{"createKey without encrypt_key", s.post("keys.createKey", `{"apiId":"api_nothing"}`),
			s.grant("api.*.create_key").post("keys.createKey", f.in(`{"apiId":"API","recoverable":true}`))},
		{"getApi foreign", s.post("apis.getApi", `{"apiId":"api_nothing"}`), foreign.post("apis.getApi", f.in(`{"apiId":"API"}`))},
		{"getKey foreign", s.post("keys.getKey", `{"keyId":"key_nothing"}`), foreign.post("keys.getKey", f.in(`{"keyId":"KEYID"}`))},
		{"getKey deleted", s.post("keys.getKey", `{"keyId":"key_nothing"}`), s.post("keys.getKey", fmt.Sprintf(`{"keyId":%q}`, deleted))},
		{"whoami foreign", s.post("keys.whoami", `{"key":"nothing"}`), foreign.post("keys.whoami", f.in(`{"key":"SECRET"}`))},
		{"whoami without read_key", s.post("keys.whoami", `{"key":"nothing"}`), weak.post("keys.whoami", f.in(`{"key":"SECRET"}`))},
		{"verifyKey foreign", s.post("keys.verifyKey", `{"key":"nothing"}`), foreign.post("keys.verifyKey", f.in(`{"key":"SECRET"}`))},
		{"verifyKey without verify_key", s.post("keys.verifyKey", `{"key":"nothing"}`), weak.post("keys.verifyKey", f.in(`{"key":"SECRET"}`))},
		{"verifyKey of a root key", s.post("keys.verifyKey", `{"key":"nothing"}`), s.post("keys.verifyKey", fmt.Sprintf(`{"key":%q}`, rootKey))},
		{"getIdentity foreign", s.post("identities.getIdentity", `{"identity":"nothing"}`), foreign.post("identities.getIdentity", f.in(`{"identity":"IDENTITY"}`))},
		{"getIdentity deleted", s.post("identities.getIdentity", `{"identity":"nothing"}`), s.post("identities.getIdentity", `{"identity":"gone"}`)},
		{"updateIdentity foreign", s.post("identities.updateIdentity", `{"identity":"nothing"}`), foreign.post("identities.updateIdentity", f.in(`{"identity":"IDENTITY"}`))},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.genuine.anonymous(), test.hidden.anonymous())
			require.Equal(t, test.genuine.Code, test.hidden.Code)
			require.Equal(t, test.genuine.Header().Get("Content-Type"), test.hidden.Header().Get("Content-Type"))
		})
	}
}

// TestPermissions_Refusal words a 403: docs/contract.md 1.12.
func TestPermissions_Refusal(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	weak := s.grant("identity.*.delete_identity")
	require.Equal(t, "Missing permission: 'api.*.create_api'", weak.post("apis.createApi", `{"name":"abc"}`).fails(403, forbidden).Error.Detail)
	require.Equal(t, f.in("Missing one of these permissions: api.*.read_key or api.API.read_key"),
		weak.post("keys.getKey", f.in(`{"keyId":"KEYID"}`)).fails(403, forbidden).Error.Detail)
	// Naming the externalId where the id belongs grants nothing.
	s.grant("identity.user_1.read_identity").post("identities.getIdentity", `{"identity":"user_1"}`).fails(403, forbidden)
}
