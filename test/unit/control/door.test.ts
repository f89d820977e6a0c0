import { once } from "node:events";
import { type Socket, connect, createServer, type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Door, type DoorOptions } from "../../../src/control/door.js";
import { drain } from "../../fakes/sockets.js";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Visitors {
  door: Door;
  ours: Promise<Socket>;
  others: Promise<Socket>;
}

async function open(options: Partial<DoorOptions> = {}): Promise<Visitors> {
  let onClient!: (socket: Socket) => void;
  let onOther!: (socket: Socket) => void;
  const ours = new Promise<Socket>((resolve) => (onClient = resolve));
  const others = new Promise<Socket>((resolve) => (onOther = resolve));
  const door = await Door.open({
    host: "127.0.0.1",
    port: 0,
    maxConnections: 10,
    firstBytesMs: 5000,
    onClient,
    onOther,
    ...options,
  });
  cleanUps.push(() => door.close(0));
  return { door, ours, others };
}

async function visit(door: Door): Promise<Socket> {
  const socket = connect(door.port, "127.0.0.1");
  cleanUps.push(() => socket.destroy());
  await once(socket, "connect");
  return socket.setNoDelay(true);
}

async function firstBytes(socket: Socket, count: number): Promise<string> {
  let text = "";
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString("latin1");
    if (text.length >= count) return text;
  }
  throw new Error(`closed after ${text}`);
}

describe("Door", () => {
  it("hands a client over with every byte, even if they come one by one", async () => {
    const { door, ours } = await open();
    const visitor = await visit(door);
    for (const byte of "CNB-LOAD") {
      visitor.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await firstBytes(await ours, 8)).toBe("CNB-LOAD");
  });

  it.each(["\0\0\0\x01netperf", "CNX-", "C\0"])("hands %j over to the other protocol", async (bytes) => {
    const { door, others } = await open();
    (await visit(door)).write(bytes, "latin1");
    expect(await firstBytes(await others, bytes.length)).toBe(bytes);
  });

  it("closes what nobody takes, and what says too little for too long", async () => {
    const { door } = await open({ onOther: undefined, firstBytesMs: 50 });
    const foreign = await visit(door);
    foreign.write("hello?");
    const slow = await visit(door);
    slow.write("CN");
    const silent = await visit(door);
    expect(await Promise.all([drain(foreign), drain(slow), drain(silent)])).toHaveLength(3);
  });

  it("closes connections above its limit", async () => {
    const { door, ours } = await open({ maxConnections: 1 });
    (await visit(door)).write("CNB-");
    await ours;
    await drain(await visit(door));
  });

  it("lets nobody who says nothing keep a client out", async () => {
    const { door, ours } = await open({ maxConnections: 2 });
    const silent = [await visit(door), await visit(door)] as const;
    (await visit(door)).write("CNB-");
    await ours;
    // The one that came first had its time.
    await drain(silent[0]);
    expect(silent[1].closed).toBe(false);
  });

  it("closes strangers at once and those it handed over after their time of grace", async () => {
    const { door, ours } = await open();
    const stranger = await visit(door);
    const guest = await visit(door);
    guest.write("CNB-");
    const socket = await ours;
    const gone = [drain(stranger), drain(guest)];
    await door.close(10);
    expect(socket.destroyed).toBe(true);
    await Promise.all(gone);
    await expect(visit(door)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("says why it cannot listen", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    cleanUps.push(() => taken.close());
    const { port } = taken.address() as AddressInfo;
    await expect(open({ port })).rejects.toMatchObject({
      code: "ERR_LISTEN",
      syscall: "listen",
      errno: 98,
      address: "127.0.0.1",
      message: `cannot listen on 127.0.0.1, port ${port}: EADDRINUSE (is another server running?)`,
    });
  });
});
