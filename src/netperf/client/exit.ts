/** Ends netperf with a text and an exit code; `exit(-1)` of the original is 255. */
export class NetperfExit extends Error {
  override readonly name = "NetperfExit";
  readonly code: number;
  readonly out: string;
  readonly err: string;

  constructor(code: number, texts: { out?: string; err?: string }) {
    super((texts.err ?? texts.out ?? "").trim());
    this.code = code;
    this.out = texts.out ?? "";
    this.err = texts.err ?? "";
  }
}

/** Where netperf's text goes. */
export interface Output {
  out: (text: string) => void;
  err: (text: string) => void;
}
