/** Every path in a value, as lists of keys. */
export function paths(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [[...path]];
  return [[...path], ...Object.entries(value).flatMap(([name, inner]) => paths(inner, [...path, name]))];
}

/** A copy with something else in that place, where it has the place. */
export function replaceAt(value: unknown, [name, ...rest]: readonly string[], put: unknown): unknown {
  if (name === undefined) return put;
  if (typeof value !== "object" || value === null) return value;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as Record<string, unknown>) };
  (copy as Record<string, unknown>)[name] = replaceAt((value as Record<string, unknown>)[name], rest, put);
  return copy;
}
