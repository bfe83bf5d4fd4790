package api

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type migrateKeysRequest struct {
	MigrationID string                      `json:"migrationId" schema:"required,minLength=3,maxLength=255"`
	APIID       string                      `json:"apiId" schema:"required,minLength=3,maxLength=255"`
	Keys        []schema.Later[migratedKey] `json:"keys" schema:"required,minItems=1"`
}

// migration is a request while it is executed. Its keys are read from the body when they are wanted: a body may have 690,000, which would take
// more than 200 MiB at once.
type migration struct {
	*migrateKeysRequest
	body    []byte
	last    migratedKey // what key returns
	breathe func(at int)
}

var migratedKeys = schema.MustCompile[migratedKey]("keys.migrateKeys keys")

// key reads a key of the request. It is valid until the next one is read.
func (m *migration) key(i int) *migratedKey {
	m.last = migratedKey{}
	if bad := migratedKeys.Into(&m.last, m.body[m.Keys[i].From:m.Keys[i].To]); bad != nil {
		panic("api: a key of a migration cannot be read again")
	}
	return &m.last
}

type migratedKey struct {
	Hash        string                  `json:"hash" schema:"required,minLength=3"`
	Name        string                  `json:"name" schema:"minLength=1,maxLength=255"`
	ExternalID  string                  `json:"externalId" schema:"minLength=1,maxLength=255"`
	Meta        meta                    `json:"meta" schema:"maxProperties=100"`
	Roles       []roleName              `json:"roles" schema:"maxItems=100"`
	Permissions []permissionSlug        `json:"permissions" schema:"maxItems=1000"`
	Expires     schema.Optional[expiry] `json:"expires"`
	Enabled     bool                    `json:"enabled" schema:"default=true"`
	Credits     *credits                `json:"credits"`
	Ratelimits  []ratelimitConfig       `json:"ratelimits" schema:"maxItems=50"`
}

// migrateKeysData describes what appendJSON writes.
type migrateKeysData struct {
	Migrated []migratedOut      `json:"migrated"`
	Failed   []string           `json:"failed"`
	Failures []migrationFailure `json:"failures" doc:"The items of failed, with reasons."`
	// Interruption is there if keys were not reached.
	Interruption *interruptionOut `json:"interruption,omitempty" doc:"What ended the request before all keys were reached."`
}

type interruptionOut struct {
	Index int64    `json:"index" doc:"The position in keys of the first one that was not reached."`
	Error errorOut `json:"error" doc:"The error that a request for these keys would have had."`
}

type migrationFailure struct {
	Hash   string `json:"hash"`
	Reason string `json:"reason" doc:"unfit, repeated, in_use, taken_over or interrupted; unknown if an older ledger answered."`
}

// migrationReasons are the reasons of docs/contract.md 2.3.
var migrationReasons = [...]string{
	0: "unknown", fsm.HashUnfit: "unfit", fsm.HashRepeated: "repeated", fsm.HashInUse: "in_use", fsm.HashTakenOver: "taken_over",
	interrupted: "interrupted",
}

type migratedOut struct {
	Hash  string `json:"hash"`
	KeyID string `json:"keyId"`
}

// migrateKeys is keys.migrateKeys, docs/contract.md 2.3.
func migrateKeys() *endpoint {
	return write("keys.migrateKeys", about{
		summary: "Migrate keys from another system, by their hashes",
		text: "The keys keep working for their owners. For `sha256` a hash is the standard base64 of the SHA-256 of the key. `failed` lists " +
			"hashes that a key already has or came with, and hashes of another form; `failures` says why. Identities, `permissions` and `roles` that the other keys name are " +
			"created if they are unknown.",
		needs:     []need{forOne(fsm.CreateKeyPermission)},
		needsNote: checkedFirst,
		inParts:   true,
		example: `{"migrationId":"` + exampleMigration + `","apiId":"` + exampleAPI + `","keys":[{"hash":"` + exampleHash + `","name":"legacy",` +
			`"credits":{"remaining":100}}]}`,
		refuses: []fsm.RefusalCode{fsm.APINotFound, fsm.MigrationNotFound},
	}, func(c *call, req migrateKeysRequest) (migrationAnswer, error) {
		m := &migration{migrateKeysRequest: &req, breathe: c.breathe, body: c.body}
		first, end, err := m.check(c)
		if err != nil {
			return migrationAnswer{}, err
		}
		return m.inParts(c, first, end)
	})
}

// What a key takes in the answer beside its hash, and in the request. Longer hashes than the longest are useless.
const (
	besideHash  = 48
	aroundHash  = len(`{"hash":""}`)
	longestHash = 64
)

var _ bulk = (*migrateKeysRequest)(nil)

// bulkSize: each item has its hash and the id of its key, or its hash twice and a reason.
func (req *migrateKeysRequest) bulkSize() (size bulkSize) {
	for _, k := range req.Keys {
		size.usual += besideHash + 2*min(int64(k.To-k.From)-int64(aroundHash), longestHash)
	}
	return size
}

// check checks what needs no ledger, and returns which keys to send: all, or one that the ledger refuses after its checks of the caller.
func (m *migration) check(c *call) (first, end int, err error) {
	broken := -1
	c.breathed = 0
	for i := range m.Keys {
		if m.breathe(int(m.Keys[i].From)); c.turnless != nil {
			return 0, 0, c.turnless
		}
		k := m.key(i)
		if err := c.checkKeyMeta(k.Meta, fmt.Sprintf("keys[%d].meta", i)); err != nil {
			return 0, 0, err
		}
		if broken < 0 && k.broken() {
			broken = i
		}
	}
	if broken >= 0 {
		return broken, broken + 1, nil
	}
	return 0, len(m.Keys), nil
}

// partWork is the work of one command of a migration: about 1 ms. A request may have 180,000 keys, and everybody waits for an entry.
const partWork fsm.Work = 10_000

// partsVersion is the ledger version from which every node knows that a request may have parts.
const partsVersion = 3

// inParts adds the keys with one command after the other. What ends the request before its first command is an error, and adds nothing.
// Later, the keys that were not reached have failed [D-37].
func (m *migration) inParts(c *call, first, end int) (answer migrationAnswer, _ error) {
	// A node of an earlier build would take the record of the first part for that of the request.
	split := c.api.node.LedgerVersion() >= partsVersion
	all, replayed, whole := &fsm.Migrated{}, true, c.key.hash.Key
	for at := first; at < end; {
		if at > first && c.key.text != "" {
			c.key.hash.Key = shortHash(whole[:], strconv.AppendInt(nil, int64(at), 10)) // a part has a record of its own
		}
		c.replayed = false
		part, err := executeNew[*fsm.Migrated](c, func() fsm.Command { return m.part(at, end, split) })
		if err != nil && (at == first || mayHaveExecuted(err)) {
			return answer, fromRequest(err, at)
		}
		if err != nil {
			answer.cause, answer.reached = c.problemOf(fromRequest(err, at)), at
			part = &fsm.Migrated{IDs: make([]string, end-at), Failures: slices.Repeat([]fsm.MigrationFailure{interrupted}, end-at)}
			c.replayed = false
		}
		all.IDs = append(all.IDs, part.IDs...)
		all.Failures = append(all.Failures, part.Failures...)
		if missing := len(all.IDs) - len(all.Failures); missing > 0 {
			all.Failures = append(all.Failures, make([]fsm.MigrationFailure, missing)...)
		}
		replayed = replayed && c.replayed
		at += len(part.IDs) // a replay of an earlier build may have them all
	}
	c.replayed = replayed
	m.findRepeated(all)
	answer.of, answer.done = m, all
	return answer, nil
}

// fromRequest counts the key that a refusal is about from the beginning of the request, and not of the part that began at an index.
func fromRequest(err error, at int) error {
	refusal, ok := err.(*refused)
	if !ok {
		return err
	}
	inPart, rest, found := strings.Cut(strings.TrimPrefix(refusal.Detail, keyPrefix), "]")
	n, bad := strconv.Atoi(inPart)
	if !found || bad != nil || !strings.HasPrefix(refusal.Detail, keyPrefix) {
		return err
	}
	counted := *refusal
	counted.Detail = keyPrefix + strconv.Itoa(at+n) + "]" + rest
	return &counted
}

// keyPrefix begins the detail of a refusal that is about one key.
const keyPrefix = "keys["

// interrupted is the failure of the keys that a request did not reach. The ledger never gives it.
const interrupted = fsm.HashTakenOver + 1

// broken reports whether fields break a rule whatever the ledger holds.
func (k *migratedKey) broken() bool {
	fields := fsm.MigratedKey{Credits: k.Credits.newCredits(), MigratedAccess: fsm.MigratedAccess{Ratelimits: newRatelimits(k.Ratelimits)}}
	return fields.Broken()
}

// part is the next command: as many keys from one on as one command may have, or all.
func (m *migration) part(from, end int, split bool) *fsm.MigrateKeys {
	command := &fsm.MigrateKeys{MigrationID: m.MigrationID, APIID: m.APIID}
	work := fsm.Work(0)
	for i := from; i < end; i++ {
		k := m.key(i).command()
		if work += k.Work(); split && work > partWork && i > from {
			break
		}
		command.Keys = append(command.Keys, k)
	}
	return command
}

// findRepeated tells the hashes that an earlier key of the request brought from those that were there before: each part knows its own only.
func (m *migration) findRepeated(done *fsm.Migrated) {
	if !slices.Contains(done.Failures, fsm.HashInUse) {
		return
	}
	brought := make(map[fsm.Hash]bool)
	for i, id := range done.IDs {
		if id == "" && done.Failures[i] != fsm.HashInUse {
			continue
		}
		_, hash := mint.ParseHash(m.key(i).Hash)
		if id != "" {
			brought[hash] = true
		} else if brought[hash] {
			done.Failures[i] = fsm.HashRepeated
		}
	}
}

func (k *migratedKey) command() fsm.MigratedKey {
	form, hash := mint.ParseHash(k.Hash)
	m := fsm.MigratedKey{
		ID: mint.ID(mint.Key), Hash: hash, Form: form, Name: k.Name, ExternalID: k.ExternalID, Meta: keptMeta(k.Meta),
		Expires: expiresAt(k.Expires), Enabled: k.Enabled, Credits: k.Credits.newCredits(),
	}
	if m.ExternalID != "" {
		m.IdentityID = mint.ID(mint.Identity)
	}
	if len(k.Permissions) > 0 {
		m.Permissions = permissionRefs(k.Permissions)
	}
	for _, name := range k.Roles {
		m.Roles = append(m.Roles, fsm.RoleRef{Name: string(name), ID: mint.ID(mint.Role)})
	}
	m.Ratelimits = newRatelimits(k.Ratelimits)
	return m
}

// migrationAnswer shows what became of each key.
type migrationAnswer struct {
	of   *migration
	done *fsm.Migrated

	cause   *problem // that ended it early; nil: nothing did
	reached int      // the first key that was not reached
}

func (migrationAnswer) Shape() any { return migrateKeysData{} }

// appendJSON reads the hashes from the body once more rather than keep all of them.
func (a migrationAnswer) appendJSON(b []byte) []byte {
	b = slices.Grow(b, int(a.of.bulkSize().usual))
	b = a.appendList(append(b, `{"migrated":[`...), false, func(b []byte, hash string, i int) []byte {
		b = appendString(append(b, `{"hash":`...), hash)
		b = appendString(append(b, `,"keyId":`...), a.done.IDs[i])
		return append(b, '}')
	})
	b = a.appendList(append(b, `],"failed":[`...), true, func(b []byte, hash string, _ int) []byte { return appendString(b, hash) })
	b = a.appendList(append(b, `],"failures":[`...), true, func(b []byte, hash string, i int) []byte {
		var why fsm.MigrationFailure
		if i < len(a.done.Failures) {
			why = a.done.Failures[i]
		}
		b = appendString(append(b, `{"hash":`...), hash)
		b = appendString(append(b, `,"reason":`...), migrationReasons[why])
		return append(b, '}')
	})
	b = append(b, ']')
	if a.cause != nil {
		b = strconv.AppendInt(append(b, `,"interruption":{"index":`...), int64(a.reached), 10)
		b = append(a.cause.appendJSON(append(b, `,"error":`...)), '}')
	}
	return append(b, '}')
}

// appendList appends the keys that failed, or those that did not.
func (a migrationAnswer) appendList(b []byte, failed bool, one func(b []byte, hash string, i int) []byte) []byte {
	first := true
	for i, id := range a.done.IDs {
		if (id == "") != failed {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = one(b, a.of.key(i).Hash, i)
		a.of.breathe(len(b))
	}
	return b
}
