/** Files of results come from anywhere: what is read of them is rendered and compared, or refused with a text that names the file. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { CnbLoadError } from "../../../src/errors.js";
import { renderComparison } from "../../../src/report/comparison.js";
import { renderCsv } from "../../../src/report/csv.js";
import { renderMarkdown } from "../../../src/report/markdown.js";
import { renderPlain } from "../../../src/report/plain.js";
import { labelRuns } from "../../../src/report/runs.js";
import { compare } from "../../../src/result/compare.js";
import { parseResults, type ResultsDocument } from "../../../src/result/documents.js";
import { decodeHdr } from "../../../src/result/hdr-decode.js";
import { encodeHdr } from "../../../src/result/hdr-encode.js";
import * as samples from "../report/samples.js";
import { tries } from "../../support/tries.js";
import { paths, replaceAt } from "../result/places.js";

const hdr = encodeHdr({ first: 1000, counts: [1, 2, 3], sumNs: 6004, minNs: 1000, maxNs: 1002 });
const whole = Object.values(samples).map((sample) => JSON.parse(JSON.stringify(sample)) as Record<string, unknown>);
const places = whole.map((sample) => paths(sample));

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.constantFrom<unknown>(
    null,
    -1,
    0,
    1,
    2 ** 53,
    1e300,
    1e-300,
    0.5,
    "",
    "|<b>\n",
    "x".repeat(5000),
    [],
    {},
    true,
    hdr,
  ),
);

/** A result in which some things are not as they were. */
const changed = fc
  .tuple(fc.nat(whole.length - 1), fc.array(fc.tuple(fc.nat(), odd), { maxLength: 6 }))
  .map(([which, changes]) => {
    const own = places[which] ?? [];
    return changes.reduce(
      (result, [place, value]) => replaceAt(result, own[place % own.length] ?? [], value) as Record<string, unknown>,
      whole[which] ?? {},
    );
  });

const text = fc.oneof(
  changed.map((result) => JSON.stringify(result)),
  fc.array(changed, { maxLength: 4 }).map((results) => JSON.stringify({ schema: "cnb-load/results/1", results })),
  fc.json(),
  fc.string(),
);

function read(content: string): ResultsDocument | undefined {
  try {
    return parseResults(content, "some.json");
  } catch (error) {
    expect(error).toBeInstanceOf(CnbLoadError);
    expect((error as CnbLoadError).message).toMatch(/^some\.json: /);
    return undefined;
  }
}

it("a file is refused with its name, or rendered in every format", () => {
  fc.assert(
    fc.property(text, (content) => {
      const document = read(content);
      if (document === undefined) return;
      const runs = labelRuns([{ path: "some.json", document }]);
      if (runs.length === 0) return;
      for (const render of [renderPlain, renderMarkdown, renderCsv]) expect(render(runs)).toMatch(/\n$/);
    }),
    tries(400),
  );
});

it("two files are compared, or one of them is refused", async () => {
  await fc.assert(
    fc.asyncProperty(changed, changed, async (one, other) => {
      const [base, next] = [read(JSON.stringify(one)), read(JSON.stringify(other))];
      if (base === undefined || next === undefined) return;
      try {
        const comparison = await compare(base.results, next.results);
        expect(JSON.stringify(comparison)).not.toMatch(/:null/);
        expect(renderComparison(comparison, { base: "a", new: "b" })).not.toMatch(/NaN|undefined/);
      } catch (error) {
        expect(error).toBeInstanceOf(CnbLoadError);
      }
    }),
    tries(200),
  );
});

it("a histogram is read or refused, and what is read counts what is in it", async () => {
  const encoded = Buffer.from(hdr, "base64");
  const damaged = fc.array(fc.tuple(fc.nat(encoded.length - 1), fc.nat(255)), { maxLength: 6 }).map((changes) => {
    const copy = Buffer.from(encoded);
    for (const [at, byte] of changes) copy[at] = byte;
    return copy.toString("base64");
  });
  const summary = { count: 6, meanNs: 1001, minNs: 1000, maxNs: 1002 };
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, fc.base64String(), fc.string()), async (given) => {
      let histogram;
      try {
        histogram = await decodeHdr({ ...summary, hdr: given });
      } catch (error) {
        // Whatever the library throws; the caller says which file.
        expect(error).toBeDefined();
        return;
      }
      for (const count of Array.from(histogram.counts)) expect(Number.isFinite(count) && count >= 0).toBe(true);
    }),
    tries(200),
  );
});
