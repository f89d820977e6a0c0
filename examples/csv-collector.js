// One row per run, for as long as wanted:    node csv-collector.js FILE RUNS HOST [PORT]
import { appendFile, stat } from "node:fs/promises";
import { CnbLoadError, run } from "cnb-load";

const [file, runs, host, port = "12865"] = process.argv.slice(2);
const COLUMNS = "startedAt,test,state,perSecond,p50Ns,p99Ns,localCores,remoteCores,warnings";

function row({ startedAt, test, state, transactions, latency, cpu, warnings }) {
  const figures = [
    transactions?.perSecond,
    latency?.p50Ns,
    latency?.p99Ns,
    cpu.local?.busyCores,
    cpu.remote?.busyCores,
  ];
  return [startedAt, test, state, ...figures, warnings.map(({ code }) => code).join(" ")].join(",");
}

if (!(await stat(file).catch(() => undefined))) await appendFile(file, `${COLUMNS}\n`);
for (let done = 0; done < Number(runs); done++) {
  for (const test of ["tcp_rr", "tcp_crr"]) {
    try {
      await appendFile(
        file,
        `${row(await run({ test, host, port: Number(port), duration: "1s", warmup: "100ms" }))}\n`,
      );
    } catch (error) {
      if (!(error instanceof CnbLoadError)) throw error;
      // What was measured until then is worth a row, too.
      if (error.result !== undefined) await appendFile(file, `${row(error.result)}\n`);
      console.error(`${test}: ${error.code}: ${error.message}`);
    }
  }
}
