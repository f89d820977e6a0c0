/** Every path, in the order of the report. */
import type { Path } from "../path.js";
import { ebpfExtraVeth, ebpfHostRouting, ebpfLegacy } from "./ebpf.js";
import { iptables, iptablesNotrack } from "./iptables.js";
import { ipsec } from "./ipsec.js";
import { node } from "./node.js";
import { bridge, macvlan, ptp, vxlan } from "./reference.js";
import { wireguard } from "./wireguard.js";

export const PATHS: readonly Path[] = [
  ...[node, ebpfHostRouting, ebpfLegacy, ebpfExtraVeth, iptables, iptablesNotrack],
  ...[ptp, bridge, macvlan, vxlan, wireguard, ipsec],
];
