/**
 * Anything at all into the decoder, the server's door and the command line.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { NetperfExit } from "../../../src/netperf/client/exit.js";
import { parseCommandLine } from "../../../src/netperf/client/options.js";
import { parseNetserver } from "../../../src/netperf/server/options.js";
import { DIALECTS } from "../../../src/netperf/server/dialects.js";
import { jobOf, Refusal } from "../../../src/netperf/server/request.js";
import { addressBytes, addressOf } from "../../../src/netperf/wire/addresses.js";
import { type Layout, MESSAGE_BYTES, decode, encode, messageType } from "../../../src/netperf/wire/fields.js";
import { TYPE, omniRequest, omniResponse, omniResults } from "../../../src/netperf/wire/omni.js";
import { tries } from "../../support/tries.js";
import { until } from "../../support/until.js";
import { captures } from "./captures.js";
import { enter, join } from "./guests.js";
import { LEGACY_LAYOUTS } from "./legacy-layouts.js";

const bytes = fc.uint8Array({ minLength: MESSAGE_BYTES, maxLength: MESSAGE_BYTES }).map((some) => Buffer.from(some));
const recorded = captures().flatMap(({ fromClient, fromServer }) => [...fromClient, ...fromServer]);
/** Words that are the edges of something. */
const word = fc.oneof(
  fc.constantFrom(0, 1, -1, 2, 4, 6, 17, 97, 998, 2 ** 31 - 1, -(2 ** 31), 65_535, 65_536),
  fc.integer(),
);
const mutated = fc
  .tuple(fc.constantFrom(...recorded), fc.array(fc.tuple(fc.nat(MESSAGE_BYTES / 4 - 1), word), { maxLength: 8 }))
  .map(([message, patches]) => {
    const copy = Buffer.from(message);
    for (const [index, value] of patches) copy.writeInt32BE(value | 0, index * 4);
    return copy;
  });
const message = fc.oneof(bytes, mutated);
const LAYOUTS: Layout[] = [omniRequest, omniResponse, omniResults, ...[...LEGACY_LAYOUTS.values()].flat()];

it("every message is read, and written as it was read", () => {
  fc.assert(
    fc.property(message, (input) => {
      for (const layout of LAYOUTS) {
        // Once rounded to what a double holds a value stays what it is.
        const values = decode(layout, encode(layout, 0, 0, decode(layout, input)));
        expect(decode(layout, encode(layout, 0, 0, values))).toEqual(values);
      }
      const { serverAddress, family } = decode(omniRequest, input);
      const address = addressOf(serverAddress, family);
      expect(addressOf(addressBytes(address), family)).toBe(address);
    }),
    tries(500),
  );
});

it("a request becomes a job within bounds, or is turned down", () => {
  fc.assert(
    fc.property(message, (input) => {
      for (const dialect of DIALECTS.values()) {
        try {
          const job = jobOf(dialect.request(input));
          for (const size of [job.requestBytes, job.responseBytes, job.sendSizeBytes, job.recvSizeBytes]) {
            expect(size).toBeGreaterThanOrEqual(0);
            expect(size).toBeLessThanOrEqual(64 * 1024 * 1024);
          }
          expect(job.seconds * job.limit).toBe(0);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          expect(error.code).toBeGreaterThan(0);
        }
      }
    }),
    tries(500),
  );
});

it("the server answers every message, and none takes it down", async () => {
  const { acceptor, addon, sessions } = await enter({ maxSessions: 100_000 });
  await fc.assert(
    fc.asyncProperty(message, async (input) => {
      const { socket, answer } = await join(acceptor, sessions);
      socket.write(input);
      if (messageType.read(input) !== TYPE.passphrase) await answer();
      socket.destroy();
    }),
    tries(60),
  );
  await until(() => addon.live.length === 0, "every session has ended");
});

const value = fc.oneof(
  fc.constantFrom(
    "0",
    "-1",
    "1,2",
    ",",
    "1K",
    "2m",
    "1m30s",
    "95",
    "99,5",
    "TCP_RR",
    "tcp_stream",
    "omni",
    "rr",
    "udp",
  ),
  fc.constantFrom("127.0.0.1", "::1,6", "THROUGHPUT", "all", "?", "99999999999", "0x10", "cs1,ef", "/nonexistent"),
  fc.string({ maxLength: 12 }),
);
const option = fc.stringMatching(/^-[a-zA-Z46?:-]$/);
const argument = fc.oneof(
  fc.tuple(option, value).map(([letter, attached]) => letter + attached),
  option,
  value,
  fc.constant("--"),
);

it("every command line is understood, or ends with a text and a code", () => {
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 12 }), (args) => {
      for (const parse of [parseCommandLine, parseNetserver]) {
        try {
          expect(parse(args)).toBeTypeOf("object");
        } catch (error) {
          if (!(error instanceof NetperfExit)) throw error;
          expect(error.out + error.err).not.toBe("");
          expect([0, 1, 255]).toContain(error.code);
        }
      }
    }),
    tries(2000),
  );
});

it("a command line means what it says", () => {
  const size = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(
    fc.property(fc.record({ request: size, response: size, burst: fc.nat(1000), port: fc.nat(65_535) }), (asked) => {
      const { request, response, burst, port } = asked;
      const settings = parseCommandLine([
        "-t",
        "TCP_RR",
        `-p${port}`,
        "--",
        "-r",
        `${request},${response}`,
        `-b${burst}`,
      ]);
      expect(settings).toMatchObject({ port, burst, requestBytes: request, responseBytes: response, notes: [] });
    }),
    tries(200),
  );
});
