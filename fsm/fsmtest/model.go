package fsmtest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/fsm"
)

// Model is the naive ledger.
type Model struct {
	now        int64  // log time, Unix ms
	version    uint64 // ledger version
	clusterID  string
	charged    uint64
	workspaces []*workspace
	rootKeys   []*rootKey
	apis       []*api
	identities []*identity
	keys       []*key
	migrations []*migration

	sessions map[uint64]*nodeSession
	opened   uint64
	applied  map[fsm.CallID]bool // all that ever were; without Below

	permissions            []*permission
	roles                  []*role
	permissionIDs, roleIDs []string          // that have a record: see leftover
	givenIn                map[string]string // the workspaces in which they were

	calls    []*idempotentCall
	capacity uint64 // for named calls, of the batch under way; 0: any number
	index    uint64 // of the batch under way

	counts     map[count]int64
	namespaces []*namespace

	audit []auditEntry
	marks []*importMark

	sweeps []*sweep
}

type workspace struct {
	id, name  string
	createdAt int64
	disabled  bool
	quotas    fsm.Quotas
}

type rootKey struct {
	id, name    string
	hash        fsm.Hash
	workspace   string
	permissions []string
	createdAt   int64
	expires     int64
}

type api struct {
	id, name, workspace, keyspace string
	createdAt                     int64
	protected, deleted            bool
}

type identity struct {
	id, externalID, workspace, meta string
	policy                          fsm.Policy
	limits                          []fsm.Ratelimit
	deleted                         bool
	account                         account
	createdAt                       int64

	hadBalance, ended bool // when it was deleted: it was limited, its keys went with it
}

type key struct {
	id, start, api, name, meta            string
	identity                              string // id, empty: none
	hash                                  fsm.Hash
	enabled, deleted                      bool
	createdAt, updatedAt, usedAt, expires int64
	account                               account
	limits                                []fsm.Ratelimit
	permissions, roles                    []string // ids
	left                                  leftover

	// Since ledger version 2, when its identity was deleted:
	former fsm.Hash // that it came with, if it was taken over; zero: none
	lost   bool     // the balance that paid for it went too: it has nothing to spend
	ended  bool     // it was deleted as well
}

// SecondRules is the ledger version from which the rules D-23, D-25, D-26 and D-27 hold.
const SecondRules uint64 = 2

// ThirdRules is the ledger version from which the limits D-32 to D-36 hold.
const ThirdRules uint64 = 3

// FourthRules is the ledger version from which the rules D-60 to D-79 hold.
const FourthRules uint64 = 4

// FifthRules is the ledger version from which the rules after D-79 hold, and the bases of imported balances.
const FifthRules uint64 = 5

// NewModel returns an empty ledger.
func NewModel() *Model {
	return &Model{version: fsm.OldestLedgerVersion, sessions: map[uint64]*nodeSession{}, applied: map[fsm.CallID]bool{}, counts: map[count]int64{}, givenIn: map[string]string{}}
}

// Clock returns the log time in Unix milliseconds.
func (t *Model) Clock() int64 { return t.now }

// Debited returns the sum of all charges, modulo 2^64.
func (t *Model) Debited() uint64 { return t.charged }

// Apply carries out a batch and returns one result per call.
func (t *Model) Apply(b fsm.Batch) []fsm.Result {
	t.advance(b.Stamp)
	t.endSilentSessions()
	t.capacity, t.index = b.IdempotencyMaxKeys, b.Index
	results := []fsm.Result{}
	for _, call := range b.Calls {
		results = append(results, t.applyInSession(call, b.Index))
	}
	return results
}

// advance moves log time and carries out every midnight on the way.
func (t *Model) advance(stamp int64) {
	if stamp <= t.now {
		return
	}
	year, month, day := time.UnixMilli(t.now).UTC().Date()
	for next := day + 1; ; next++ {
		midnight := time.Date(year, month, next, 0, 0, 0, 0, time.UTC)
		if midnight.UnixMilli() > stamp {
			break
		}
		for _, k := range t.keys {
			if !k.deleted {
				if mark := t.markOf(fsm.MarkedKey, k.id); mark != nil {
					mark.midnight(k.account, midnight)
				}
				k.account.midnight(midnight)
			}
		}
		for _, i := range t.identities {
			if !i.deleted {
				if mark := t.markOf(fsm.MarkedIdentity, i.id); mark != nil {
					mark.midnight(i.account, midnight)
				}
				i.account.midnight(midnight)
			}
		}
	}
	t.now = stamp
	t.purge()
	t.sweepAll()
}

func (t *Model) apply(call fsm.Call, index uint64) fsm.Result {
	if c, ok := call.Command.(*fsm.Bootstrap); ok {
		return t.bootstrap(c)
	}
	if c, ok := call.Command.(*fsm.OpenSession); ok {
		return t.openSession(c)
	}
	if c, ok := call.Command.(*fsm.RaiseLedgerVersion); ok {
		t.version = max(t.version, c.Version)
		return &fsm.Done{}
	}
	root, unknown := t.authenticate(call.Actor)
	if unknown != nil {
		return unknown
	}
	if needs(call.Command) > t.version {
		return refusal(fsm.LedgerVersionTooLow)
	}
	return t.executeIdempotent(root, call.Idempotency, t.storeFull(root), func() fsm.Result { return t.audited(call, index, root) })
}

// needs is the ledger version that a command came with, or one of its fields that is set.
func needs(command fsm.Command) uint64 {
	var nonce fsm.ShortHash
	switch c := command.(type) {
	case *fsm.ImportRecords, *fsm.FinishImport:
		return FourthRules
	case *fsm.DeleteIdentity:
		if c.DeleteKeys {
			return SecondRules
		}
	case *fsm.UpdateWorkspace:
		if c.KeepEnabled || c.Quotas != (fsm.QuotaChanges{}) {
			return ThirdRules
		}
	case *fsm.CreateKey:
		nonce = c.Nonce
	case *fsm.RerollKey:
		nonce = c.Nonce
	case *fsm.CreateRootKey:
		nonce = c.Nonce
	}
	if nonce != (fsm.ShortHash{}) {
		return ThirdRules
	}
	return fsm.OldestLedgerVersion
}

func (t *Model) execute(root *rootKey, command fsm.Command) fsm.Result {
	switch c := command.(type) {
	case *fsm.CreateWorkspace:
		return t.createWorkspace(root, c)
	case *fsm.CreateRootKey:
		return t.createRootKey(root, c)
	case *fsm.CreateAPI:
		return t.createAPI(root, c)
	case *fsm.CreateKey:
		return t.createKey(root, c)
	case *fsm.UpdateKey:
		return t.updateKey(root, c)
	case *fsm.DeleteKey:
		return t.deleteKey(root, c)
	case *fsm.UpdateKeyCredits:
		return t.updateKeyCredits(root, c)
	case *fsm.UpdateIdentityCredits:
		return t.updateIdentityCredits(root, c)
	case *fsm.CreateIdentity:
		return t.createIdentity(root, c)
	case *fsm.UpdateIdentity:
		return t.updateIdentity(root, c)
	case *fsm.DeleteIdentity:
		return t.deleteIdentity(root, c)
	case *fsm.VerifyKey:
		return t.verifyKey(root, c)
	case *fsm.VerifyKeys:
		return t.verifyKeys(root, c)

	case *fsm.DeleteAPI:
		return t.deleteAPI(root, c)
	case *fsm.RevokeRootKey:
		return t.revokeRootKey(root, c)
	case *fsm.UpdateWorkspace:
		return t.updateWorkspace(root, c)
	case *fsm.RerollKey:
		return t.rerollKey(root, c)
	case *fsm.CreateMigration:
		return t.createMigration(root, c)
	case *fsm.MigrateKeys:
		return t.migrateKeys(root, c)
	case *fsm.ImportRecords:
		return t.importRecords(root, c)
	case *fsm.FinishImport:
		return t.finishImport(root, c)
	case *fsm.VerifyMigrated:
		return t.verifyMigrated(root, c)

	case *fsm.CreatePermission:
		return t.createPermission(root, c)
	case *fsm.DeletePermission:
		return t.deletePermission(root, c)
	case *fsm.CreateRole:
		return t.createRole(root, c)
	case *fsm.DeleteRole:
		return t.deleteRole(root, c)
	case *fsm.SetRolePermissions:
		return t.setRolePermissions(root, c)
	case *fsm.LinkKeyPermissions:
		return t.linkKeyPermissions(root, c)
	case *fsm.LinkKeyRoles:
		return t.linkKeyRoles(root, c)

	case *fsm.ConsumeRatelimits:
		return t.consumeRatelimits(root, c)
	case *fsm.SetOverride:
		return t.setOverride(root, c)
	case *fsm.DeleteOverride:
		return t.deleteOverride(root, c)
	default:
		panic(fmt.Sprintf("fsmtest: the reference model does not know %T", c))
	}
}

// Answer answers a query at the present log time.
func (t *Model) Answer(actor fsm.Hash, q fsm.Query) fsm.Result {
	root, refusal := t.authenticate(actor)
	if refusal != nil {
		return refusal
	}
	switch q := q.(type) {
	case *fsm.GetIdempotencyRecord:
		if r := t.findReplay(root, q.Idempotency); r != nil {
			return r
		}
		return &fsm.Done{}
	case *fsm.Authorize:
		if r := need(root, q.Permission); r != nil && !(q.OnSome && needOnSome(root, q.Permission)) {
			return r
		}
		return &fsm.Done{}
	case *fsm.GetRootKey:
		if r := need(root, q.Permission); r != nil && q.Permission != "" {
			return r
		}
		return &fsm.RootKeys{List: []fsm.RootKey{showRootKey(root)}}
	case *fsm.GetAPI:
		return t.getAPI(root, q)
	case *fsm.GetKey:
		return t.getKey(root, q)
	case *fsm.WhoAmI:
		return t.whoAmI(root, q)
	case *fsm.GetIdentity:
		return t.getIdentity(root, q)
	case *fsm.GetImport:
		return t.getImport(root, q)

	case *fsm.ListKeys:
		return t.listKeys(root, q)
	case *fsm.ListAPIs:
		return t.listAPIs(root, q)
	case *fsm.PreviewVerification:
		return t.preview(root, q)
	case *fsm.ListIdentities:
		return t.listIdentities(root, q)
	case *fsm.ListRootKeys:
		return t.listRootKeys(root, q)
	case *fsm.ListWorkspaces:
		return t.listWorkspaces(root, q)
	case *fsm.GetRerollStart:
		return t.rerollStart(root, q)

	case *fsm.GetPermission:
		return t.getPermission(root, q)
	case *fsm.ListPermissions:
		return t.listPermissions(root, q)
	case *fsm.GetRole:
		return t.getRole(root, q)
	case *fsm.ListRoles:
		return t.listRoles(root, q)

	case *fsm.GetOverride:
		return t.getOverride(root, q)
	case *fsm.ListOverrides:
		return t.listOverrides(root, q)
	case *fsm.ListAudit:
		return t.listAudit(root, q)
	default:
		panic(fmt.Sprintf("fsmtest: the reference model does not know %T", q))
	}
}

// authenticate is contract 1.3.
func (t *Model) authenticate(actor fsm.Hash) (*rootKey, fsm.Result) {
	for _, r := range t.rootKeys {
		if r.hash != actor {
			continue
		}
		if t.now > r.expires {
			return nil, refusal(fsm.RootKeyExpired)
		}
		for _, w := range t.workspaces {
			if w.id == r.workspace && w.disabled {
				return nil, refusal(fsm.WorkspaceDisabled)
			}
		}
		return r, nil
	}
	return nil, refusal(fsm.RootKeyNotFound)
}

func refusal(code fsm.RefusalCode) fsm.Result { return &fsm.Refusal{Code: code} }

// need is contract 1.12: one of the accepted strings, literally.
func need(r *rootKey, accepted ...string) fsm.Result {
	for _, a := range accepted {
		if slices.Contains(r.permissions, a) {
			return nil
		}
	}
	return &fsm.Refusal{Code: fsm.InsufficientPermissions, Accepted: accepted}
}

// needOnSome reports whether a permission is held for any resource.
func needOnSome(r *rootKey, p string) bool {
	some := regexp.MustCompile("^" + strings.Replace(regexp.QuoteMeta(p), `\*`, ".+", 1) + "$")
	return strings.Contains(p, "*") && slices.ContainsFunc(r.permissions, some.MatchString)
}

// either are the two strings that an endpoint accepts which names something by id.
func either(resource, id, action string) []string {
	return []string{resource + ".*." + action, resource + "." + id + "." + action}
}

func (t *Model) hashTaken(h fsm.Hash) bool {
	return slices.ContainsFunc(t.rootKeys, func(r *rootKey) bool { return r.hash == h }) ||
		slices.ContainsFunc(t.keys, func(k *key) bool { return k.hash == h && !t.freed(k) })
}

// freed reports whether the hash of a key is free again, because the key is deleted, itself or with its API or identity.
func (t *Model) freed(k *key) bool {
	return t.version >= SecondRules && (k.deleted || k.ended || slices.ContainsFunc(t.apis, func(a *api) bool { return a.id == k.api && a.deleted }))
}

func (t *Model) createAPI(root *rootKey, c *fsm.CreateAPI) fsm.Result {
	if r := need(root, "api.*.create_api"); r != nil {
		return r
	}
	if slices.ContainsFunc(t.apis, func(a *api) bool { return a.id == c.ID }) {
		return refusal(fsm.IDTaken)
	}
	if r := t.room(root, fsm.Usage{fsm.APIsQuota: 1}); r != nil {
		return r
	}
	t.apis = append(t.apis, &api{id: c.ID, name: c.Name, workspace: root.workspace, keyspace: c.KeyspaceID, createdAt: t.now})
	return &fsm.Created{ID: c.ID}
}

// getAPI is contract 2.2: the permission first.
func (t *Model) getAPI(root *rootKey, q *fsm.GetAPI) fsm.Result {
	if r := need(root, either("api", q.APIID, "read_api")...); r != nil {
		return r
	}
	if a := t.findAPI(root, q.APIID); a != nil {
		return &fsm.API{ID: a.id, Name: a.name}
	}
	return refusal(fsm.APINotFound)
}

func (t *Model) findAPI(root *rootKey, id string) *api {
	for _, a := range t.apis {
		if a.id == id && a.workspace == root.workspace && !a.deleted {
			return a
		}
	}
	return nil
}
