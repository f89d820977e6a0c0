import type { NativeAddon } from "../native/index.js";
import { readHostContext } from "../result/host.js";
import type { HostContext } from "../result/model.js";

/** The host as /proc and /sys show it, with what only ioctl and netlink tell of its interface. */
export function hostContext(addon: NativeAddon, localAddress: string): HostContext {
  const context = readHostContext(localAddress);
  if (context.interface === undefined) return context;
  const { qdisc, ...features } = addon.linkFacts(context.interface);
  return { ...context, ...(qdisc !== undefined && { qdisc }), offloads: { ...context.offloads, ...features } };
}
