// Writes the tables of options between the markers of a markdown file; with --check only says whether they are up to date.
// Usage: node scripts/options-table.mjs [--check] FILE   (needs the built package: npm run build:ts)
import { readFileSync, writeFileSync } from "node:fs";
import { renderOptionsTables } from "../dist/options/markdown.js";

const START = "<!-- options -->";
const END = "<!-- /options -->";

const args = process.argv.slice(2);
const check = args.includes("--check");
const [file] = args.filter((arg) => arg !== "--check");
if (file === undefined) fail("usage: options-table.mjs [--check] FILE", 2);

const text = readFileSync(file, "utf8");
const start = text.indexOf(START);
const end = text.indexOf(END);
if (start < 0 || end < start) fail(`${file}: expected the markers ${START} and ${END}, in this order`, 1);

const updated = `${text.slice(0, start)}${START}\n\n${renderOptionsTables()}\n\n${text.slice(end)}`;
if (check && updated !== text) fail(`${file}: the tables of options are out of date; run npm run docs:options`, 1);
if (!check) writeFileSync(file, updated);

function fail(message, code) {
  console.error(message);
  process.exit(code);
}
