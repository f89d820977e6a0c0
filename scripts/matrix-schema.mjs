// Writes schema/matrix.json from the table of options. Needs the built package: npm run build:ts
import { writeFileSync } from "node:fs";
import { matrixSchema } from "../dist/suite/schema.js";

writeFileSync(new URL("../schema/matrix.json", import.meta.url), `${JSON.stringify(matrixSchema(), null, 2)}\n`);
