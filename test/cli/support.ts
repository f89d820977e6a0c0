import { Cli, type Finished } from "../support/program.js";

export { Cli };

export async function cli(...args: string[]): Promise<Finished> {
  await using process = new Cli(args);
  return await process.finished;
}

/** A `cnb-load server` on loopback with the port that it listens on. */
export async function startServer(...args: string[]): Promise<{ server: Cli; port: string }> {
  const server = new Cli(["server", "--host", "127.0.0.1", "--port", "0", ...args]);
  try {
    const [, port = ""] = await server.saying("stdout", /^cnb-load server listening on 127\.0\.0\.1:(\d+)\n/);
    return { server, port };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
