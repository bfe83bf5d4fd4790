package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

// maxHold is how long one request may hold the ledger, whatever tenants have built in it: 5 ms. The machine of a test may be half as fast.
const maxHold = 2 * 5 * time.Millisecond

// measured is a node whose ledger is asked as a leader asks it: each command is peeked at first. It measures the CPU time of the longest hold,
// so that other programs on the machine do not count.
type measured struct {
	*ledger
	longest time.Duration
	of      string
}

func (m *measured) hold(of string, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	from := threadTime()
	f()
	if took := threadTime() - from; took > m.longest {
		m.longest, m.of = took, of
	}
}

func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

func (m *measured) Execute(_ context.Context, call fsm.Call) (r fsm.Result, index uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	answered := false
	m.hold(fmt.Sprintf("peek %T", call.Command), func() { r, answered = m.state.Peek(&call) })
	if answered {
		return r, m.index, nil
	}
	m.index++
	m.hold(fmt.Sprintf("apply %T", call.Command), func() {
		r = m.state.Apply(fsm.Batch{Stamp: m.now, Index: m.index, IdempotencyMaxKeys: m.maximum, Calls: []fsm.Call{call}})[0]
	})
	return r, m.index, nil
}

func (m *measured) Answer(_ context.Context, actor fsm.Hash, q fsm.Query) (r fsm.Result, index uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hold(fmt.Sprintf("answer %T", q), func() { r = m.state.Answer(actor, q) })
	return r, m.index, nil
}

// AnswerStale answers the pages: they wait without the ledger until it is fresh enough.
func (m *measured) AnswerStale(ctx context.Context, actor fsm.Hash, q fsm.Query, _ uint64) (fsm.Result, uint64, error) {
	return m.Answer(ctx, actor, q)
}

// tries is how often each request is measured. The fastest counts.
const tries = 2

// The worst state that the limits of docs/contract.md 1.10 allow, as far as one request can reach it.
var (
	largeMeta = `{"x":"` + strings.Repeat("x", 64<<10-20) + `"}`
	hugeMeta  = `{"x":"` + strings.Repeat("x", 1<<20-20) + `"}`
)

func worstKey(n int) string    { return fmt.Sprintf("key_worst%d", n) }
func worstSecret(n int) string { return fmt.Sprintf("secret_worst%d", n) }
func slug(n int) string        { return fmt.Sprintf("documents.of.the.%04d.department.read", n) }

func slugs(from, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = slug(from + i)
	}
	return list
}

func slugRefs(from, n int) []fsm.PermissionRef {
	list := make([]fsm.PermissionRef, n)
	for i, text := range slugs(from, n) {
		list[i] = fsm.PermissionRef{ID: fmt.Sprintf("perm_%06d", from+i), Slug: text}
	}
	return list
}

func worstLimits(prefix string) []fsm.Ratelimit {
	list := make([]fsm.Ratelimit, 50)
	for i := range list {
		list[i] = fsm.Ratelimit{ID: fmt.Sprintf("rl_%s%d", prefix, i), Name: fmt.Sprintf("%s limit %02d", prefix, i), Limit: 1 << 40, Duration: 60_000, AutoApply: true}
	}
	return list
}

// build makes the state with commands of the ledger.
func buildWorst(t testing.TB, s *server) {
	do := func(c fsm.Command) { t.Helper(); s.apply(t, s.token, c) }
	do(&fsm.CreateAPI{ID: "api_worst", KeyspaceID: "ks_worst", Name: "worst"})
	for i := range 3000 { // more than a page looks at
		id := fmt.Sprintf("%04d", i)
		do(&fsm.CreateAPI{ID: "api_" + id, KeyspaceID: "ks_" + id, Name: strings.Repeat("a", 256)})
	}
	do(&fsm.CreateMigration{ID: "mig", Algorithm: fsm.SHA256})
	credits := fsm.NewCredits{Limited: true, Remaining: 1 << 40}
	for i := range 12 {
		id := fmt.Sprintf("id_worst%d", i)
		do(&fsm.CreateIdentity{ID: id, ExternalID: id, Meta: hugeMeta, Credits: credits, Policy: fsm.BothPay, Ratelimits: worstLimits("identity")})
	}
	var roles []string
	for i := range 4 {
		name := fmt.Sprintf("role %d", i)
		do(&fsm.CreateRole{ID: fmt.Sprintf("role_worst%d", i), Name: name, Permissions: slugRefs(0, 1000)})
		roles = append(roles, name)
	}
	for i := range 120 {
		key := &fsm.CreateKey{
			ID: worstKey(i), Hash: mint.Hash(worstSecret(i)), APIID: "api_worst", ExternalID: "id_worst0", Meta: largeMeta, Expires: fsm.Never, Enabled: true,
			Credits: credits, Ratelimits: worstLimits("key"),
		}
		if i < 20 {
			key.Permissions, key.Roles = slugRefs(0, 1000), roles
		}
		do(key)
	}
	do(&fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{{Namespace: "space", NamespaceID: "rlns_worst", Identifier: "i", Limit: 9, Duration: 60_000}}})
	for i := range 300 {
		identifier := fmt.Sprintf("exact %d", i)
		if i < 100 {
			identifier = fmt.Sprintf("*%s*a*%s*b%02d*", strings.Repeat("x", 90), strings.Repeat("y", 90), i)
		}
		do(&fsm.SetOverride{ID: fmt.Sprintf("rlor_%d", i), Namespace: "space", Identifier: identifier, Limit: 5, Duration: 60_000})
	}
	for i := range 200 {
		do(&fsm.CreateWorkspace{ID: fmt.Sprintf("ws_worst%d", i), Name: "w"})
		do(&fsm.CreateRootKey{ID: fmt.Sprintf("key_root%d", i), Hash: fsm.Hash{200, byte(i)}, Name: "r", Permissions: slugs(0, 100), Expires: fsm.Never})
	}
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func adHoc() string {
	var list []string
	for i := range 50 {
		list = append(list, fmt.Sprintf(`{"name":"ad hoc limit %02d","limit":1000000,"duration":60000}`, i))
	}
	return `[` + strings.Join(list, ",") + `]`
}

func worstQuery() string {
	query := slug(0)
	for i := 1; len(query)+len(slug(i))+5 <= 1000; i++ {
		query += " AND " + slug(i)
	}
	return query
}

func verification(n int) string {
	return fmt.Sprintf(`{"key":%q,"credits":{"cost":1},"permissions":%q,"ratelimits":%s}`, worstSecret(n), worstQuery(), adHoc())
}

// worst has the worst request of every endpoint. try tells the requests of one endpoint apart, so that each changes something.
var worst = map[string]func(try int) string{
	"apis.createApi": func(int) string { return `{"name":"more"}` },
	"apis.getApi":    func(int) string { return `{"apiId":"api_worst"}` },
	"apis.deleteApi": func(int) string { return `{"apiId":"api_worst"}` },
	"apis.listApis":  func(int) string { return `{"limit":100,"search":"` + strings.Repeat("a", 255) + `b"}` },
	"apis.listKeys":  func(int) string { return `{"apiId":"api_worst","limit":100}` },

	"keys.createKey": func(try int) string {
		return fmt.Sprintf(`{"apiId":"api_worst","externalId":"new_%d","meta":%s,"permissions":%s,"roles":["role 0","role 1"],"credits":{"remaining":5}}`,
			try, largeMeta, text(slugs(10_000+1000*try, 1000)))
	},
	"keys.getKey":              func(try int) string { return fmt.Sprintf(`{"keyId":%q}`, worstKey(try)) },
	"keys.whoami":              func(try int) string { return fmt.Sprintf(`{"key":%q}`, worstSecret(try)) },
	"keys.verifyKey":           verification,
	"keys.previewVerification": verification,
	// Further items are refused, because the work of a request is bounded [D-33].
	"keys.verifyKeys": func(try int) string {
		return `{"verifications":[` + strings.Repeat(verification(try)+",", 299) + verification(try) + `]}`
	},
	"keys.updateKey": func(try int) string {
		return fmt.Sprintf(`{"keyId":%q,"enabled":true,"name":"n%d","meta":%s}`, worstKey(try), try, largeMeta)
	},
	"keys.updateCredits": func(try int) string { return fmt.Sprintf(`{"keyId":%q,"operation":"set","value":7}`, worstKey(try)) },
	"keys.deleteKey":     func(try int) string { return fmt.Sprintf(`{"keyId":%q,"permanent":true}`, worstKey(10+try)) },
	"keys.rerollKey":     func(try int) string { return fmt.Sprintf(`{"keyId":%q,"expiration":0}`, worstKey(try)) },
	"keys.migrateKeys": func(try int) string {
		var list []string
		for i := range 1000 {
			list = append(list, fmt.Sprintf(`{"hash":%q,"externalId":"migrated %d %d","credits":{"remaining":5}}`, base64Of(fmt.Sprint(try, i)), try, i))
		}
		return `{"migrationId":"mig","apiId":"api_worst","keys":[` + strings.Join(list, ",") + `]}`
	},
	"keys.addPermissions": func(try int) string {
		return fmt.Sprintf(`{"keyId":%q,"permissions":%s}`, worstKey(50+try), text(slugs(20_000+1000*try, 1000)))
	},
	"keys.setPermissions": func(try int) string {
		return fmt.Sprintf(`{"keyId":%q,"permissions":%s}`, worstKey(try), text(slugs(30_000+1000*try, 1000)))
	},
	"keys.removePermissions": func(try int) string {
		return fmt.Sprintf(`{"keyId":%q,"permissions":%s}`, worstKey(5+try), text(slugs(0, 1000)))
	},
	"keys.addRoles": func(try int) string {
		return fmt.Sprintf(`{"keyId":%q,"roles":["role 0","role 1","role 2","role 3"]}`, worstKey(60+try))
	},
	"keys.setRoles":    func(try int) string { return fmt.Sprintf(`{"keyId":%q,"roles":["role 0"]}`, worstKey(try)) },
	"keys.removeRoles": func(try int) string { return fmt.Sprintf(`{"keyId":%q,"roles":["role 0","role 1"]}`, worstKey(5+try)) },

	"identities.createIdentity": func(try int) string { return fmt.Sprintf(`{"externalId":"huge_%d","meta":%s}`, try, hugeMeta) },
	"identities.getIdentity":    func(int) string { return `{"identity":"id_worst0"}` },
	"identities.listIdentities": func(int) string { return `{"limit":100}` },
	"identities.updateIdentity": func(try int) string { return fmt.Sprintf(`{"identity":"id_worst%d","meta":%s}`, try, hugeMeta) },
	"identities.deleteIdentity": func(try int) string { return fmt.Sprintf(`{"identity":"id_worst%d"}`, 5+try) },
	"identities.updateCredits":  func(int) string { return `{"identity":"id_worst0","operation":"set","value":9}` },

	"ratelimit.limit": func(try int) string {
		return `{"namespace":"space","limit":5000,"duration":60000,"identifier":` + text(worstIdentifier(try)) + `}`
	},
	"ratelimit.multiLimit": func(try int) string {
		var list []string
		for i := range 100 {
			list = append(list, fmt.Sprintf(`{"namespace":"space","limit":5000,"duration":60000,"identifier":%q}`, fmt.Sprint(strings.Repeat("x", 90), "a", try, i)))
		}
		return `[` + strings.Join(list, ",") + `]`
	},
	"ratelimit.setOverride": func(try int) string {
		return fmt.Sprintf(`{"namespace":"space","identifier":"new %d","limit":5,"duration":60000}`, try)
	},
	"ratelimit.getOverride":    func(int) string { return `{"namespace":"space","identifier":"exact 250"}` },
	"ratelimit.listOverrides":  func(int) string { return `{"namespace":"space","limit":100}` },
	"ratelimit.deleteOverride": func(try int) string { return fmt.Sprintf(`{"namespace":"space","identifier":"exact %d"}`, 200+try) },

	"rootKeys.createRootKey":     func(int) string { return `{"name":"x","permissions":` + text(slugs(0, 100)) + `}` },
	"rootKeys.getRootKey":        func(int) string { return `{}` },
	"rootKeys.listRootKeys":      func(int) string { return `{"limit":100}` },
	"rootKeys.revokeRootKey":     func(try int) string { return fmt.Sprintf(`{"keyId":"key_root%d"}`, try) },
	"workspaces.createWorkspace": func(int) string { return `{"name":"x"}` },
	"workspaces.listWorkspaces":  func(int) string { return `{"limit":100}` },
	// The largest things are replaced, as many as one command may have.
	"records.importRecords": func(try int) string {
		list := []string{fmt.Sprintf(`{"identity":{"id":"id_worst%d","externalId":"imported %d","createdAt":1,"meta":%s}}`, try, try, hugeMeta)}
		for i := range 60 {
			list = append(list, fmt.Sprintf(`{"key":{"id":%q,"apiId":"api_worst","hash":%q,"enabled":true,"createdAt":%d}}`, worstKey(i), base64Of(fmt.Sprint("worst", try, i)), 1+try))
		}
		for i := range 900 {
			list = append(list, fmt.Sprintf(`{"key":{"id":"key_in%dx%d","apiId":"api_worst","hash":%q,"enabled":true,"createdAt":1,"credits":{"remaining":5}}}`, try, i, base64Of(fmt.Sprint(try, i))))
		}
		return `{"onConflict":"replace","trackBalances":true,"records":[` + strings.Join(list, ",") + `]}`
	},
	"records.getImport":     func(int) string { return `{}` },
	"records.finishImport":  func(int) string { return `{}` },
	"records.exportRecords": func(int) string { return `{"all":true}` },

	"workspaces.updateWorkspace": func(try int) string { return fmt.Sprintf(`{"workspaceId":"ws_worst%d","enabled":false}`, try) },
	"migrations.createMigration": func(try int) string { return fmt.Sprintf(`{"migrationId":"mig%d","algorithm":"sha256"}`, try) },
	"audit.listEntries":          func(int) string { return `{"limit":100}` },
	"cluster.getStatus":          func(int) string { return `{}` },
	"cluster.saveSnapshot":       func(int) string { return `{}` },
	"cluster.removeServer":       func(int) string { return `{"nodeId":"n2"}` },
	"cluster.transferLeadership": func(int) string { return `{}` },
	"cluster.getGossipKeys":      func(int) string { return `{}` },
	"cluster.changeGossipKeys":   func(int) string { return `{"action":"add"}` },

	"permissions.createPermission": func(try int) string { return fmt.Sprintf(`{"name":"x","slug":"new.%d"}`, try) },
	"permissions.getPermission":    func(int) string { return `{"permission":"perm_000001"}` },
	"permissions.listPermissions":  func(int) string { return `{"limit":100}` },
	"permissions.deletePermission": func(try int) string { return fmt.Sprintf(`{"permission":"perm_%06d"}`, try) },
	"permissions.createRole": func(try int) string {
		return fmt.Sprintf(`{"name":"new %d","permissions":%s}`, try, text(slugs(40_000+1000*try, 1000)))
	},
	"permissions.getRole":    func(int) string { return `{"role":"role_worst0"}` },
	"permissions.listRoles":  func(int) string { return `{"limit":100}` },
	"permissions.deleteRole": func(try int) string { return fmt.Sprintf(`{"role":"role_worst%d"}`, try) },
	"permissions.setRolePermissions": func(try int) string {
		return fmt.Sprintf(`{"roleId":"role_worst3","permissions":%s}`, text(slugs(50_000+1000*try, 1000)))
	},
}

// worstIdentifier makes every pattern look at it to its end.
func worstIdentifier(try int) string {
	return strings.Repeat("x", 90) + "a" + strings.Repeat("y", 89) + fmt.Sprint(try)
}

// last are the endpoints that take away what the others need.
var last = []string{"permissions.setRolePermissions", "permissions.deletePermission", "permissions.deleteRole", "identities.deleteIdentity", "apis.deleteApi"}

// No request may hold up everybody, whatever tenants have built: contract 1.10. A new endpoint needs its worst request here.
func TestWorst_NoRequestHoldsTheLedgerForLong(t *testing.T) {
	if replicated || raceDetector {
		t.Skip("measures one ledger")
	}
	node := &measured{}
	s := newServer(t, func(c *api.Config) {
		node.ledger = c.Node.(place).ledger
		c.Node = node
	})
	buildWorst(t, s)
	s = s.grant(fsm.AllPermissions()...)                // the first root key has not all of them
	s.hook = func(context.Context) error { return nil } // other tests check what these answers look like
	bodies, _ := examples(t)
	order := slices.Sorted(maps.Keys(bodies))
	require.Equal(t, order, slices.Sorted(maps.Keys(worst)), "every endpoint has its worst request")
	order = append(slices.DeleteFunc(order, func(name string) bool { return slices.Contains(last, name) }), last...)
	for _, name := range order {
		best, of := time.Hour, ""
		for try := range tries {
			node.now += 61_000 // the keys' dates of last use are due again
			body := worst[name](try)
			node.longest, node.of = 0, ""
			re := s.post(name, body)
			if try == 0 {
				assert.Equal(t, 200, re.Code, "%s: %.900s", name, re.text)
			}
			if node.longest < best {
				best, of = node.longest, node.of
			}
		}
		t.Logf("%-32s %8.3f ms  %s", name, float64(best.Microseconds())/1000, of)
		if best > maxHold {
			t.Errorf("%s holds the ledger for %v: %s", name, best, of)
		}
		if strings.Contains(name, ".list") {
			assert.NotContains(t, of, "Authorize", "%s: the page itself is not measured", name)
		}
	}
}
