/**
 * Shapes of what crosses the wire. A shape turns an unknown value into a fresh one that holds the known fields and nothing else, or
 * throws ShapeError with the path at fault. TypeBox would do, but loading its 700 modules costs more than a whole run's set-up.
 */
export type Shape<T> = (value: unknown, path: string) => T;

/** The type that a shape yields. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** Names what came without ever printing it: it may be huge, nested deeply, or hostile. */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") return String(value);
  return value === undefined ? "nothing" : `a ${typeof value}`;
}

function refuse(path: string, expected: string, value: unknown): never {
  throw new ShapeError(`${path === "" ? "message" : path}: expected ${expected}, got ${kindOf(value)}`);
}

export function integer(min = 0, max: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, path) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : refuse(path, `an integer ${min}..${max}`, value);
}

export const boolean: Shape<boolean> = (value, path) =>
  typeof value === "boolean" ? value : refuse(path, "true or false", value);

/** A string of at most `max` UTF-16 units. */
export function string(max: number): Shape<string> {
  return (value, path) =>
    typeof value === "string" && value.length <= max
      ? value
      : refuse(path, `a string of at most ${max} characters`, value);
}

export function array<T>(item: Shape<T>, max: number): Shape<T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > max) return refuse(path, `an array of at most ${max} items`, value);
    return value.map((one: unknown, index) => item(one, `${path}[${index}]`));
  };
}

/** Marks a field that may be absent. */
export function optional<T>(shape: Shape<T>): OptionalShape<T> {
  return { optional: shape };
}

export interface OptionalShape<T> {
  readonly optional: Shape<T>;
}

type Fields = Readonly<Record<string, Shape<unknown> | OptionalShape<unknown>>>;
type RequiredKeys<F extends Fields> = { [K in keyof F]: F[K] extends OptionalShape<unknown> ? never : K }[keyof F];
type Simplify<T> = { [K in keyof T]: T[K] };
export type ObjectOf<F extends Fields> = Simplify<
  { [K in RequiredKeys<F>]: Shaped<F[K]> } & {
    [K in Exclude<keyof F, RequiredKeys<F>>]?: F[K] extends OptionalShape<infer T> ? T : never;
  }
>;

/** An object with these fields; others are dropped, so that a later minor version may add some. */
export function object<F extends Fields>(fields: F): Shape<ObjectOf<F>> {
  const entries = Object.entries(fields);
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(path, "an object", value);
    const result: Record<string, unknown> = {};
    for (const [key, field] of entries) {
      // Own properties only: "constructor" and its like must not be found on the prototype.
      const present = Object.hasOwn(value, key);
      const part = present ? (value as Record<string, unknown>)[key] : undefined;
      const where = path === "" ? key : `${path}.${key}`;
      if (typeof field === "function") result[key] = field(part, where);
      else if (present) result[key] = field.optional(part, where);
    }
    return result as ObjectOf<F>;
  };
}
