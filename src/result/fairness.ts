import type { FlowResult } from "./model.js";

export interface Fairness {
  /** Jain's index (Jain, Chiu, Hawe 1984): 1 where all flows are alike, 1/n where one of n has all. */
  jain: number;
  /** What each flow had over the mean of all, the least first. */
  shares: number[];
}

/** How evenly the flows of a run were served; undefined for one flow, or where nothing was moved. */
export function fairnessOf(flows: readonly FlowResult[]): Fairness | undefined {
  const amounts = flows.map(({ transactions, bytes, sentBytes }) => transactions ?? bytes ?? sentBytes ?? 0);
  const sum = amounts.reduce((total, amount) => total + amount, 0);
  if (flows.length < 2 || sum === 0) return undefined;
  const squares = amounts.reduce((total, amount) => total + amount ** 2, 0);
  const shares = amounts.map((amount) => (amount * flows.length) / sum).toSorted((a, b) => a - b);
  return { jain: sum ** 2 / (flows.length * squares), shares };
}
