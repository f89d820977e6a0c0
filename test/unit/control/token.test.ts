import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCredentials } from "../../../src/control/credentials.js";
import { Token, makeNonce } from "../../../src/control/token.js";

const SECRET = "an open sesame of some length";
const exchange = () => ({ clientNonce: makeNonce(), serverNonce: makeNonce(), binding: "plain" });

describe("Token", () => {
  it("takes a proof for the end, the exchange and the secret that it was made for, and for no other", () => {
    const [ours, theirs] = [new Token(SECRET), new Token(`${SECRET}!`)];
    const [here, there] = [exchange(), exchange()];
    const proof = ours.prove("client", here);
    expect(new Token(SECRET).isProven("client", here, proof)).toBe(true);
    expect(ours.isProven("server", here, proof)).toBe(false);
    expect(theirs.isProven("client", here, proof)).toBe(false);
    for (const other of [
      there,
      { ...here, serverNonce: there.serverNonce },
      { ...here, clientNonce: there.clientNonce },
      { ...here, binding: "another" },
    ])
      expect(ours.isProven("client", other, proof)).toBe(false);
    expect(
      ours.isProven("client", { ...here, clientNonce: here.serverNonce, serverNonce: here.clientNonce }, proof),
    ).toBe(false);
  });

  it("takes nothing else, of whatever form", () => {
    const token = new Token(SECRET);
    const here = exchange();
    const proof = token.prove("client", here);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary", minLength: 64, maxLength: 64 })), (text) => {
        expect(token.isProven("client", here, text)).toBe(text === proof);
      }),
    );
    for (const near of [proof.slice(1), `${proof}0`, proof.toUpperCase().replace(/^\d*$/, "X"), ""])
      expect(token.isProven("client", here, near)).toBe(false);
  });

  it("never meets the same nonce twice", () => {
    const nonces = Array.from({ length: 1000 }, makeNonce);
    expect(new Set(nonces).size).toBe(nonces.length);
    expect(nonces.every((nonce) => /^[0-9a-f]{64}$/.test(nonce))).toBe(true);
  });

  it("shows itself to nobody", () => {
    const token = new Token(SECRET);
    expect(inspect(token, { depth: null, showHidden: true }) + JSON.stringify({ token })).not.toContain("sesame");
  });

  it("is at least 16 bytes long, but for the end of its line", () => {
    const fails = (secret: string) => () => new Token(secret);
    expect(fails("x".repeat(15))).toThrow(/^token: expected 16 to 4096 bytes, got 15; `openssl rand/);
    expect(fails(`${"x".repeat(15)}\n\n`)).toThrow("got 15");
    expect(fails("x".repeat(4097))).toThrow("got 4097");
    const [with_, without] = [new Token(`${SECRET}\r\n`), new Token(SECRET)];
    const here = exchange();
    expect(with_.prove("client", here)).toBe(without.prove("client", here));
  });
});

describe("a token file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cnb-load-token-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const write = async (text: string, mode = 0o600): Promise<string> => {
    const path = join(folder, `${mode.toString(8)}-${text.length}`);
    await writeFile(path, text, { mode });
    await chmod(path, mode);
    return path;
  };
  const problem = async (tokenFile: string): Promise<string> => {
    const outcome: unknown = await readCredentials({ tokenFile }, "client").catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: "ERR_INVALID_OPTION", option: "tokenFile" });
    const { message } = outcome as Error;
    expect(message).not.toContain("sesame");
    return message;
  };

  it.each([0o600, 0o400, 0o640, 0o440])("may have mode %o", async (mode) => {
    const { token } = await readCredentials({ tokenFile: await write(SECRET, mode) }, "server");
    const here = exchange();
    expect(token?.isProven("server", here, new Token(SECRET).prove("server", here))).toBe(true);
  });

  it.each([0o644, 0o604, 0o602, 0o620, 0o666])("is refused with mode %o", async (mode) => {
    const path = await write(SECRET, mode);
    expect(await problem(path)).toBe(
      `tokenFile: ${path} is open to other users (mode 0${mode.toString(8)}); \`chmod 600\` makes it private`,
    );
  });

  it("is refused where there is none, or nothing in it, or far too much", async () => {
    expect(await problem(join(folder, "nonesuch"))).toBe(`tokenFile: cannot read ${folder}/nonesuch: ENOENT`);
    await mkdir(join(folder, "folder"), { mode: 0o700 });
    expect(await problem(join(folder, "folder"))).toMatch(/^tokenFile: cannot read .*: EISDIR$/);
    expect(await problem(await write(""))).toMatch(/expected 16 to 4096 bytes, got 0;/);
    expect(await problem(await write("sesame"))).toMatch(/got 6;/);
    expect(await problem(await write("sesame".repeat(1000)))).toMatch(/got 6000;/);
    expect(await problem(await write("sesame".repeat(200_000)))).toMatch(/too many for what it should hold/);
  });
});
