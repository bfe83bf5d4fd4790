import assert from "node:assert/strict";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Unkey } from "@unkey/api";
import { HTTPClient } from "@unkey/api/lib/http.js";
import * as errors from "@unkey/api/models/errors";
import { ratelimit } from "./ratelimit.mjs";
import { rows } from "./rows.mjs";
import { api, client, createKey, getKey, granted, identity, post, rootKey, unique, unkey, url } from "./suite.mjs";

for (const [method, row] of Object.entries(rows)) {
  test(method, row);
}

for (const { name, call, check } of ratelimit) {
  test(`@unkey/ratelimit ${name}`, async () => check(await call()));
}

// Every method of the groups that creditd serves has a row, and nothing else has. docs/sdk-methods.md lists the others.
test("every method is accounted for", () => {
  const want = ["apis", "identities", "keys", "permissions", "ratelimit"].flatMap((group) =>
    Object.getOwnPropertyNames(Object.getPrototypeOf(unkey[group])).filter((name) => name !== "constructor")
      .map((name) => `${group}.${name}`));
  assert.deepEqual(Object.keys(rows).sort(), want.sort());
});

// The SDK makes its own class of every error, which it does only if status, content type and shape are right.
const user = unique("user");
const failures = [
  ["400", errors.BadRequestErrorResponse, "unkey/application/invalid_input", () => unkey.apis.createApi({ name: "x" })],
  ["400 of deleteIdentity", errors.BadRequestErrorResponse, "unkey/application/invalid_input",
    () => unkey.identities.deleteIdentity({ identity: "" })],
  ["401", errors.UnauthorizedErrorResponse, "unkey/authentication/key_not_found",
    () => client("nobody").apis.getApi({ apiId: "api_12345678" })],
  ["403", errors.ForbiddenErrorResponse, "unkey/authorization/insufficient_permissions",
    async () => (await granted("api.*.read_api")).apis.createApi({ name: "sdk" })],
  ["403 of deleteIdentity", errors.ForbiddenErrorResponse, "unkey/authorization/insufficient_permissions",
    async () => (await granted("api.*.read_api")).identities.deleteIdentity({ identity: user })],
  ["404 of an API", errors.NotFoundErrorResponse, "unkey/data/api_not_found", () => unkey.apis.getApi({ apiId: "api_12345678" })],
  ["404 of a key", errors.NotFoundErrorResponse, "unkey/data/key_not_found", () => unkey.keys.getKey({ keyId: "key_12345678" })],
  ["404 of an identity", errors.NotFoundErrorResponse, "unkey/data/identity_not_found",
    () => unkey.identities.getIdentity({ identity: "nobody" })],
  ["404 of deleteIdentity", errors.NotFoundErrorResponse, "unkey/data/identity_not_found",
    () => unkey.identities.deleteIdentity({ identity: "nobody" })],
  ["409", errors.ConflictErrorResponse, "unkey/data/identity_already_exists",
    async () => { await identity(user); return unkey.identities.createIdentity({ externalId: user }); }],
];
for (const [name, type, path, call] of failures) {
  test(`error ${name}`, async () => {
    await assert.rejects(call, (err) => {
      assert.ok(err instanceof type, `${err.constructor.name}: ${err.message}`);
      assert.equal(err.statusCode, Number(name.slice(0, 3)));
      assert.equal(err.error.status, err.statusCode);
      assert.equal(err.error.type, `https://unkey.com/docs/errors/${path}`);
      assert.ok(err.error.title && err.error.detail);
      if (err.statusCode === 400) assert.equal(err.error.errors.length, 1);
      return true;
    });
  });
}

// The SDK declares 412 only for apis.deleteApi. Elsewhere it is the class for undeclared ones, which carries status and body.
const unmet = [
  ["getKey", ({ keyId }) => unkey.keys.getKey({ keyId, decrypt: true })],
  ["createKey", async () => unkey.keys.createKey({ apiId: await api(), recoverable: true })],
  ["verifyKey", ({ key }) => unkey.keys.verifyKey({ key, ratelimits: [{ name: "unknown" }] })],
];
for (const [method, call] of unmet) {
  test(`error 412 of ${method}`, async () => {
    const created = await createKey({});
    await assert.rejects(() => call(created), (err) => {
      assert.ok(err instanceof errors.APIError, `${err.constructor.name}: ${err.message}`);
      assert.equal(err.statusCode, 412);
      assert.equal(JSON.parse(err.body).error.type, "https://unkey.com/docs/errors/unkey/application/precondition_failed");
      return true;
    });
  });
}

// The SDK at a node in trouble: it is full, never learns what became of a verification, and finds what it is to delete protected
// and what it is to use deleted. Nothing of it may be sent again behind the caller's back.
let sent = 0;
const troubled = new Unkey({
  serverURL: process.env.CREDITD_TROUBLED_URL, rootKey,
  httpClient: new HTTPClient({ fetcher: (request) => { sent++; return fetch(request); } }),
});
const limit = { namespace: "deleted", identifier: "user", limit: 1, duration: 60_000 };
const troubles = [
  ["410 of limit", errors.GoneErrorResponse, "unkey/data/ratelimit_namespace_gone", () => troubled.ratelimit.limit(limit)],
  ["410 of multiLimit", errors.GoneErrorResponse, "unkey/data/ratelimit_namespace_gone", () => troubled.ratelimit.multiLimit([limit])],
  ["412 of deleteApi", errors.PreconditionFailedErrorResponse, "unkey/application/protected_resource",
    () => troubled.apis.deleteApi({ apiId: "api_12345678" })],
  ["429", errors.TooManyRequestsErrorResponse, "user/too_many_requests/workspace_rate_limited",
    () => troubled.apis.createApi({ name: "sdk" })],
];
for (const [name, type, path, call] of troubles) {
  test(`error ${name}`, async () => {
    sent = 0;
    await assert.rejects(call, (err) => {
      assert.ok(err instanceof type, `${err.constructor.name}: ${err.message}`);
      assert.equal(err.statusCode, Number(name.slice(0, 3)));
      assert.equal(err.error.type, `https://unkey.com/docs/errors/${path}`);
      return true;
    });
    assert.equal(sent, 1);
  });
}
test("error 408", async () => {
  sent = 0;
  await assert.rejects(troubled.keys.verifyKey({ key: "x" }), (err) => {
    assert.ok(err instanceof errors.APIError, `${err.constructor.name}: ${err.message}`);
    assert.equal(err.statusCode, 408);
    assert.equal(err.headers.get("Creditd-Outcome"), "unknown");
    return true;
  });
  assert.equal(sent, 1);
});

// A proxy resets the connection of the first request with each body, after the charge. The SDK repeats the request by itself. Only an
// Idempotency-Key, one for each call, makes that safe.
const resetting = new Unkey({ serverURL: process.env.CREDITD_RESETTING_URL, rootKey });
for (const [how, options, balance] of [
  ["without an Idempotency-Key is charged twice", undefined, 80],
  ["with an Idempotency-Key is charged once", { headers: { "Idempotency-Key": crypto.randomUUID() } }, 90],
]) {
  test(`a call ${how} when its connection breaks`, async () => {
    const { keyId, key } = await createKey({ credits: { remaining: 100 } });
    const verdict = (await resetting.keys.verifyKey({ key, credits: { cost: 10 } }, options)).data;
    assert.deepEqual([verdict.code, verdict.credits], ["VALID", balance]);
    assert.equal((await getKey(keyId)).credits.remaining, balance);
  });
}

// A method that creditd does not serve says so in the error envelope. The SDK has a class for this 404 where it declares one.
const unserved = [
  ["analytics.getVerifications", errors.APIError, () => unkey.analytics.getVerifications({ query: "SELECT 1" })],
  ["deploy.getDeployment", errors.NotFoundErrorResponse, () => unkey.internal.getDeployment({ deploymentId: "d_12345678" })],
  ["portal.createSession", errors.NotFoundErrorResponse, () => unkey.portal.createSession({ portal: "portal", externalId: "user", scopes: ["keys:read"] })],
  ["projects.listProjects", errors.APIError, () => unkey.projects.listProjects({})],
];
for (const [method, type, call] of unserved) {
  test(`${method} is not served`, async () => {
    await assert.rejects(call, (err) => {
      assert.ok(err instanceof type, `${err.constructor.name}: ${err.message}`);
      assert.equal(err.statusCode, 404);
      const { error } = JSON.parse(err.body);
      assert.equal(error.type, "https://unkey.com/docs/errors/unkey/application/endpoint_not_served");
      assert.ok(error.detail.includes(method), error.detail);
      return true;
    });
  });
}

// The document that a node serves is OpenAPI 3.1 by the official schema, and names every method that has a row.
test("openapi.json", async () => {
  const document = await (await fetch(`${url}/openapi.json`)).json();
  const result = await new Validator().validate(structuredClone(document));
  assert.ok(result.valid, JSON.stringify(result.errors, null, 2));
  assert.equal(document.openapi, "3.1.0");
  for (const method of Object.keys(rows)) {
    assert.equal(document.paths[`/v2/${method}`].post.operationId, method);
  }
});
