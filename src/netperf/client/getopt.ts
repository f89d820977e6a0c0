/** POSIX getopt(3) for short options, as netperf's users know it: clusters ("-P0", "-DS"), values attached or apart. */

export interface Found {
  option: string;
  /** "" for options without one. */
  value: string;
}

export interface Parsed {
  found: Found[];
  /** getopt's messages, in its words. */
  complaints: string[];
  /** Arguments after the options; `--` itself is left out. */
  rest: string[];
}

/** `spec` as for getopt: a letter, with ":" after it where it takes a value, with "?" where it takes the next word if that fits. */
export function getopt(
  program: string,
  args: readonly string[],
  spec: string,
  fits: (option: string, word: string) => boolean,
): Parsed {
  const found: Found[] = [];
  const complaints: string[] = [];
  let at = 0;
  while (at < args.length) {
    const word = args[at] ?? "";
    if (word === "--") return { found, complaints, rest: args.slice(at + 1) };
    // GNU's getopt moves operands behind the options; netperf ignores them.
    at++;
    if (!word.startsWith("-") || word === "-") continue;
    for (let letter = 1; letter < word.length; letter++) {
      const option = word[letter] ?? "";
      const place = option === ":" || option === "?" ? -1 : spec.indexOf(option);
      const kind = place < 0 ? undefined : spec[place + 1];
      if (place < 0) {
        complaints.push(`${program}: invalid option -- '${option}'`);
        continue;
      }
      const attached = word.slice(letter + 1);
      if (kind === ":") {
        const value = attached === "" ? args[at++] : attached;
        if (value === undefined) complaints.push(`${program}: option requires an argument -- '${option}'`);
        else found.push({ option, value });
        break;
      }
      if (kind === "?") {
        const next = args[at];
        if (attached !== "") found.push({ option, value: attached });
        else if (next !== undefined && fits(option, next)) found.push({ option, value: args[at++] ?? "" });
        else found.push({ option, value: "" });
        break;
      }
      found.push({ option, value: "" });
    }
  }
  return { found, complaints, rest: [] };
}
