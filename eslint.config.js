import eslint from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const NODE_GLOBALS = [
  ...["process", "console", "performance", "Buffer", "URL", "AbortController", "AbortSignal"],
  ...["setImmediate", "setInterval", "clearInterval"],
];
const LIBRARY_ONLY = "Only src/cli prints or exits; everything else returns, throws or calls back.";

export default defineConfig(
  globalIgnores(["dist/", "build/", "build-*/", "prebuilds/", "coverage/", "schema/"]),
  eslint.configs.recommended,
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: {
      globals: {
        ...Object.fromEntries(NODE_GLOBALS.map((name) => [name, "readonly"])),
        module: "writable",
      },
    },
  },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // An interface of nothing but a derived type is a name for it: errors and the API reference say the name, not the whole type.
      "@typescript-eslint/no-empty-object-type": ["error", { allowInterfaces: "with-single-extends" }],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      "@typescript-eslint/prefer-readonly": "error",
      // Numbers are what this project prints.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: "error",
      "max-lines": ["warn", { max: 400, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["warn", { max: 80, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/cli/**"],
    rules: {
      "no-console": "error",
      "no-restricted-properties": [
        "error",
        ...["exit", "abort", "exitCode", "stdout", "stderr", "stdin"].map((property) => ({
          object: "process",
          property,
          message: LIBRARY_ONLY,
        })),
        { object: "Date", property: "now", message: "The clock may be set at any time: performance.now() times." },
      ],
      "no-restricted-imports": [
        "error",
        { paths: ["process", "node:process"].map((name) => ({ name, message: LIBRARY_ONLY })) },
      ],
    },
  },
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  { files: ["*.config.ts"], rules: { "no-restricted-exports": "off" } },
);
