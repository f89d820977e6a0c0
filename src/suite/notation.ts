/** How the text of a matrix file becomes a value. */
export interface Notation {
  name: "JSON" | "YAML";
  /** Throws an Error whose message says where and why. */
  decode: (text: string) => unknown;
}

export const JSON_NOTATION: Notation = { name: "JSON", decode: (text) => JSON.parse(text) as unknown };

/** By the file's ending: YAML 1.2 for .yaml and .yml, else JSON. */
export async function notationOf(file: string): Promise<Notation> {
  if (!/\.ya?ml$/i.test(file)) return JSON_NOTATION;
  const { parse } = await import("yaml");
  // A key that is there twice is a mistake; so is an alias that makes a short file long.
  return {
    name: "YAML",
    decode: (text) => parse(text, { uniqueKeys: true, maxAliasCount: 100, logLevel: "error" }) as unknown,
  };
}
