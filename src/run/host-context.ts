import type { NativeAddon } from "../native/index.js";
import { readHostContext, withLinkFacts } from "../result/host.js";
import type { HostContext } from "../result/model.js";

/** The host as /proc and /sys show it, with what only the addon can ask of its interface. */
export function hostContext(addon: NativeAddon, localAddress: string): HostContext {
  return withLinkFacts(readHostContext(localAddress), (name) => addon.linkFacts(name));
}
