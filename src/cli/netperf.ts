/** `cnb-load netperf`, `cnb-netperf`: netperf's command line. */
import { netperf } from "../netperf/index.js";
import { Interrupt } from "./interrupt.js";
import { note, print } from "./output.js";

/** Resolves with netperf's exit code when everything has been printed. */
export async function netperfCommand(args: readonly string[]): Promise<number> {
  using interrupt = new Interrupt();
  let printed: Promise<unknown> = Promise.resolve();
  const code = await netperf(
    args,
    {
      out: (text) => {
        if (text !== "") printed = Promise.all([printed, print(text)]);
        // Told at the end; until then the test goes on.
        printed.catch(() => undefined);
      },
      err: note,
    },
    { interrupt: interrupt.signal, variables: process.env },
  );
  await printed;
  return code;
}
