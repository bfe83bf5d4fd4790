package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// filler gives a node at least one record of every kind, and sends every kind of command that HTTP can send.
type filler struct {
	node  *node
	label string // makes names unique
	apiID string
	notes notes // their answers are taken at the end
	err   error // the first one; later steps are skipped
}

// never is the latest time that the contract allows.
const never = 4_102_444_800_000

// fill does everything once, under names that end in label.
func (f *filler) fill(n *node, label string) error {
	f.node, f.label = n, label
	f.apis()
	f.access()
	f.identities()
	f.keys()
	f.endedKeys()
	f.links()
	f.migrations()
	f.limits()
	f.operators()
	f.repeated()
	if f.err != nil {
		return f.err
	}
	if err := f.capture(); err != nil {
		return err
	}
	return f.burst()
}

// do calls an endpoint, which has to succeed.
func (f *filler) do(endpoint string, request object) (data object) {
	if f.err == nil {
		f.err = call(f.node.client, endpoint, request, &data)
	}
	return data
}

// tell calls an endpoint whose answer does not matter.
func (f *filler) tell(endpoint string, request any) {
	if f.err == nil {
		f.err = call(f.node.client, endpoint, request, nil)
	}
}

func call(node *client.Client, endpoint string, request, data any, headers ...client.Header) error {
	if err := node.Call(context.Background(), endpoint, request, data, headers...).Err; err != nil {
		return fmt.Errorf("%s %v: %w", endpoint, request, err)
	}
	return nil
}

// name makes a name unique.
func (f *filler) name(text string) string { return text + "_" + f.label }

// later notes a read for the end.
func (f *filler) later(endpoint string, request object) {
	f.notes.Reads = append(f.notes.Reads, exchange{Endpoint: endpoint, Request: request})
}

// key creates a key, verifies it so often, and notes that it is read at the end.
func (f *filler) key(times int, request object) (id, key string) {
	request["apiId"] = f.apiID
	made := f.do("keys.createKey", request)
	id, _ = made["keyId"].(string)
	key, _ = made["key"].(string)
	for range times {
		f.tell("keys.verifyKey", object{"key": key})
	}
	f.later("keys.getKey", object{"keyId": id})
	return id, key
}

// lasting notes a verification for the end that costs nothing and is answered the same at any time.
func (f *filler) lasting(key string) {
	f.notes.Verifications = append(f.notes.Verifications, exchange{
		Endpoint: "keys.verifyKey", Request: object{"key": key, "credits": object{"cost": 0}},
	})
}

func (f *filler) apis() {
	f.apiID, _ = f.do("apis.createApi", object{"name": f.name("api")})["apiId"].(string)
	gone, _ := f.do("apis.createApi", object{"name": f.name("gone")})["apiId"].(string)
	f.tell("keys.createKey", object{"apiId": gone, "credits": object{"remaining": 5}})
	f.tell("apis.deleteApi", object{"apiId": gone})
	f.later("apis.getApi", object{"apiId": f.apiID})
	f.later("apis.listKeys", object{"apiId": f.apiID})
}

func (f *filler) access() {
	for _, slug := range []string{"read", "write", "drop"} {
		f.tell("permissions.createPermission", object{"name": "May " + slug, "slug": f.name(slug), "description": "to " + slug})
	}
	f.tell("permissions.deletePermission", object{"permission": f.name("drop")})
	role := f.do("permissions.createRole", object{"name": f.name("editor"), "description": "edits", "permissions": []string{f.name("read")}})
	f.tell("permissions.createRole", object{"name": f.name("viewer")})
	f.tell("permissions.createRole", object{"name": f.name("former")})
	f.tell("permissions.deleteRole", object{"role": f.name("former")})
	f.tell("permissions.setRolePermissions", object{"roleId": role["roleId"], "permissions": []string{f.name("read"), f.name("write")}})
	f.later("permissions.listPermissions", object{})
	f.later("permissions.listRoles", object{})
}

func (f *filler) identities() {
	for _, policy := range []string{"identity", "key", "both"} {
		f.tell("identities.createIdentity", object{
			"externalId": f.name(policy), "creditPolicy": policy, "credits": object{"remaining": 1000},
			"meta": object{"plan": "large"}, "ratelimits": []object{{"name": "shared", "limit": 10_000, "duration": 3_600_000, "autoApply": true}},
		})
		f.later("identities.getIdentity", object{"identity": f.name(policy)})
	}
	f.tell("identities.createIdentity", object{
		"externalId": f.name("daily"), "credits": object{"remaining": 7, "refill": object{"interval": "daily", "amount": 7}},
	})
	f.tell("identities.createIdentity", object{"externalId": f.name("unlimited")})
	f.tell("identities.createIdentity", object{"externalId": f.name("former"), "credits": object{"remaining": 3}})
	f.tell("identities.deleteIdentity", object{"identity": f.name("former")})
	f.tell("identities.updateIdentity", object{"identity": f.name("both"), "meta": object{"plan": "small"}, "credits": object{"remaining": 500}})
	f.tell("identities.updateCredits", object{"identity": f.name("identity"), "operation": "increment", "value": 11})
	f.later("identities.listIdentities", object{})
}

// keys makes one of each kind of key and leaves the plain one for the charge of the test.
func (f *filler) keys() {
	id, key := f.key(2, object{"name": f.name("plain"), "prefix": "pre", "credits": object{"remaining": 100}})
	f.lasting(key)
	f.notes.Charge = charge{Key: key, KeyID: id, Balance: 98}

	for _, policy := range []string{"identity", "key", "both", "daily", "unlimited"} {
		id, key := f.key(3, object{"externalId": f.name(policy), "credits": object{"remaining": 40}})
		if policy != "daily" {
			f.lasting(key)
		}
		f.tell("keys.updateCredits", object{"keyId": id, "operation": "decrement", "value": 1})
	}
	_, key = f.key(1, object{
		"name": f.name("full"), "meta": object{"team": []any{"a", 1, nil}}, "expires": never, "permissions": []string{f.name("read"), f.name("new")},
		"roles": []string{f.name("editor")}, "credits": object{"remaining": 9},
		"ratelimits": []object{
			{"name": "calls", "limit": 500, "duration": 60_000, "autoApply": true},
			{"name": "named", "limit": 20, "duration": 86_400_000, "autoApply": false},
		},
	})
	f.lasting(key)
	f.tell("keys.verifyKey", object{
		"key": key, "permissions": f.name("read") + " AND (" + f.name("write") + " OR " + f.name("new") + ")", "tags": []string{"tag"},
		"ratelimits": []object{{"name": "named", "cost": 2}, {"name": "adhoc", "limit": 5, "duration": 5_000}},
	})
	f.tell("keys.whoami", object{"key": key})
	f.key(1, object{"credits": object{"remaining": 50, "refill": object{"interval": "monthly", "amount": 60, "refillDay": 31}}})
	f.key(1, object{"credits": object{"remaining": 50, "refill": object{"interval": "daily", "amount": 70}}})
	f.key(1, object{"expires": time.Now().Add(time.Second).UnixMilli()})
	_, key = f.key(2, object{"credits": object{"remaining": 1}}) // exhausted
	f.lasting(key)
	_, key = f.key(1, object{"enabled": false})
	f.lasting(key)
	_, key = f.key(1, object{}) // unlimited
	f.lasting(key)
}

// endedKeys makes keys that are changed, replaced and deleted.
func (f *filler) endedKeys() {
	id, key := f.key(1, object{"name": f.name("before"), "credits": object{"remaining": 30}})
	f.tell("keys.updateKey", object{
		"keyId": id, "name": f.name("after"), "externalId": f.name("made"), "meta": object{"n": 1}, "enabled": true,
		"expires": nil, "credits": object{"remaining": 31, "refill": nil}, "permissions": []string{f.name("write")},
		"roles": []string{f.name("viewer")}, "ratelimits": []object{{"name": "calls", "limit": 3, "duration": 1000, "autoApply": false}},
	})
	f.lasting(key)
	id, key = f.key(1, object{"prefix": "roll", "credits": object{"remaining": 20}})
	rolled, _ := f.do("keys.rerollKey", object{"keyId": id, "expiration": 0})["key"].(string)
	f.lasting(key)
	f.lasting(rolled)
	for _, permanent := range []bool{false, true} {
		made := f.do("keys.createKey", object{"apiId": f.apiID, "credits": object{"remaining": 2}})
		f.tell("keys.deleteKey", object{"keyId": made["keyId"], "permanent": permanent})
	}
}

// links changes the permissions and roles of a key in every way there is, and verifies a batch.
func (f *filler) links() {
	id, key := f.key(1, object{"credits": object{"remaining": 600}})
	for _, step := range []struct {
		endpoint string
		slugs    []string
	}{
		{"keys.setPermissions", []string{f.name("read")}}, {"keys.addPermissions", []string{f.name("write"), f.name("linked")}},
		{"keys.removePermissions", []string{f.name("read")}},
	} {
		f.tell(step.endpoint, object{"keyId": id, "permissions": step.slugs})
	}
	f.tell("keys.setRoles", object{"keyId": id, "roles": []string{f.name("viewer")}})
	f.tell("keys.addRoles", object{"keyId": id, "roles": []string{f.name("editor")}})
	f.tell("keys.removeRoles", object{"keyId": id, "roles": []string{f.name("viewer")}})
	items := []object{
		{"key": key, "idempotencyKey": f.name("item")}, {"key": key, "credits": object{"cost": 5}}, {"key": "unknown_to_all"},
		{"key": key, "permissions": "("},
	}
	f.tell("keys.verifyKeys", object{"verifications": items})
	f.tell("keys.verifyKeys", object{"atomic": true, "verifications": []object{{"key": key}, {"key": key, "credits": object{"cost": 2}}}})
	f.lasting(key)
}

// migrations takes keys over from two other systems. Of those of the second one only one is verified, which re-hashes it.
func (f *filler) migrations() {
	f.tell("migrations.createMigration", object{"migrationId": f.name("plain"), "algorithm": "sha256"})
	f.tell("migrations.createMigration", object{"migrationId": f.name("prefixed"), "algorithm": "github.com/seamapi/prefixed-api-key"})
	plain, long, waiting := f.name("taken_over"), f.name("long")+"token", f.name("waiting")+"token"
	f.tell("keys.migrateKeys", object{"migrationId": f.name("plain"), "apiId": f.apiID, "keys": []object{{
		"hash": hashOf(plain, base64.StdEncoding.EncodeToString), "name": "taken over", "externalId": f.name("migrated"), "meta": object{"old": true},
		"expires": never, "credits": object{"remaining": 77, "refill": object{"interval": "monthly", "amount": 1, "refillDay": 1}},
		"permissions": []string{f.name("read")}, "roles": []string{f.name("editor"), f.name("arrived")},
		"ratelimits": []object{{"name": "calls", "limit": 9, "duration": 60_000, "autoApply": true}},
	}}})
	f.tell("keys.migrateKeys", object{"migrationId": f.name("prefixed"), "apiId": f.apiID, "keys": []object{
		{"hash": hashOf(tokenOf(long), hex.EncodeToString), "credits": object{"remaining": 66}},
		{"hash": hashOf(tokenOf(waiting), hex.EncodeToString), "credits": object{"remaining": 55}},
		{"hash": "not a hash at all"},
	}})
	f.tell("keys.verifyKey", object{"key": plain})
	f.tell("keys.verifyKey", object{"key": "pk_abcdefgh_" + tokenOf(long), "migrationId": f.name("prefixed")})
	f.lasting("pk_abcdefgh_" + tokenOf(long))
}

// tokenOf makes a long token: it has no underscore.
func tokenOf(text string) string { return hex.EncodeToString([]byte(text)) }

func hashOf(text string, encode func([]byte) string) string {
	sum := sha256.Sum256([]byte(text))
	return encode(sum[:])
}

func (f *filler) limits() {
	namespace := f.name("requests")
	for _, identifier := range []string{"alice", "bob", "vip_1"} {
		f.tell("ratelimit.limit", object{"namespace": namespace, "identifier": identifier, "limit": 3, "duration": 60_000, "cost": 2})
	}
	f.tell("ratelimit.limit", object{"namespace": namespace, "identifier": "alice", "limit": 3, "duration": 60_000, "cost": 2}) // denied
	for _, identifier := range []string{"vip_*", "alice", "former"} {
		f.tell("ratelimit.setOverride", object{"namespace": namespace, "identifier": identifier, "limit": 100, "duration": 3_600_000})
	}
	f.tell("ratelimit.deleteOverride", object{"namespace": namespace, "identifier": "former"})
	f.tell("ratelimit.limit", object{"namespace": namespace, "identifier": "vip_2", "limit": 3, "duration": 60_000})
	f.tell("ratelimit.multiLimit", []object{
		{"namespace": namespace, "identifier": "carol", "limit": 9, "duration": 2_592_000_000},
		{"namespace": f.name("other"), "identifier": "carol", "limit": 9, "duration": 2_592_000_000, "cost": 3},
	})
	f.later("ratelimit.listOverrides", object{"namespace": namespace})
	f.later("ratelimit.getOverride", object{"namespace": namespace, "identifier": "vip_9"})
}

// operators makes workspaces and root keys. Whoever has a root key of another workspace makes something there.
func (f *filler) operators() {
	workspace := f.do("workspaces.createWorkspace", object{"name": f.name("tenant")})["workspaceId"]
	disabled := f.do("workspaces.createWorkspace", object{"name": f.name("disabled")})["workspaceId"]
	f.tell("workspaces.updateWorkspace", object{"workspaceId": disabled, "enabled": false})
	tenant := f.do("rootKeys.createRootKey", object{
		"name": f.name("tenant"), "workspaceId": workspace, "permissions": []string{"api.*.create_api", "api.*.create_key", "api.*.verify_key"},
	})
	f.tell("rootKeys.createRootKey", object{"name": f.name("limited"), "permissions": []string{"api.*.read_api"}, "expires": never})
	revoked := f.do("rootKeys.createRootKey", object{"name": f.name("revoked"), "permissions": []string{"api.*.read_api"}})
	f.tell("rootKeys.revokeRootKey", object{"keyId": revoked["keyId"]})
	f.later("rootKeys.listRootKeys", object{})
	f.later("workspaces.listWorkspaces", object{})
	f.later("audit.listEntries", object{})
	if f.err != nil {
		return
	}
	secret, _ := tenant["key"].(string)
	theirs := client.New(client.Config{Node: f.node.client.Node(), RootKey: secret, Timeout: callTimeout})
	defer theirs.Close()
	var made object
	if f.err = call(theirs, "apis.createApi", object{"name": "theirs"}, &made); f.err == nil {
		f.err = call(theirs, "keys.createKey", object{"apiId": made["apiId"], "externalId": f.name("key")}, nil)
	}
}

// changes are requests that are answered with results of different kinds.
func (f *filler) changes(suffix string) []exchange {
	id, key := f.key(1, object{"credits": object{"remaining": 300}})
	role := f.do("permissions.createRole", object{"name": f.name("role" + suffix)})["roleId"]
	return []exchange{
		{Endpoint: "apis.createApi", Request: object{"name": f.name("more" + suffix)}},
		{Endpoint: "keys.updateCredits", Request: object{"keyId": id, "operation": "set", "value": 290}},
		{Endpoint: "keys.verifyKey", Request: object{"key": key}},
		{Endpoint: "keys.verifyKeys", Request: object{"verifications": []object{{"key": key}, {"key": "unknown_to_all"}}}},
		{Endpoint: "keys.updateKey", Request: object{"keyId": id, "name": "renamed"}},
		{Endpoint: "keys.addPermissions", Request: object{"keyId": id, "permissions": []string{f.name("write")}}},
		{Endpoint: "keys.addRoles", Request: object{"keyId": id, "roles": []string{f.name("editor")}}},
		{Endpoint: "keys.rerollKey", Request: object{"keyId": id, "expiration": 3_600_000}},
		{Endpoint: "keys.migrateKeys", Request: object{"migrationId": f.name("plain"), "apiId": f.apiID, "keys": []object{
			{"hash": hashOf(f.name("more"+suffix), base64.StdEncoding.EncodeToString)}, {"hash": "not a hash at all"},
		}}},
		{Endpoint: "identities.updateIdentity", Request: object{"identity": f.name("daily"), "meta": object{"suffix": suffix}}},
		{Endpoint: "permissions.setRolePermissions", Request: object{"roleId": role, "permissions": []string{f.name("read")}}},
		{Endpoint: "ratelimit.limit", Request: object{"namespace": f.name("requests"), "identifier": suffix, "limit": 3, "duration": 2_592_000_000}},
		{Endpoint: "ratelimit.setOverride", Request: object{"namespace": f.name("requests"), "identifier": suffix, "limit": 1, "duration": 1000}},
	}
}

// repeated leaves an outcome of each of the changes, and repeats one.
func (f *filler) repeated() {
	changes := f.changes("repeated")
	for i, change := range append(changes, changes[0]) {
		if f.err == nil {
			name := fmt.Sprintf("%s-%d", f.label, i%len(changes))
			f.err = call(f.node.client, change.Endpoint, change.Request, nil, client.IdempotencyKey(name))
		}
	}
}

// burst sends all changes at once: their results stay in the node's session, because no later request acknowledges them.
func (f *filler) burst() error {
	changes := f.changes("burst")
	if f.err != nil {
		return f.err
	}
	problems := make([]error, len(changes))
	var group, connected sync.WaitGroup
	connected.Add(len(changes))
	for i, change := range changes {
		group.Go(func() {
			own := launch.NewClient(f.node.client.Node(), callTimeout)
			defer own.Close()
			problems[i] = call(own, "cluster.getStatus", object{}, nil)
			connected.Done()
			connected.Wait()
			if problems[i] != nil {
				return
			}
			problems[i] = call(own, change.Endpoint, change.Request, nil)
		})
	}
	group.Wait()
	return errors.Join(problems...)
}
