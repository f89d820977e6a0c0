import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { onAbort, unlessAborted } from "../../../src/control/abort.js";

describe("onAbort", () => {
  it("puts one listener on a signal, however many wait for it, and takes it off with the last of them", () => {
    const { signal } = new AbortController();
    const listeners = (): number => getEventListeners(signal, "abort").length;
    const offs = Array.from({ length: 20 }, () => onAbort(signal, () => undefined));
    expect(listeners()).toBe(1);
    for (const off of offs.slice(1)) off();
    expect(listeners()).toBe(1);
    offs[0]?.();
    expect(listeners()).toBe(0);
  });

  it("tells all who still wait, once", () => {
    const controller = new AbortController();
    const told: number[] = [];
    const [, second] = [1, 2, 3].map((number) => onAbort(controller.signal, () => told.push(number)));
    second?.();
    controller.abort();
    expect(told).toEqual([1, 3]);
    second?.();
    onAbort(controller.signal, () => told.push(4))();
    expect(told).toEqual([1, 3, 4]);
  });

  it("is called off once, whoever came after", () => {
    const controller = new AbortController();
    let told = 0;
    const off = onAbort(controller.signal, () => undefined);
    off();
    onAbort(controller.signal, () => told++);
    off();
    controller.abort();
    expect(told).toBe(1);
  });
});

describe("unlessAborted", () => {
  it("gives what comes first", async () => {
    const controller = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), controller.signal)).toBe(1);
    const waiting = unlessAborted(new Promise(() => undefined), controller.signal);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(unlessAborted(new Promise(() => undefined), controller.signal)).rejects.toThrow("enough");
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });
});
