import { isIP } from "node:net";

/** Letters, digits, dots, hyphens and underscores: what resolvers and /etc/hosts accept as a name. */
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$/;
/** Looks like an address that lost a part ("10.0.0", "300.1.1.1"): a resolver would only waste time on it. */
const DIGITS_AND_DOTS = /^[0-9.]+$/;

/** A host name or numeric address, without the brackets that an IPv6 address may come in; undefined where it is neither. */
export function parseHost(text: string): string | undefined {
  const host = text.trim().replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0) return host;
  return HOST_NAME.test(host) && !DIGITS_AND_DOTS.test(host) ? host : undefined;
}

/** As many source addresses as the control protocol carries. */
export const MAX_ADDRESSES = 64;

/** Numeric addresses of a list, or undefined where one is malformed or named twice, or where they are too many. */
export function checkAddresses(list: readonly string[]): string[] | undefined {
  if (list.length > MAX_ADDRESSES) return undefined;
  const addresses = list.map((address) => address.trim().replace(/^\[(.*)\]$/, "$1"));
  const valid = addresses.length > 0 && addresses.every((address) => isIP(address) !== 0);
  return valid && new Set(addresses).size === addresses.length ? addresses : undefined;
}

/** CIDRs of a list, a plain address standing for itself alone; undefined where one is malformed. */
export function checkCidrs(list: readonly string[]): string[] | undefined {
  const cidrs: string[] = [];
  for (const entry of list) {
    const [address = "", prefix, ...rest] = entry.trim().split("/");
    const bits = isIP(address) === 6 ? 128 : 32;
    if (isIP(address) === 0 || address.includes("%") || rest.length > 0) return undefined;
    if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)) return undefined;
    cidrs.push(`${address}/${prefix === undefined ? bits : Number(prefix)}`);
  }
  return cidrs.length > 0 ? cidrs : undefined;
}

/** An inclusive range of ports "20000-29999", or undefined. */
export function parsePortRange(text: string): [number, number] | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text.trim());
  return match === null ? undefined : checkPortRange([Number(match[1]), Number(match[2])]);
}

export function checkPortRange(range: readonly unknown[]): [number, number] | undefined {
  const [low, high] = range;
  const valid =
    range.length === 2 && Number.isInteger(low) && Number.isInteger(high) && Number(low) >= 1 && Number(high) <= 65535;
  return valid && Number(low) <= Number(high) ? [Number(low), Number(high)] : undefined;
}
