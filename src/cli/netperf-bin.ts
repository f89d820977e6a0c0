#!/usr/bin/env node
import { conclude } from "./conclude.js";
import { netperfCommand } from "./netperf.js";
import { surviveClosedStreams } from "./output.js";

surviveClosedStreams();
process.exit(await netperfCommand(process.argv.slice(2)).catch((error: unknown) => conclude([error])));
