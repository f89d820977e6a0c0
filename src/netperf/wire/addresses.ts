import { SocketAddress, isIP } from "node:net";
import { FAMILY } from "./omni.js";

/**
 * The numeric address in an OMNI request's 16 bytes, "" where it is all zero. IPv4 is in the first four, in network order. IPv6 comes
 * with each group of four reversed, as the little-endian machines that everybody has send it.
 */
export function addressOf(bytes: Buffer, family: number): string {
  const used = family === FAMILY.ipv6 ? bytes : bytes.subarray(0, 4);
  if (used.every((byte) => byte === 0)) return "";
  if (family !== FAMILY.ipv6) return [...used].join(".");
  const groups = swapWords(bytes).toString("hex").match(/.{4}/g) ?? [];
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}

/** The reverse; zeros for "" and for what is no numeric address. A %scope is left out. */
export function addressBytes(address: string): Buffer {
  const [bare = ""] = address.split("%");
  const bytes = Buffer.alloc(16);
  if (isIP(bare) === 4) Buffer.from(bare.split(".").map(Number)).copy(bytes);
  else if (isIP(bare) === 6) return swapWords(ipv6Bytes(bare));
  return bytes;
}

function swapWords(bytes: Buffer): Buffer {
  return Buffer.from(bytes).swap32();
}

function ipv6Bytes(address: string): Buffer {
  const [, tail] = /:(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? [];
  const dotted = tail?.split(".").map(Number) ?? [];
  const plain =
    tail === undefined
      ? address
      : address.slice(0, -tail.length) + `${hex(dotted[0], dotted[1])}:${hex(dotted[2], dotted[3])}`;
  const [head = "", rest] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = rest === undefined || rest === "" ? [] : rest.split(":");
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill("0"), ...right];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}

function hex(high = 0, low = 0): string {
  return (high * 256 + low).toString(16);
}
