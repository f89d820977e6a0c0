/** Programs that run for as long as their path stands; they go with the namespace that they run in. */
import { type ChildProcess, spawn } from "node:child_process";
import { delimiter } from "node:path";
import { LabError } from "./lab-error.js";
import type { Namespace } from "./namespaces.js";
import { PROGRAM_FOLDERS } from "./shell.js";

const READY_MS = 20_000;

/** Resolves once the program has said that it is ready, on either of its outputs; rejects where it ends or says nothing of the kind. */
export function startDaemon(
  name: string,
  namespace: Namespace,
  words: readonly string[],
  ready: RegExp,
): Promise<ChildProcess> {
  const [file, ...prefix] = namespace.prefix;
  const env = { ...process.env, PATH: PROGRAM_FOLDERS.join(delimiter), LC_ALL: "C" };
  const child = spawn(file, [...prefix, ...words], { detached: true, stdio: ["ignore", "pipe", "pipe"], env });
  return new Promise((resolve, reject) => {
    let said = "";
    let settled = false;
    const fail = (reason: string): void => {
      clearTimeout(timer);
      const end = said.trim().split("\n").slice(-3).join("; ");
      reject(new LabError(`${name}: ${reason}${end === "" ? "" : `: ${end.slice(0, 300)}`}`));
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail("not ready in time");
    }, READY_MS);
    const listen = (text: string): void => {
      if (settled) return;
      said += text;
      if (!ready.test(said)) return;
      settled = true;
      clearTimeout(timer);
      resolve(child);
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", listen);
    child.on("error", (error) => fail(error.message));
    child.on("close", (code, signal) => fail(`ended with ${signal ?? String(code)}`));
  });
}

export async function stopDaemon(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await ended;
}
