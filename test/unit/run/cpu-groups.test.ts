import { describe, expect, it } from "vitest";
import { coreRanks, supplyOf } from "../../../src/run/cpu-groups.js";
import { fakeEnvironment } from "../../fakes/environment.js";

/** Two nodes of four CPUs, cores 0 and 1 of two threads each; a card on node 1 that interrupts CPU 5; one without a node; a bridge. */
const files = fakeEnvironment(undefined, {
  files: {
    "/sys/devices/system/cpu/online": "0-7\n",
    "/sys/devices/system/node/has_cpu": "0-1\n",
    "/sys/devices/system/node/node0/cpulist": "0-3\n",
    "/sys/devices/system/node/node1/cpulist": "4-7\n",
    "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0,2\n",
    "/sys/devices/system/cpu/cpu2/topology/thread_siblings_list": "0,2\n",
    "/sys/class/net/eth1/ifindex": "3\n",
    "/sys/class/net/eth1/device/numa_node": "1\n",
    "/sys/class/net/eth1/device/msi_irqs/40": "msix\n",
    "/proc/irq/40/effective_affinity_list": "5\n",
    "/sys/class/net/eth2/ifindex": "4\n",
    "/sys/class/net/eth2/device/numa_node": "-1\n",
    "/sys/class/net/eth2/device/../msi_irqs/41": "msix\n",
    "/proc/irq/41/effective_affinity_list": "0-1\n",
    "/sys/class/net/br0/ifindex": "5\n",
    "/sys/class/net/eth3/ifindex": "6\n",
    "/sys/class/net/eth3/device/modalias": "virtio\n",
  },
});
const ALL = [0, 1, 2, 3, 4, 5, 6, 7];
const supply = (asked: number[] | string | null, allowed: readonly number[] = ALL) =>
  supplyOf(asked, allowed, "cpus", files);

describe("supplyOf", () => {
  it("takes a list as it is written, and nothing as everything", () => {
    expect(supply([7, 1])).toEqual({ wanted: [7, 1], allowed: ALL });
    expect(supply(null)).toEqual({ wanted: null, allowed: ALL });
  });

  it("narrows to a node, within what the process may use", () => {
    expect(supply("numa:1")).toEqual({ wanted: null, allowed: [4, 5, 6, 7] });
    expect(supply("numa:0", [3, 4])).toEqual({ wanted: null, allowed: [3] });
  });

  it("narrows to the node of a card, and leaves out the CPUs of its interrupts", () => {
    expect(supply("nic:eth1").allowed).toEqual([4, 6, 7]);
    expect(supply("nic:eth3").allowed).toEqual(ALL);
    expect(supply("nic:eth2").allowed).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it.each([
    ["numa:2", ALL, "cpus: numa:2: no such NUMA node with CPUs here; this host has nodes 0-1"],
    ["numa:1", [0], "cpus: numa:1: this process may use none of its CPUs"],
    ["nic:eth9", ALL, "cpus: nic:eth9: no such interface here"],
    ["nic:br0", ALL, "cpus: nic:br0: a virtual interface, which is near no CPU"],
  ])("refuses %s of %j", (asked, allowed, message) => {
    expect(() => supply(asked, allowed)).toThrow(message);
  });

  it("names the only node of a host that has one", () => {
    const one = fakeEnvironment(undefined, { files: { "/sys/devices/system/node/has_cpu": "0\n" } });
    expect(() => supplyOf("numa:3", ALL, "cpus", one)).toThrow(
      "cpus: numa:3: no such NUMA node with CPUs here; this host has node 0",
    );
  });

  it("keeps the node's CPUs where interrupts go to all of them", () => {
    expect(supply("nic:eth2", [0, 1]).allowed).toEqual([0, 1]);
  });
});

describe("coreRanks", () => {
  it("tells the first thread of a core from the second, where the kernel tells", () => {
    const rank = coreRanks(ALL, files);
    expect(ALL.map(rank)).toEqual([0, 0, 1, 0, 0, 0, 0, 0]);
  });
});
