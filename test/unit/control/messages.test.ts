import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeClientMessage, decodeServerMessage } from "../../../src/control/messages.js";
import { ShapeError } from "../../../src/control/shape.js";

const CLIENT_TYPES = ["hello", "setup", "go", "open", "sample", "close", "finish", "ping"];
const SERVER_TYPES = [
  "hello",
  "refuse",
  "prepared",
  "ready",
  "going",
  "opened",
  "sampled",
  "closed",
  "report",
  "fail",
  "ping",
];
const FIELDS = [
  "protocol",
  "version",
  "spec",
  "sources",
  "code",
  "message",
  "dataPort",
  "cookie",
  "workers",
  "cpus",
  "windowNs",
  "end",
];

/** Values that look like messages: known types with fields of any value. */
const almostMessages = fc
  .record({
    type: fc.oneof(fc.constantFrom(...CLIENT_TYPES, ...SERVER_TYPES), fc.jsonValue()),
    fields: fc.dictionary(fc.oneof(fc.constantFrom(...FIELDS), fc.string()), fc.jsonValue()),
  })
  .map(({ type, fields }) => ({ ...fields, type }));

describe("messages", () => {
  it.each([
    ["client", decodeClientMessage],
    ["server", decodeServerMessage],
  ])("of a %s are decoded or refused with ShapeError", (_side, decode) => {
    fc.assert(
      fc.property(fc.oneof(almostMessages, fc.jsonValue()), (value) => {
        let message;
        try {
          message = decode(value);
        } catch (error) {
          expect(error).toBeInstanceOf(ShapeError);
          return;
        }
        // What was decoded is decoded again to the same.
        expect(decode(JSON.parse(JSON.stringify(message)))).toEqual(message);
      }),
    );
  });

  it("drop fields that they do not know, and leave out those that are absent", () => {
    expect(decodeClientMessage({ type: "hello", protocol: 1, later: true })).toEqual({ type: "hello", protocol: 1 });
    expect(decodeClientMessage({ type: "ping", __proto__: { polluted: 1 } })).toEqual({ type: "ping" });
  });

  it("do not take a name of Object's prototype for a field or a type", () => {
    expect(() => decodeClientMessage({ type: "constructor" })).toThrow(ShapeError);
    expect(() => decodeClientMessage({ protocol: 1 })).toThrow(/^type: expected a string.*got nothing/);
  });

  it("name the field at fault, what was expected and what came, and never print what came", () => {
    const secret = "do not print me";
    expect(() => decodeClientMessage({ type: "setup", spec: {}, sources: [1] })).toThrow(
      /setup\.sources\[0\]: expected a string.*got 1/,
    );
    expect(() => decodeClientMessage({ type: "setup", spec: {}, sources: secret })).toThrow(
      /^(?!.*do not).*got a string$/,
    );
    expect(() => decodeClientMessage({ type: "setup", spec: {}, sources: Array(65).fill("::1") })).toThrow(
      /at most 64/,
    );
    expect(() => decodeServerMessage({ type: "prepared", dataPort: 70_000 })).toThrow(
      /prepared\.dataPort: expected an integer 1..65535/,
    );
  });
});
