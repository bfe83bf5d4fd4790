// The classes of @unkey/ratelimit, in the order in which their calls make sense.
import assert from "node:assert/strict";
import { Overrides, Ratelimit } from "@unkey/ratelimit";
import { rootKey, unique, url } from "./suite.mjs";

const overrides = new Overrides({ rootKey, baseUrl: url });
const namespace = unique("sdk");
const identifier = "user_1";

export const ratelimit = [
  {
    name: "Ratelimit.limit",
    call: async () => {
      const limiter = new Ratelimit({ rootKey, baseUrl: url, namespace, limit: 2, duration: "1h", disableTelemetry: true });
      return [await limiter.limit("user_2"), await limiter.limit("user_2", { cost: 2 })];
    },
    check: ([first, second]) => {
      assert.deepEqual([first.success, first.limit, first.remaining], [true, 2, 1]);
      assert.equal(second.success, false);
    },
  },
  {
    name: "Overrides.setOverride",
    call: () => overrides.setOverride({ namespace, identifier, limit: 5, duration: 60_000 }),
    check: (set) => assert.match(set.data.overrideId, /^rlor_/),
  },
  {
    name: "Overrides.getOverride",
    call: () => overrides.getOverride({ namespace, identifier }),
    check: (got) => assert.deepEqual([got.data.identifier, got.data.limit, got.data.duration], [identifier, 5, 60_000]),
  },
  {
    name: "Overrides.listOverrides",
    call: () => overrides.listOverrides({ namespace }),
    check: (got) => assert.equal(got.data.length, 1),
  },
  {
    name: "Overrides.deleteOverride",
    call: () => overrides.deleteOverride({ namespace, identifier }),
    check: (got) => assert.match(got.meta.requestId, /^req_/),
  },
];
