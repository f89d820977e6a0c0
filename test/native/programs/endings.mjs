/** `node endings.mjs MODE PLANS`: starts a pair and, once traffic flows, ends the way that MODE says. */
import { untilWorking, startPair } from "./pair.mjs";

const [mode, plans] = process.argv.slice(2);

const endings = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error("thrown mid-run");
  },
  reject: () => void Promise.reject(new Error("rejected mid-run")),
  kill: () => process.kill(process.pid, "SIGTERM"),
  async stop({ server, client, ended }) {
    client.stop();
    server.stop();
    await ended;
    console.log(client.result().counters.transactions > 0);
    // Nothing is left that could keep the process from ending.
  },
};

const pair = startPair(JSON.parse(plans));
await untilWorking(pair.client);
await endings[mode](pair);
