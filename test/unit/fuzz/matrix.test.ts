/** A matrix file and the options of a server: run, or refused with a text that names what is wrong. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { CnbLoadError } from "../../../src/errors.js";
import { resolveServeOptions } from "../../../src/options/spec.js";
import { runTable, serveTable } from "../../../src/options/table.js";
import { parseMatrix } from "../../../src/suite/matrix.js";
import { planRuns } from "../../../src/suite/plan.js";
import { tries } from "../../support/tries.js";

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.constantFrom<unknown>(
    "64K",
    "1.5Mi",
    "10s",
    "1m30s",
    "100M",
    "2-5,8",
    "on",
    "epoll",
    "10.0.0.0/8",
    "2%",
    null,
    0,
    1,
    -1,
  ),
  fc.constantFrom<unknown>(2 ** 53, 1e300, "1e9", "0x10", "999999999999G", "1h1h", "0-8191", "8192", "::1/129", "auto"),
);
const options = (table: object): fc.Arbitrary<Record<string, unknown>> =>
  fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(table)), fc.string({ maxLength: 8 })), value, { maxKeys: 5 });
const test = fc.constantFrom("tcp_stream", "tcp_maerts", "tcp_rr", "tcp_crr", "tcp_cc", "udp_stream", "udp_rr", "none");

const matrix = fc.record(
  {
    name: fc.oneof(fc.string(), value),
    defaults: fc.oneof(options(runTable), value),
    runs: fc.oneof(
      fc.array(
        fc.tuple(options(runTable), test).map(([own, name]) => ({ ...own, test: name })),
        { maxLength: 4 },
      ),
      value,
    ),
  },
  { requiredKeys: [] },
);

function expectRefusal(error: unknown): void {
  expect(error).toBeInstanceOf(CnbLoadError);
  expect((error as CnbLoadError).code).toBe("ERR_INVALID_OPTION");
  expect((error as CnbLoadError).message).not.toMatch(/\[object|NaN/);
}

it("a matrix becomes runs that are whole, or is refused", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        matrix.map((one) => JSON.stringify(one)),
        fc.json(),
        fc.string(),
      ),
      (text) => {
        try {
          for (const { spec } of planRuns(parseMatrix(text, "m.json"), "127.0.0.1", {})) {
            expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
          }
        } catch (error) {
          expectRefusal(error);
        }
      },
    ),
    tries(1000),
  );
});

it("a server's options are resolved, or refused", () => {
  fc.assert(
    fc.property(options(serveTable), (given) => {
      try {
        const resolved = resolveServeOptions(given);
        for (const one of Object.values(resolved)) expect(one === undefined || Number.isNaN(one)).toBe(false);
      } catch (error) {
        expectRefusal(error);
      }
    }),
    tries(1000),
  );
});
