// The rows of methods whose endpoint not_served.txt still lists. A row runs from the moment its line is gone; it moves to
// rows.mjs with that change.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { api, createKey, getKey, identity, post, unique, unkey, verify } from "./suite.mjs";

// All items of a list, page by page.
async function all(pages) {
  const items = [];
  for await (const page of pages) items.push(...page.result.data);
  return items;
}

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

export const later = {
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
  "identities.listIdentities": async () => {
    const id = await identity(unique("user"));
    assert.ok((await all(await unkey.identities.listIdentities({}))).some((each) => each.id === id));
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
    const { data } = await unkey.keys.migrateKeys({ migrationId, apiId: await api(), keys: [{ hash }, { hash }] });
    assert.deepEqual([data.migrated.map((each) => each.hash), data.failed], [[hash], [hash]]);
    assert.equal((await verify({ key })).code, "VALID");
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
