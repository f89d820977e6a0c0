/** Runs the programs that build and inspect the lab. */
import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { LabError } from "./lab-error.js";

export interface ShellOptions {
  /** What the program reads from stdin. */
  input?: string;
  env?: Readonly<Record<string, string>>;
  /** Longest that it may take. */
  timeoutMs?: number;
}

/** Root's PATH may lack the folders of root's programs. */
export const PROGRAM_FOLDERS: readonly string[] = [
  ...(process.env["PATH"] ?? "").split(delimiter),
  ...["/usr/local/sbin", "/usr/sbin", "/sbin"],
].filter((folder) => folder !== "");

const TIMEOUT_MS = 30_000;

/** The standard output of a program that ended with 0; else rejects with LabError that has the command and what it said. */
export function shell(words: readonly string[], options: ShellOptions = {}): Promise<string> {
  const { input, env, timeoutMs = TIMEOUT_MS } = options;
  const [file = "", ...args] = words;
  return new Promise((resolve, reject) => {
    // A process group of its own: Ctrl-C reaches the lab alone, which then takes everything down in order.
    const child = spawn(file, args, {
      detached: true,
      env: { ...process.env, PATH: PROGRAM_FOLDERS.join(delimiter), LC_ALL: "C", ...env },
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    let stdout = "";
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const fail = (reason: string): void => {
      const shown = `${words.join(" ").slice(0, 120)}: ${reason.trim().slice(0, 400)}`;
      reject(new LabError(shown.replace(/\s*\n\s*/g, "; ")));
    };
    child.on("error", (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(stdout);
      else fail(said || stdout || `ended with ${signal ?? String(code)}`);
    });
    // A program that ends without reading is judged by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
  });
}
