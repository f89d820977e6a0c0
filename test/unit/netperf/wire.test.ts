import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBytes, addressOf } from "../../../src/netperf/wire/addresses.js";
import {
  type Layout,
  MESSAGE_BYTES,
  decode,
  encode,
  messageType,
  serverCpu,
} from "../../../src/netperf/wire/fields.js";
import {
  DIRECTION,
  FAMILY,
  FLAG,
  TYPE,
  calibration,
  omniRequest,
  omniResponse,
  omniResults,
  passphrase,
} from "../../../src/netperf/wire/omni.js";
import { type Capture, capture, captures } from "./captures.js";
import { LEGACY_LAYOUTS } from "./legacy-layouts.js";

interface Part {
  message: Buffer;
  layout: Layout;
  /** Requests are written by netperf itself and have no stale bytes in them. */
  exact: boolean;
}

/** Answers are known by their place: the type word of results is in the server's own byte order. */
function partsOf({ fromClient, fromServer }: Capture): Part[] {
  const parts: Part[] = [];
  const answers = [...fromServer];
  for (const message of fromClient) {
    const type = messageType.read(message);
    const [request, ...replies] = layoutsOf(type);
    parts.push({ message, layout: request, exact: type !== TYPE.passphrase });
    for (const layout of replies) {
      const answer = answers.shift();
      if (answer !== undefined) parts.push({ message: answer, layout, exact: false });
    }
  }
  expect(answers).toEqual([]);
  return parts;
}

function layoutsOf(type: number): readonly [Layout, ...Layout[]] {
  if (type === TYPE.passphrase) return [passphrase];
  if (type === TYPE.calibrate) return [{}, calibration];
  if (type === TYPE.omniRequest) return [omniRequest, omniResponse, omniResults];
  const layouts = LEGACY_LAYOUTS.get(type);
  if (layouts === undefined) throw new Error(`a capture holds a message of type ${type}`);
  return layouts;
}

describe("captured messages", () => {
  it.each(captures().map((one) => [one.name, one] as const))(
    "%s: meaning survives decoding and encoding",
    (_name, one) => {
      const parts = partsOf(one);
      expect(parts.length).toBeGreaterThan(0);
      for (const { message, layout, exact } of parts) {
        const values = decode(layout, message);
        const again = encode(layout, messageType.read(message), serverCpu.read(message), values);
        expect(decode(layout, again)).toEqual(values);
        if (exact) expect(again).toEqual(message);
      }
    },
  );

  it("reads the annotated TCP_RR", () => {
    const { fromClient, fromServer } = capture("tcp_rr");
    expect(decode(omniRequest, fromClient[0]!)).toMatchObject({
      ...{ requestSize: 1, responseSize: 1, flags: FLAG.routing, testLength: 1, dataPort: 0, family: FAMILY.ipv4 },
      ...{ direction: DIRECTION.receive | DIRECTION.transmit, congestion: "", socketTos: -1, sendAlignment: 8 },
    });
    expect(decode(omniResponse, fromServer[0]!)).toMatchObject({ recvBufSize: 131_072, dataPort: 36_621, sendSize: 1 });
    const results = decode(omniResults, fromServer[1]!);
    expect(results).toMatchObject({ bytesReceived: 6320, transactions: 6320, congestion: "bbr", retransmits: 0 });
    expect(results.elapsedSeconds).toBeCloseTo(1.00122, 5);
  });

  it("reads what netperf's options become", () => {
    expect(decode(omniRequest, capture("omni_opts").fromClient[0]!)).toMatchObject({
      ...{ sendBufSize: 40_000, recvBufSize: 50_000, congestion: "reno", fillFile: "/etc/hostname", socketTos: 32 },
      ...{ sendAlignment: 16, recvAlignment: 32, sendOffset: 3, recvOffset: 5, socketPrio: 3 },
    });
    const [request] = capture("dataaddr").fromClient;
    const { localAddress, serverAddress, family, dataPort, localPort } = decode(omniRequest, request!);
    expect([addressOf(localAddress, family), addressOf(serverAddress, family)]).toEqual(["127.0.0.1", "127.0.0.1"]);
    expect([localPort, dataPort]).toEqual([23_457, 23_458]);
    expect(serverCpu.read(capture("tcp_rr_bind").fromClient[0]!)).toBe(1);
    expect(decode(omniRequest, capture("tcp_rr_trans").fromClient[0]!).testLength).toBe(-500);
    expect(decode(passphrase, capture("passphrase_ok").fromClient[0]!).text).toBe("sesame");
    expect(decode(calibration, capture("rem_cpu").fromServer[0]!).rate).toBe(100);
    expect(decode(omniResults, capture("tcp_stream").fromServer[1]!).bytesReceived).toBeGreaterThan(2 ** 20);
  });
});

describe("messages", () => {
  const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

  it("carry any values there and back", () => {
    const values = fc.record({
      ...{ sendBufSize: i32, testLength: i32, flags: fc.nat(2 ** 32 - 1), cpuRate: fc.float({ noNaN: true }) },
      ...{
        congestion: fc.stringMatching(/^[a-z]{0,15}$/),
        serverAddress: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      },
    });
    fc.assert(
      fc.property(values, i32, ({ serverAddress, ...rest }, cpu) => {
        const wanted = { ...rest, serverAddress: Buffer.from(serverAddress) };
        const message = encode(omniRequest, TYPE.omniRequest, cpu, wanted);
        expect(message.length).toBe(MESSAGE_BYTES);
        expect(decode(omniRequest, message)).toMatchObject(wanted);
        expect(serverCpu.read(message)).toBe(cpu);
      }),
    );
  });

  it("carry byte counts beyond 32 bits", () => {
    const message = encode(omniResults, TYPE.omniResults, 0, { bytesReceived: 5_000_000_000_001 });
    expect(message.readUInt32BE(8)).toBe(Math.floor(5_000_000_000_001 / 2 ** 32));
    expect(decode(omniResults, message).bytesReceived).toBe(5_000_000_000_001);
  });

  it("are read whatever bytes they hold", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: MESSAGE_BYTES, maxLength: MESSAGE_BYTES }), (bytes) => {
        for (const layout of [omniRequest, omniResponse, omniResults]) decode(layout, Buffer.from(bytes));
        const { serverAddress, family } = decode(omniRequest, Buffer.from(bytes));
        addressOf(serverAddress, family);
      }),
    );
  });
});

describe("addresses", () => {
  it("are in network order for IPv4", () => {
    expect(addressBytes("127.0.0.1").toString("hex")).toBe("7f000001" + "00".repeat(12));
    expect(addressOf(Buffer.alloc(16), FAMILY.ipv4)).toBe("");
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(["", address]).toContain(addressOf(addressBytes(address), FAMILY.ipv4));
      }),
    );
  });

  it("have each word reversed for IPv6, as little-endian machines send them", () => {
    expect(addressBytes("fe80::1%eth0").toString("hex")).toBe("000080fe" + "00000000" + "00000000" + "01000000");
    expect(addressOf(addressBytes("2001:db8::ff00:42:8329"), FAMILY.ipv6)).toBe("2001:db8::ff00:42:8329");
    expect(addressOf(addressBytes("::ffff:10.0.0.1"), FAMILY.ipv6)).toBe("::ffff:10.0.0.1");
    expect(addressBytes("no address")).toEqual(Buffer.alloc(16));
  });
});
