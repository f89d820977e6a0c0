/**
 * Which room of src may import which; docs/architecture.md draws it. Type-only imports count: a type is a dependency as well.
 * A room may always import itself; a room that is missing here may import nothing.
 */
const rooms = {
  errors: [],
  options: ["errors"],
  native: ["options", "errors"],
  result: ["options", "errors"],
  doctor: ["result", "options", "errors"],
  report: ["doctor", "result", "options", "errors"],
  control: ["result", "options", "errors"],
  profile: ["errors"],
  run: ["profile", "control", "native", "result", "options", "errors"],
  netperf: ["run", "control", "native", "result", "options", "errors"],
  suite: ["result", "options", "errors"],
  lab: ["index", "report", "profile"],
  cli: ["lab", "netperf", "run", "suite", "doctor", "report", "result", "options", "errors"],
  index: ["run", "result", "options", "errors"],
};

/** A room is a folder of src or a single file in it. */
const paths = (names) => `^src/(${names.join("|")})(/|\\.ts$)`;

const arrows = Object.entries(rooms).map(([room, allowed]) => ({
  name: `${room}-imports-only`,
  comment: `src/${room} may import ${allowed.join(", ") || "no other room"}`,
  severity: "error",
  from: { path: paths([room]) },
  to: { path: "^src/", pathNot: paths([room, ...allowed]) },
}));

module.exports = {
  forbidden: [
    ...arrows,
    {
      name: "known-room",
      comment: "every file of src belongs to a room named in .dependency-cruiser.cjs",
      severity: "error",
      from: { path: "^src/", pathNot: paths(Object.keys(rooms)) },
      to: {},
    },
    {
      name: "no-cycles",
      comment: "imports form no circle",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true },
    },
    {
      name: "no-orphans",
      comment: "a file that nobody imports and that imports nobody is left over",
      severity: "error",
      from: { path: "^src/", orphan: true },
      to: {},
    },
    {
      name: "no-dev-dependency",
      comment: "the package may only import what it declares in dependencies",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "unknown"] },
    },
    {
      name: "resolvable",
      comment: "every import exists",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true },
    },
    {
      name: "src-alone",
      comment: "src imports neither tests nor benchmarks",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench|scripts)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};
