// One entry for every method of @unkey/api that creditd serves. A row makes what it needs. The SDK validates every answer
// and throws if one has another shape than its types say.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { all, api, createKey, getKey, identity, post, unique, unkey, verify } from "./suite.mjs";

async function permission() {
  const slug = unique("slug");
  return { slug, id: (await unkey.permissions.createPermission({ name: slug, slug })).data.permissionId };
}

async function role(permissions) {
  const name = unique("role");
  return { name, id: (await unkey.permissions.createRole({ name, permissions })).data.roleId };
}

// A namespace, which the first use of a limit makes, and an override in it.
async function override() {
  const namespace = unique("ns");
  await unkey.ratelimit.limit({ namespace, identifier: "user", limit: 5, duration: 3_600_000 });
  const set = await unkey.ratelimit.setOverride({ namespace, identifier: "user", limit: 7, duration: 60_000 });
  return { namespace, id: set.data.overrideId };
}

const slugs = (answer) => answer.data.map((each) => each.slug);
const names = (answer) => answer.data.map((each) => each.name);

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
  "apis.deleteApi": async () => {
    const apiId = await api();
    const { key } = await createKey({ apiId });
    assert.deepEqual((await unkey.apis.deleteApi({ apiId })).data, {});
    assert.equal((await verify({ key })).code, "NOT_FOUND");
  },
  "apis.listKeys": async () => {
    const apiId = await api();
    const made = [await createKey({ apiId }), await createKey({ apiId })].map((each) => each.keyId).sort();
    assert.deepEqual((await all(await unkey.apis.listKeys({ apiId, limit: 1 }))).map((each) => each.keyId), made);
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

    const [slug, held] = [unique("slug"), (await role()).name];
    const limited = (await createKey({
      permissions: [slug], roles: [held], ratelimits: [{ name: "requests", limit: 1, duration: 3_600_000, autoApply: true }],
    })).key;
    const within = await verify({ key: limited, permissions: slug, ratelimits: [{ name: "ad-hoc", limit: 5, duration: 3_600_000 }] });
    assert.deepEqual([within.valid, within.permissions, within.roles], [true, [slug], [held]]);
    assert.deepEqual(Object.fromEntries(within.ratelimits.map((each) => [each.name, each.remaining])), { requests: 0, "ad-hoc": 4 });
    const over = await verify({ key: limited });
    assert.deepEqual([over.code, over.ratelimits[0].exceeded], ["RATE_LIMITED", true]);
    assert.equal((await verify({ key: limited, permissions: "nothing" })).code, "INSUFFICIENT_PERMISSIONS");

    assert.deepEqual(await verify({ key: "nobody" }), { valid: false, code: "NOT_FOUND" });
    assert.equal((await verify({ key: (await createKey({ expires: 1 })).key })).code, "EXPIRED");
    assert.equal((await verify({ key: (await createKey({ enabled: false })).key })).code, "DISABLED");
  },
  "keys.updateKey": async () => {
    const { keyId } = await createKey({});
    const { name } = await role();
    const changed = await unkey.keys.updateKey({
      keyId, name: "renamed", enabled: false, meta: { a: "b" }, externalId: unique("user"),
      permissions: ["docs.read"], roles: [name], ratelimits: [{ name: "requests", limit: 9, duration: 60_000, autoApply: false }],
      credits: { remaining: 7, refill: { interval: "monthly", amount: 3, refillDay: 15 } },
    });
    assert.deepEqual(changed.data, {});
    let key = await getKey(keyId);
    assert.deepEqual([key.name, key.enabled, key.meta], ["renamed", false, { a: "b" }]);
    assert.deepEqual(key.credits, { remaining: 7, refill: { interval: "monthly", amount: 3, refillDay: 15 } });
    assert.ok(key.identity && key.updatedAt);
    assert.deepEqual([key.permissions, key.roles], [["docs.read"], [name]]);
    assert.deepEqual(key.ratelimits.map(({ id, ...rest }) => rest), [{ name: "requests", limit: 9, duration: 60_000, autoApply: false }]);

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
  "keys.addPermissions": async () => {
    const [{ keyId }, slug] = [await createKey({}), unique("slug")];
    assert.deepEqual(slugs(await unkey.keys.addPermissions({ keyId, permissions: [slug] })), [slug]);
  },
  "keys.removePermissions": async () => {
    const slug = unique("slug");
    const { keyId } = await createKey({ permissions: [slug] });
    assert.deepEqual(slugs(await unkey.keys.removePermissions({ keyId, permissions: [slug] })), []);
  },
  "keys.setPermissions": async () => {
    const slug = unique("slug");
    const { keyId } = await createKey({ permissions: [unique("slug")] });
    assert.deepEqual(slugs(await unkey.keys.setPermissions({ keyId, permissions: [slug] })), [slug]);
    assert.deepEqual((await getKey(keyId)).permissions, [slug]);
  },
  "keys.addRoles": async () => {
    const [{ keyId }, { name }] = [await createKey({}), await role()];
    assert.deepEqual(names(await unkey.keys.addRoles({ keyId, roles: [name] })), [name]);
  },
  "keys.removeRoles": async () => {
    const { name } = await role();
    const { keyId } = await createKey({ roles: [name] });
    assert.deepEqual(names(await unkey.keys.removeRoles({ keyId, roles: [name] })), []);
  },
  "keys.setRoles": async () => {
    const [{ keyId }, { name }] = [await createKey({}), await role()];
    assert.deepEqual(names(await unkey.keys.setRoles({ keyId, roles: [name] })), [name]);
    assert.deepEqual((await getKey(keyId)).roles, [name]);
  },
  "keys.rerollKey": async () => {
    const old = await createKey({ name: "old" });
    const renewed = (await unkey.keys.rerollKey({ keyId: old.keyId, expiration: 0 })).data;
    assert.equal((await getKey(renewed.keyId)).name, "old");
    assert.equal((await verify({ key: renewed.key })).code, "VALID");
    assert.equal((await verify({ key: old.key })).code, "EXPIRED");
  },
  "keys.migrateKeys": async () => {
    const migrationId = unique("migration");
    const { status, text } = await post("migrations.createMigration", { migrationId, algorithm: "sha256" });
    assert.equal(status, 200, text);
    const key = unique("secret");
    const hash = createHash("sha256").update(key).digest("base64");
    const { data } = await unkey.keys.migrateKeys({
      migrationId, apiId: await api(), keys: [{
        hash, roles: [migrationId], permissions: ["migrated.read"],
        ratelimits: [{ name: "requests", limit: 9, duration: 60_000, autoApply: false }],
      }, { hash }],
    });
    assert.deepEqual([data.migrated.map((each) => each.hash), data.failed], [[hash], [hash]]);
    const held = await getKey(data.migrated[0].keyId);
    assert.deepEqual([held.permissions, held.roles, held.ratelimits.length], [["migrated.read"], [migrationId], 1]);
    assert.equal((await verify({ key })).code, "VALID");
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
  "identities.listIdentities": async () => {
    const id = await identity(unique("user"));
    assert.ok((await all(await unkey.identities.listIdentities({}))).some((each) => each.id === id));
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

  "permissions.createPermission": async () => {
    assert.match((await permission()).id, /^perm_/);
  },
  "permissions.getPermission": async () => {
    const { id, slug } = await permission();
    for (const ref of [id, slug]) {
      assert.deepEqual((await unkey.permissions.getPermission({ permission: ref })).data, { id, name: slug, slug });
    }
  },
  "permissions.listPermissions": async () => {
    const { id } = await permission();
    assert.ok((await all(await unkey.permissions.listPermissions({}))).some((each) => each.id === id));
  },
  "permissions.deletePermission": async () => {
    const { slug } = await permission();
    assert.deepEqual((await unkey.permissions.deletePermission({ permission: slug })).data, {});
  },
  "permissions.createRole": async () => {
    assert.match((await role([unique("slug")])).id, /^role_/);
  },
  "permissions.getRole": async () => {
    const { id, name } = await role();
    for (const ref of [id, name]) {
      assert.deepEqual((await unkey.permissions.getRole({ role: ref })).data, { id, name });
    }
  },
  "permissions.listRoles": async () => {
    const { id } = await role();
    assert.ok((await all(await unkey.permissions.listRoles({}))).some((each) => each.id === id));
  },
  "permissions.deleteRole": async () => {
    const { name } = await role();
    assert.deepEqual((await unkey.permissions.deleteRole({ role: name })).data, {});
  },
  "permissions.setRolePermissions": async () => {
    const [{ id }, slug] = [await role(), unique("slug")];
    assert.deepEqual(slugs(await unkey.permissions.setRolePermissions({ roleId: id, permissions: [slug] })), [slug]);
  },

  "ratelimit.limit": async () => {
    const request = { namespace: unique("ns"), identifier: "user", limit: 1, duration: 3_600_000 };
    for (const success of [true, false]) {
      const { data } = await unkey.ratelimit.limit(request);
      assert.deepEqual([data.success, data.limit, data.remaining], [success, 1, 0]);
    }
  },
  "ratelimit.multiLimit": async () => {
    const { data } = await unkey.ratelimit.multiLimit([{ namespace: unique("ns"), identifier: "user", limit: 5, duration: 3_600_000 }]);
    assert.deepEqual([data.passed, data.limits.length, data.limits[0].remaining], [true, 1, 4]);
  },
  "ratelimit.setOverride": async () => {
    assert.match((await override()).id, /^rlor_/);
  },
  "ratelimit.getOverride": async () => {
    const { id, namespace } = await override();
    const { data } = await unkey.ratelimit.getOverride({ namespace, identifier: "user" });
    assert.deepEqual(data, { overrideId: id, identifier: "user", limit: 7, duration: 60_000 });
  },
  "ratelimit.listOverrides": async () => {
    const { id, namespace } = await override();
    assert.deepEqual((await all(await unkey.ratelimit.listOverrides({ namespace }))).map((each) => each.overrideId), [id]);
  },
  "ratelimit.deleteOverride": async () => {
    const { namespace } = await override();
    assert.ok((await unkey.ratelimit.deleteOverride({ namespace, identifier: "user" })).meta.requestId);
  },
};
