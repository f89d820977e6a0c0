/** Plain socket options that netperf's options stand for, at either end. */
import type { NativeSocketOptions } from "../native/index.js";

export interface WantedOptions {
  keepAlive: boolean;
  /** False: packets must not pass a router. */
  routing: boolean;
  /** SO_PRIORITY, negative = left alone. */
  prio: number;
  deferAccept: boolean;
  pathMtu: boolean;
  ipv6: boolean;
}

/** IP_PMTUDISC_DO and IPV6_PMTUDISC_DO of ip(7) and ipv6(7). */
const NEVER_FRAGMENT = 2;

export function socketOptions(wanted: WantedOptions): NativeSocketOptions {
  return {
    ...(wanted.keepAlive && { SO_KEEPALIVE: 1 }),
    ...(!wanted.routing && { SO_DONTROUTE: 1 }),
    ...(wanted.prio >= 0 && { SO_PRIORITY: wanted.prio }),
    ...(wanted.deferAccept && { TCP_DEFER_ACCEPT: 1 }),
    ...(wanted.pathMtu && { [wanted.ipv6 ? "IPV6_MTU_DISCOVER" : "IP_MTU_DISCOVER"]: NEVER_FRAGMENT }),
  };
}
