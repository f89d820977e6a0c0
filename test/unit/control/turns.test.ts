import { expect, it } from "vitest";
import { Turns } from "../../../src/control/turns.js";

it("turns come in order, and timers between them", async () => {
  const turns = new Turns();
  const seen: (number | string)[] = [];
  const timer = setInterval(() => seen.push("tick"), 1);
  const busy = async (which: number): Promise<void> => {
    await turns.next();
    seen.push(which);
    const until = performance.now() + 5;
    while (performance.now() < until);
  };
  await Promise.all([0, 1, 2, 3].map(busy));
  clearInterval(timer);
  expect(seen.filter((one) => one !== "tick")).toEqual([0, 1, 2, 3]);
  for (const which of [1, 2, 3]) expect(seen[seen.indexOf(which) - 1]).toBe("tick");
  await turns.next();
});
