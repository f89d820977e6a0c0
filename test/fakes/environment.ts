import { DEFAULT_TIMING, type ControlTiming } from "../../src/control/timing.js";
import type { Environment } from "../../src/run/environment.js";
import { FakeAddon } from "./fake-addon.js";

/** Deadlines that a busy machine does not miss; tests that wait for one shorten it. */
export const TEST_TIMING: ControlTiming = { ...DEFAULT_TIMING, pingMs: 30, lingerMs: 100 };

const FILES: Readonly<Record<string, string>> = {
  "/proc/self/limits":
    "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n",
  "/proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
  "/proc/sys/kernel/random/boot_id": "00000000-0000-4000-8000-000000000001\n",
};

/** Surroundings with a fake addon and a small, fixed /proc. */
export function fakeEnvironment(
  addon: FakeAddon = new FakeAddon(),
  {
    timing = {},
    files = {},
    open = 20,
  }: { timing?: Partial<ControlTiming>; files?: Record<string, string>; open?: number } = {},
): Environment {
  const known = { ...FILES, ...files };
  return {
    addon: () => addon,
    timing: { ...TEST_TIMING, ...timing },
    read: (path) => known[path],
    list: (folder) => {
      const below = Object.keys(known).filter((path) => path.startsWith(`${folder}/`));
      return [...new Set(below.map((path) => path.slice(folder.length + 1).split("/")[0] as string))];
    },
    openDescriptors: () => open,
    probe: { warmup: 0, duration: 0.02 },
  };
}
