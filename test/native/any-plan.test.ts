/** Whatever is handed to the addon for a plan: it is refused with an exception, or becomes a session that ends as it should. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { NativePlan } from "../../src/native/index.js";
import { tries } from "../support/tries.js";
import { Half } from "./pair.js";
import { serverPlan } from "./plans.js";

const FIELDS = [...Object.keys(serverPlan()), "foreign", "udp"] as const;

/** Nothing that would take much memory or many threads where it is right. */
const odd = fc.oneof(
  fc.anything({ maxDepth: 1, withBigInt: true, withTypedArray: true, withNullPrototype: true, withSparseArray: true }),
  fc.constantFrom<unknown>(-1, 0, 1, 2, 0.5, NaN, Infinity, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 64, "", "::1", "127.0.0.2"),
  fc.constantFrom<unknown>(
    "client",
    "send",
    "receive",
    "crr",
    "epoll",
    "spin",
    "msg",
    "trunc",
    "zerocopy",
    true,
    Symbol("odd"),
    [],
    {},
  ),
  fc.constantFrom<unknown>([0], [-1, -1], [1, 2], ["::1"], new Uint8Array(16), { limit: 0, tos: 0, timeCalls: false }),
  fc.constantFrom<unknown>(
    { SO_PRIORITY: 1 },
    { constructor: 1 },
    { batch: 1, gso: false, gro: false, retryTimeoutMs: 0 },
    { batch: 65, gso: true, gro: 1 },
  ),
);

const plan = fc
  .array(fc.tuple(fc.constantFrom(...FIELDS), odd), { maxLength: 5 })
  .map((changes) => ({ ...serverPlan({ setupTimeoutMs: 100 }), ...Object.fromEntries(changes) }));

it("a plan is refused, or makes a session that ends", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 9, arbitrary: plan }, odd as fc.Arbitrary<NativePlan>), async (given) => {
      let half;
      try {
        half = new Half(given);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        return;
      }
      half.session.snapshot(true);
      await half.stop();
      expect(half.events.at(-1)).toBe("ended");
      expect(half.session.result().windowNs).toBe(0);
    }),
    tries(500),
  );
});
