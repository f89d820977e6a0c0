import { expect, it } from "vitest";
import { fairnessOf } from "../../../src/result/fairness.js";

it("Jain's index is 1 for flows that are alike, 1/n where one has all", () => {
  expect(fairnessOf([{ bytes: 7 }, { bytes: 7 }, { bytes: 7 }])).toEqual({ jain: 1, shares: [1, 1, 1] });
  expect(fairnessOf([{ transactions: 0 }, { transactions: 9 }, { transactions: 0 }])).toEqual({
    jain: 1 / 3,
    shares: [0, 0, 3],
  });
});

it("where the receiver did not tell, what was sent counts", () => {
  expect(fairnessOf([{ sentBytes: 1 }, { sentBytes: 3 }])).toEqual({ jain: 0.8, shares: [0.5, 1.5] });
});

it("one flow has nobody to be compared with, and nothing has no shares", () => {
  expect(fairnessOf([{ bytes: 5 }])).toBeUndefined();
  expect(fairnessOf([{ bytes: 0 }, { bytes: 0 }])).toBeUndefined();
});
