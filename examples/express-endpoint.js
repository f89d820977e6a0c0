// A service that measures on request:    node express-endpoint.js [PORT]
//   curl -s 'http://localhost:3000/measure?test=tcp_rr&host=10.0.0.2&flows=8'
// Whoever may ask it makes traffic: keep it on a management network.
import express from "express";
import { CnbLoadError, run } from "cnb-load";

const STATUS = { ERR_INVALID_OPTION: 400, ERR_BUSY: 503, ERR_CONNECT: 502 };
const app = express();

app.get("/measure", async (request, response) => {
  const { test = "tcp_rr", host, port = 12865, flows = 1, duration = "5s" } = request.query;
  const gone = new AbortController();
  // A client that hangs up ends its run.
  response.on("close", () => gone.abort());
  try {
    const options = { test, host, port: Number(port), flows: Number(flows), duration };
    response.json(await run(options, { signal: gone.signal }));
  } catch (error) {
    if (!(error instanceof CnbLoadError)) throw error;
    response.status(STATUS[error.code] ?? 500).json({ code: error.code, message: error.message });
  }
});

const listener = app.listen(Number(process.argv[2] ?? 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${listener.address().port}`);
});
