/**
 * `node endings.mjs client MODE TEST ENGINE PORT`: runs against a server and, once traffic flows, ends the way that MODE says.
 * `node endings.mjs server MODE`: serves, prints its port, and ends so on SIGUSR2.
 */
import { ENDLESS, host, run, serve, working } from "./library.mjs";

const [role, mode, test, engine, port] = process.argv.slice(2);

const endings = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error("thrown mid-run");
  },
  reject: () => void Promise.reject(new Error("rejected mid-run")),
};

/** Out of any promise's reach. */
const end = () => void setImmediate(endings[mode]);

if (role === "server") {
  const server = await serve({ host, port: 0 });
  process.on("SIGUSR2", end);
  console.log(server.port);
} else {
  await working(run({ ...ENDLESS, test, engine, port: Number(port) }));
  end();
}
