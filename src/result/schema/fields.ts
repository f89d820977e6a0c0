import { Type } from "typebox";
import type { TArray, TInteger, TNumber, TSchema, TString } from "typebox";

/** Longest text that a result carries: a kernel version, a CPU model, an error message. Caps what a peer may send. */
const MAX_TEXT = 4096;
/** Most entries of a list in a result: one per flow, and CPU lists are shorter. Caps what a peer may send. */
export const MAX_LIST = 1_000_000;

/** A whole number of something that is counted: bytes, nanoseconds, packets. Never negative. */
export const count = (description: string): TInteger => Type.Integer({ minimum: 0, description });

/** A real figure: a rate, CPU cores, a mean. Never negative. */
export const figure = (description: string): TNumber => Type.Number({ minimum: 0, description });

export const text = (description: string): TString => Type.String({ maxLength: MAX_TEXT, description });

export const list = <Item extends TSchema>(item: Item, description: string): TArray<Item> =>
  Type.Array(item, { maxItems: MAX_LIST, description });

/** The same measure of both hosts: local is the client's, remote the server's, absent when its report never came. */
export const bothEnds = <Shape extends TSchema>(shape: Shape, description: string) =>
  Type.Object({ local: shape, remote: Type.Optional(shape) }, { description });
