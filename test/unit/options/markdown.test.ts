import { describe, expect, it } from "vitest";
import { renderOptionsTables } from "../../../src/options/markdown.js";
import { accessTable, runTable, serveTable } from "../../../src/options/table.js";

describe("the README's tables", () => {
  const lines = renderOptionsTables().split("\n");

  it("have one row per option with as many cells as the head", () => {
    const rows = lines.filter((line) => line.startsWith("| `"));
    expect(rows).toHaveLength(
      Object.keys(accessTable).length + Object.keys(runTable).length + Object.keys(serveTable).length,
    );
    for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(8);
  });

  it("say flag, name in code, default, range, commands and meaning", () => {
    expect(lines).toContain(
      "| `--warmup <time>` | `warmup` | 1s | 0s to 1h | stream, maerts, rr, crr, cc, udp-stream, udp-rr | traffic before the window that counts for nothing |",
    );
    expect(lines).toContain(
      "| `--no-delay <on\\|off>` | `noDelay` | off for stream and maerts, else on | on, off | stream, maerts, rr, crr, cc | TCP_NODELAY on both ends |",
    );
  });
});
