// One entry for every method of @unkey/api whose endpoint is served. A row makes what it needs. The SDK validates every answer
// and throws if one has another shape than its types say.
import assert from "node:assert/strict";
import { api, createKey, getKey, identity, unique, unkey, verify } from "./suite.mjs";

export const rows = {
  "apis.createApi": async () => {
    assert.match(await api(), /^api_/);
  },
  "apis.getApi": async () => {
    const id = await api();
    const got = await unkey.apis.getApi({ apiId: id });
    assert.deepEqual(got.data, { id, name: "sdk" });
    assert.match(got.meta.requestId, /^req_/);
  },

  "keys.createKey": async () => {
    const created = await createKey({
      prefix: "sdk", name: "full", byteLength: 32, externalId: unique("user"), meta: { plan: "pro" }, enabled: true,
      expires: Date.now() + 3_600_000,
      credits: { remaining: 10, refill: { interval: "monthly", amount: 5, refillDay: 31 } },
    });
    assert.match(created.keyId, /^key_/);
    assert.match(created.key, /^sdk_/);
    const unlimited = await createKey({ credits: { remaining: null } });
    assert.equal((await getKey(unlimited.keyId)).credits, undefined);
  },
  "keys.getKey": async () => {
    const externalId = unique("user");
    const expires = Date.now() + 3_600_000;
    const { keyId } = await createKey({
      prefix: "sdk", name: "full", externalId, meta: { plan: "pro" }, expires,
      credits: { remaining: 10, refill: { interval: "daily", amount: 5 } },
    });
    const { start, createdAt, identity: owner, ...rest } = await getKey(keyId);
    assert.match(start, /^sdk_....$/);
    assert.ok(createdAt > 0);
    assert.equal(owner.externalId, externalId);
    assert.deepEqual(rest, {
      keyId, enabled: true, name: "full", meta: { plan: "pro" }, expires,
      credits: { remaining: 10, refill: { interval: "daily", amount: 5 } },
    });
  },
  "keys.whoami": async () => {
    const { keyId, key } = await createKey({ name: "me" });
    assert.deepEqual((await unkey.keys.whoami({ key })).data, await getKey(keyId));
  },
  "keys.verifyKey": async () => {
    const externalId = unique("user");
    const { keyId, key } = await createKey({ name: "spender", externalId, meta: { plan: "pro" }, credits: { remaining: 5 } });
    const { identity: owner, ...verdict } = await verify({ key, tags: ["path=/v1"], credits: { cost: 3 } });
    assert.equal(owner.externalId, externalId);
    assert.deepEqual(verdict, { valid: true, code: "VALID", keyId, enabled: true, credits: 2, name: "spender", meta: { plan: "pro" } });

    const denied = await verify({ key, credits: { cost: 3 } });
    assert.deepEqual([denied.valid, denied.code, denied.credits], [false, "USAGE_EXCEEDED", 2]); // a denial charges nothing

    assert.deepEqual(await verify({ key: "nobody" }), { valid: false, code: "NOT_FOUND" });
    assert.equal((await verify({ key: (await createKey({ expires: 1 })).key })).code, "EXPIRED");
    assert.equal((await verify({ key: (await createKey({ enabled: false })).key })).code, "DISABLED");
  },
  "keys.updateKey": async () => {
    const { keyId } = await createKey({});
    const changed = await unkey.keys.updateKey({
      keyId, name: "renamed", enabled: false, meta: { a: "b" }, externalId: unique("user"),
      credits: { remaining: 7, refill: { interval: "monthly", amount: 3, refillDay: 15 } },
    });
    assert.deepEqual(changed.data, {});
    let key = await getKey(keyId);
    assert.deepEqual([key.name, key.enabled, key.meta], ["renamed", false, { a: "b" }]);
    assert.deepEqual(key.credits, { remaining: 7, refill: { interval: "monthly", amount: 3, refillDay: 15 } });
    assert.ok(key.identity && key.updatedAt);

    await unkey.keys.updateKey({ keyId, name: null, meta: null, externalId: null, expires: null, credits: { refill: null } });
    key = await getKey(keyId);
    assert.deepEqual([key.name, key.meta, key.identity, key.credits], [undefined, undefined, undefined, { remaining: 7 }]);
    await unkey.keys.updateKey({ keyId, credits: null });
    assert.equal((await getKey(keyId)).credits, undefined);
  },
  "keys.updateCredits": async () => {
    const { keyId } = await createKey({});
    const change = async (operation, value) => (await unkey.keys.updateCredits({ keyId, operation, value })).data;
    assert.deepEqual(await change("set", 10), { remaining: 10 });
    assert.deepEqual(await change("increment", 5), { remaining: 15 });
    assert.deepEqual(await change("decrement", 100), { remaining: 0 });
    assert.deepEqual(await change("set", null), { remaining: null });
    assert.deepEqual(await change("set", 1), { remaining: 1 });
    assert.deepEqual(await change("set"), { remaining: null });
  },
  "keys.deleteKey": async () => {
    for (const permanent of [undefined, true]) {
      const { keyId, key } = await createKey({});
      assert.deepEqual((await unkey.keys.deleteKey({ keyId, permanent })).data, {});
      assert.equal((await verify({ key })).code, "NOT_FOUND");
    }
  },

  "identities.createIdentity": async () => {
    assert.match(await identity(unique("user")), /^id_/);
  },
  "identities.getIdentity": async () => {
    const externalId = unique("user");
    const id = await identity(externalId);
    for (const ref of [id, externalId]) {
      assert.deepEqual((await unkey.identities.getIdentity({ identity: ref })).data, { id, externalId, meta: { tier: "gold" } });
    }
  },
  "identities.updateIdentity": async () => {
    const externalId = unique("user");
    const id = await identity(externalId);
    const changed = await unkey.identities.updateIdentity({ identity: externalId, meta: { tier: "silver" } });
    assert.deepEqual(changed.data, { id, externalId, meta: { tier: "silver" } });
  },
  "identities.deleteIdentity": async () => {
    const externalId = unique("user");
    const first = await identity(externalId);
    assert.match((await unkey.identities.deleteIdentity({ identity: externalId })).meta.requestId, /^req_/);
    assert.notEqual(await identity(externalId), first); // the externalId is free at once
  },
};
