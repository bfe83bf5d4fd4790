// What the rows need around the SDK: one node of a cluster that scripts/sdk starts and names in the environment.
import assert from "node:assert/strict";
import { Unkey } from "@unkey/api";

export const url = process.env.CREDITD_URL;
export const rootKey = process.env.CREDITD_ROOT_KEY;
assert.ok(url && rootKey, "needs a cluster: run `make sdk`");

export const client = (key) => new Unkey({ serverURL: url, rootKey: key });
export const unkey = client(rootKey);

let drawn = 0;
// A name that no other row of any run uses.
export const unique = (prefix) => `${prefix}_${Date.now().toString(36)}_${process.pid}_${++drawn}`;

// Plain HTTP, for what no SDK has a method for.
export async function post(endpoint, body) {
  const response = await fetch(`${url}/v2/${endpoint}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${rootKey}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

// The SDK with a root key that has these permissions only.
export async function granted(...permissions) {
  const { status, text } = await post("rootKeys.createRootKey", { name: "sdk", permissions });
  assert.equal(status, 200, text);
  return client(JSON.parse(text).data.key);
}

export async function api() {
  return (await unkey.apis.createApi({ name: "sdk" })).data.apiId;
}

// Makes a key, in a new API unless the request names one.
export async function createKey(request = {}) {
  return (await unkey.keys.createKey({ apiId: request.apiId ?? (await api()), ...request })).data;
}

export const getKey = async (keyId) => (await unkey.keys.getKey({ keyId })).data;
export const verify = async (request) => (await unkey.keys.verifyKey(request)).data;

export async function identity(externalId) {
  return (await unkey.identities.createIdentity({ externalId, meta: { tier: "gold" } })).data.identityId;
}

// All items of a list, page by page.
export async function all(pages) {
  const items = [];
  for await (const page of pages) items.push(...page.result.data);
  return items;
}
