package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
)

// sendRefusedWrites sends what can only be refused, as large as a body may be: TestRefusal_LeavesTheLogAsItWas checks the log.
func sendRefusedWrites(_ context.Context, t *target) (strike, error) {
	meta := func(size int) string { return strings.Repeat("a", size-100) }
	key := fmt.Appendf(nil, `{"apiId":"api_unknown","meta":{"a":%q}}`, meta(64<<10))
	identity := fmt.Appendf(nil, `{"externalId":"u","meta":{"a":%q}}`, meta(1<<20))
	migrated := fmt.Sprintf(`{"hash":"hash","meta":{"a":%q}}`, meta(64<<10))
	migration := fmt.Appendf(nil, `{"migrationId":"mig_unknown","apiId":"api_unknown","keys":[%s]}`, strings.Repeat(migrated+",", 140)+migrated)
	return func(ctx context.Context, attacker int) {
		t.post(ctx, attacker, t.weak, "keys.createKey", key)
		t.post(ctx, attacker, t.weak, "identities.createIdentity", identity)
		t.post(ctx, attacker, t.weak, "keys.migrateKeys", migration)
	}, nil
}

// matchPatterns asks for limits in a namespace with as many wildcard overrides as it may have.
func matchPatterns(ctx context.Context, t *target) (strike, error) {
	for i := range 150 {
		_, err := t.build(ctx, "ratelimit.setOverride", map[string]any{
			"namespace": "n", "identifier": fmt.Sprintf("a*a*a*%d*", i), "limit": 5, "duration": 60_000,
		})
		if refused := (*refusal)(nil); errors.As(err, &refused) {
			break // the namespace is full
		}
		if err != nil {
			return nil, err
		}
	}
	var items []string
	for i := range 100 {
		items = append(items, fmt.Sprintf(`{"namespace":"n","identifier":%q,"limit":5,"duration":60000}`, strings.Repeat("a", 200)+fmt.Sprint(i)))
	}
	body := []byte("[" + strings.Join(items, ",") + "]")
	return func(ctx context.Context, attacker int) { t.post(ctx, attacker, t.admin, "ratelimit.multiLimit", body) }, nil
}

// listWideKeys lists keys that have as many roles and permissions as they may have.
func listWideKeys(ctx context.Context, t *target) (strike, error) {
	made, err := t.build(ctx, "apis.createApi", map[string]any{"name": "wide"})
	if err != nil {
		return nil, err
	}
	apiID := made["apiId"]
	var roles []string
	for i := range 100 {
		var permissions []string
		for p := range 1000 {
			permissions = append(permissions, fmt.Sprintf("permission.%d.%d", i, p))
		}
		name := fmt.Sprintf("role%d", i)
		if _, err := t.build(ctx, "permissions.createRole", map[string]any{"name": name, "permissions": permissions}); err != nil {
			if refused := (*refusal)(nil); !errors.As(err, &refused) {
				return nil, err
			}
			break
		}
		roles = append(roles, name)
	}
	for range 100 {
		for have := len(roles); have > 0; have /= 2 { // fewer, if a key may not have so many
			_, err = t.build(ctx, "keys.createKey", map[string]any{"apiId": apiID, "roles": roles[:have]})
			if refused := (*refusal)(nil); !errors.As(err, &refused) {
				break
			}
		}
		if err != nil {
			return nil, err
		}
	}
	body := fmt.Appendf(nil, `{"apiId":%q,"limit":100}`, apiID)
	return func(ctx context.Context, attacker int) {
		t.post(ctx, attacker, t.admin, "apis.listKeys", body)
		t.post(ctx, attacker, t.admin, "permissions.listRoles", []byte(`{"limit":100}`))
	}, nil
}

// largeIdentity makes an identity with the largest meta, and keys of it.
func largeIdentity(ctx context.Context, t *target, keys int) (apiID any, err error) {
	made, err := t.build(ctx, "apis.createApi", map[string]any{"name": "large"})
	if err != nil {
		return nil, err
	}
	_, err = t.build(ctx, "identities.createIdentity", map[string]any{"externalId": "u", "meta": map[string]string{"a": strings.Repeat("a", 1<<20-100)}})
	for i := 0; err == nil && i < keys; i++ {
		_, err = t.build(ctx, "keys.createKey", map[string]any{"apiId": made["apiId"], "externalId": "u"})
	}
	return made["apiId"], err
}

func listLargeIdentities(ctx context.Context, t *target) (strike, error) {
	apiID, err := largeIdentity(ctx, t, 100)
	if err != nil {
		return nil, err
	}
	body := fmt.Appendf(nil, `{"apiId":%q,"limit":100}`, apiID)
	return func(ctx context.Context, attacker int) {
		t.post(ctx, attacker, t.admin, "apis.listKeys", body)
		t.post(ctx, attacker, t.admin, "identities.updateIdentity", []byte(`{"identity":"u","creditPolicy":"both"}`))
	}, nil
}

// updateLargeKeys changes one field of keys with the largest meta, many at once.
func updateLargeKeys(ctx context.Context, t *target) (strike, error) {
	made, err := t.build(ctx, "apis.createApi", map[string]any{"name": "updates"})
	if err != nil {
		return nil, err
	}
	var ids []string
	for range 16 {
		key, err := t.build(ctx, "keys.createKey", map[string]any{"apiId": made["apiId"], "meta": map[string]string{"a": strings.Repeat("a", 64<<10-100)}})
		if err != nil {
			return nil, err
		}
		ids = append(ids, fmt.Sprint(key["keyId"]))
	}
	return func(ctx context.Context, attacker int) {
		body := fmt.Appendf(nil, `{"keyId":%q,"enabled":%t}`, ids[attacker%len(ids)], rand.IntN(2) == 0)
		t.post(ctx, attacker, t.admin, "keys.updateKey", body)
	}, nil
}

// newKey makes a key and returns it in full.
func newKey(ctx context.Context, t *target) (string, error) {
	made, err := t.build(ctx, "apis.createApi", map[string]any{"name": "attacked"})
	if err != nil {
		return "", err
	}
	key, err := t.build(ctx, "keys.createKey", map[string]any{"apiId": made["apiId"]})
	return fmt.Sprint(key["key"]), err
}

// checkManyRatelimits verifies with as many rate limits as a request may name, all of them new.
func checkManyRatelimits(ctx context.Context, t *target) (strike, error) {
	key, err := newKey(ctx, t)
	return func(ctx context.Context, attacker int) {
		var limits []string
		for range 50 {
			limits = append(limits, fmt.Sprintf(`{"name":"limit%d","limit":10,"duration":2592000000}`, rand.Uint64()))
		}
		t.post(ctx, attacker, t.admin, "keys.verifyKey", fmt.Appendf(nil, `{"key":%q,"ratelimits":[%s]}`, key, strings.Join(limits, ",")))
	}, err
}

// verifyInBatches verifies a thousand times in a request.
func verifyInBatches(ctx context.Context, t *target) (strike, error) {
	key, err := newKey(ctx, t)
	one := fmt.Sprintf(`{"key":%q,"permissions":%q}`, key, strings.Repeat("a or ", 199)+"b")
	body := []byte(`{"verifications":[` + strings.Repeat(one+",", 999) + one + `]}`)
	return func(ctx context.Context, attacker int) { t.post(ctx, attacker, t.admin, "keys.verifyKeys", body) }, err
}

// migrateMany brings as many keys in a request as a body holds. That takes longer than a short attack, so one of two attackers sends small ones.
func migrateMany(ctx context.Context, t *target) (strike, error) {
	made, err := t.build(ctx, "apis.createApi", map[string]any{"name": "attacked"})
	if err != nil {
		return nil, err
	}
	if _, err := t.build(ctx, "migrations.createMigration", map[string]any{"migrationId": "mig", "algorithm": "sha256"}); err != nil {
		return nil, err
	}
	largest := []int{9 << 20, 256 << 10}
	return func(ctx context.Context, attacker int) {
		var body strings.Builder
		var hash [sha256.Size]byte
		encode := base64.StdEncoding.EncodeToString // as the algorithm wants it
		if attacker%4 >= 2 {
			encode = hex.EncodeToString // no key comes of it
		}
		fmt.Fprintf(&body, `{"migrationId":"mig","apiId":%q,"keys":[{"hash":"0000"}`, made["apiId"])
		for body.Len() < largest[attacker%len(largest)] {
			for i := 0; i < len(hash); i += 8 {
				binary.LittleEndian.PutUint64(hash[i:], rand.Uint64())
			}
			fmt.Fprintf(&body, `,{"hash":%q}`, encode(hash[:]))
		}
		body.WriteString(`]}`)
		t.post(ctx, attacker, t.admin, "keys.migrateKeys", []byte(body.String()))
	}, nil
}

// fillIdempotency makes an idempotency record with each request.
func fillIdempotency(ctx context.Context, t *target) (strike, error) {
	var next atomic.Uint64
	return func(ctx context.Context, attacker int) {
		t.post(ctx, attacker, t.admin, "keys.verifyKey", []byte(`{"key":"unknown_key"}`), "Idempotency-Key", fmt.Sprintf("k%d", next.Add(1)))
	}, nil
}

// fillWindows opens a hundred windows with each request.
func fillWindows(_ context.Context, t *target) (strike, error) {
	return func(ctx context.Context, attacker int) {
		var items []string
		for range 100 {
			items = append(items, fmt.Sprintf(`{"namespace":"n","identifier":"i%d","limit":10,"duration":2592000000}`, rand.Uint64()))
		}
		if status, _ := t.post(ctx, attacker, t.admin, "ratelimit.multiLimit", []byte("["+strings.Join(items, ",")+"]")); status == http.StatusNotFound {
			t.post(ctx, attacker, t.admin, "ratelimit.limit", []byte(items[0]))
		}
	}, nil
}
