// Server on one host, client on another, both over ssh:    node two-hosts.js SERVER CLIENT ADDRESS
// SERVER and CLIENT are what ssh takes, ADDRESS is the server's as the client sees it. Both have cnb-load on PATH.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

const [serverHost, clientHost, address] = process.argv.slice(2);

/** With a terminal (-tt) sshd ends the command when the connection goes, so that no server is left behind. */
function ssh(terminal, host, ...command) {
  return spawn("ssh", [...(terminal ? ["-tt"] : []), host, ...command], { stdio: ["pipe", "pipe", "inherit"] });
}

async function measure(test, port) {
  const client = ssh(false, clientHost, "cnb-load", test, address, "-p", port, "-l", "2s", "--json", "--quiet");
  const [output, [code]] = await Promise.all([text(client.stdout), once(client, "close")]);
  if (code !== 0) throw new Error(`${test}: cnb-load ended with ${code}`);
  return JSON.parse(output);
}

const server = ssh(true, serverHost, "cnb-load", "server", "--port", "0");
try {
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  const { value = "" } = await lines.next();
  const [, port] = /listening on .*:(\d+)/.exec(value) ?? [];
  if (port === undefined) throw new Error(`${serverHost}: no server: ${value}`);
  for (const test of ["stream", "rr", "crr"]) {
    const { throughput, transactions } = await measure(test, port);
    const rate =
      throughput === undefined ? `${transactions.perSecond.toFixed(0)}/s` : `${throughput.bitsPerSecond} bit/s`;
    console.log(`${serverHost} ${clientHost} ${test} ${rate}`);
  }
} finally {
  server.kill();
}
