import { expect, it } from "vitest";
import { roughPercent } from "../../../src/result/percents.js";

it.each([
  [0.25, "0.25 %"],
  [3.21, "3.2 %"],
  [44.2, "44 %"],
  [99.4, "99 %"],
  [99.6, "100 %"],
  [100, "100 %"],
  [130.8, "131 %"],
])("%d percent in short are %s", (percent, text) => {
  expect(roughPercent(percent)).toBe(text);
});
