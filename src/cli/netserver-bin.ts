#!/usr/bin/env node
import { conclude } from "./conclude.js";
import { netserverCommand } from "./netserver.js";
import { surviveClosedStreams } from "./output.js";

surviveClosedStreams();
process.exit(await netserverCommand(process.argv.slice(2)).catch((error: unknown) => conclude([error])));
