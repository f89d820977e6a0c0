import { Type } from "typebox";
import type { TArray, TInteger, TNumber, TObject, TSchema, TString } from "typebox";

/** Longest text that a result carries: a kernel version, a CPU model, an error message. Caps what a peer may send. */
const MAX_TEXT = 4096;
/** Most entries of a list in a result: one per flow, and CPU lists are shorter. Caps what a peer may send. */
export const MAX_LIST = 1_000_000;

/** A whole number of something that is counted: bytes, nanoseconds, packets. Never negative, never beyond what a double holds exactly. */
export const count = (description: string): TInteger =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });

/** A real figure: a rate, a mean. Never negative. */
export const figure = (description: string): TNumber => Type.Number({ minimum: 0, description });

/** CPU cores. The cap keeps whatever a peer claims from overflowing where it is scaled to a target rate. */
export const cores = (description: string): TNumber => Type.Number({ minimum: 0, maximum: 1e6, description });

export const text = (description: string): TString => Type.String({ maxLength: MAX_TEXT, description });

export const list = <Item extends TSchema>(item: Item, description: string): TArray<Item> =>
  Type.Array(item, { maxItems: MAX_LIST, description });

/** The same measure of both hosts: local is the client's, remote the server's, absent when its report never came. */
export const bothEnds = <Shape extends TSchema>(
  shape: Shape,
  description: string,
): TObject<{ local: Shape; remote: ReturnType<typeof Type.Optional<Shape>> }> =>
  Type.Object({ local: shape, remote: Type.Optional(shape) }, { description });
