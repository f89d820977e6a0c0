/** What a stock pair said to each other, recorded by a relay; see test/netperf/captures/README.md. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { MESSAGE_BYTES } from "../../../src/netperf/wire/fields.js";

const FOLDER = join(import.meta.dirname, "../../netperf/captures");

export interface Capture {
  name: string;
  /** What each side sent, message by message. */
  fromClient: Buffer[];
  fromServer: Buffer[];
  /** Arguments and exit code of the stock client; undefined where the client was a hand-made one. */
  command: { args: string[]; code: number } | undefined;
  /** What it printed. */
  stdout: string;
}

function messages(file: string): Buffer[] {
  const bytes = readFileSync(join(FOLDER, file));
  return Array.from({ length: bytes.length / MESSAGE_BYTES }, (_, index) =>
    bytes.subarray(index * MESSAGE_BYTES, (index + 1) * MESSAGE_BYTES),
  );
}

/** "rc=0 netperf -H 127.0.0.1 ..." */
function commandOf(line: string | undefined): Capture["command"] {
  const [, code, rest] = /^rc=(\d+) netperf (.*)$/m.exec(line ?? "") ?? [];
  return code === undefined || rest === undefined ? undefined : { args: rest.split(" "), code: Number(code) };
}

export function captures(): Capture[] {
  const files = readdirSync(FOLDER);
  return files
    .filter((file) => file.endsWith(".c2s.bin"))
    .map((file) => {
      const name = file.replace(".c2s.bin", "");
      const answer = `${name}.s2c.bin`;
      const text = (extension: string): string | undefined =>
        files.includes(`${name}.${extension}`) ? readFileSync(join(FOLDER, `${name}.${extension}`), "utf8") : undefined;
      return {
        name,
        fromClient: messages(file),
        fromServer: files.includes(answer) ? messages(answer) : [],
        command: commandOf(text("cmd")),
        stdout: text("stdout") ?? "",
      };
    });
}

export function capture(name: string): Capture {
  const found = captures().find((one) => one.name === name);
  if (found === undefined) throw new Error(`no capture ${name}`);
  return found;
}
