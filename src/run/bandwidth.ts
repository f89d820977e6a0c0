import { CnbLoadError } from "../errors.js";
import { formatBandwidth, roundUp } from "../options/rates.js";
import { type ResolvedServeOptions, type ResolvedSpec, isBulk } from "../options/spec.js";
import type { Half } from "./half.js";

const LOOK_MS = 200;
/** What a pace may be missed by on average, and what may come at once after a pause: of the limit, and at least so many bytes. */
const TOLERANCE = 1.05;
const BURST_SECONDS = 1;
const MIN_BURST_BYTES = 1024 * 1024;

type Limit = Pick<ResolvedServeOptions, "maxBandwidthBitsPerSecond">;

/** Throws ERR_LIMIT for a test that says of itself that it will exceed the limit, or does not say that it will not. */
export function checkBandwidth(spec: ResolvedSpec, { maxBandwidthBitsPerSecond: most }: Limit): void {
  if (most === 0) return;
  const { bandwidthBitsPerSecond, ratePerSecond, requestBytes, responseBytes } = spec;
  const limit = `this server allows ${formatBandwidth(most)} per session and direction (--max-bandwidth)`;
  if (isBulk(spec.test)) {
    if (bandwidthBitsPerSecond > 0 && bandwidthBitsPerSecond <= most) return;
    const asked =
      bandwidthBitsPerSecond === 0
        ? "no pace was asked for"
        : `${formatBandwidth(roundUp(bandwidthBitsPerSecond))} were asked for`;
    const text = `bandwidth: ${limit}, ${asked}; give at most that`;
    throw new CnbLoadError("ERR_LIMIT", text, { option: "bandwidth" });
  }
  const bits = ratePerSecond * 8 * Math.max(requestBytes, responseBytes);
  if (spec.test === "tcp_cc" || bits <= most) return;
  const remedy = "lower --rate, --request or --response";
  const text = `rate: ${limit}, ${formatBandwidth(roundUp(bits))} were asked for; ${remedy}`;
  throw new CnbLoadError("ERR_LIMIT", text, { option: "rate" });
}

/** Ends a session that moves more than it may in either direction, whatever its client said before. */
export function watchBandwidth(half: Half, { maxBandwidthBitsPerSecond: most }: Limit): void {
  if (most === 0) return;
  const bytesPerSecond = most / 8;
  const burst = Math.max(bytesPerSecond * BURST_SECONDS, MIN_BURST_BYTES);
  // Two leaky buckets: what has come beyond the limit and has not been made up for.
  let excess = [0, 0];
  let before = [0, 0];
  let looked = performance.now();
  const timer = setInterval(() => {
    const { bytesSent, bytesReceived } = half.moved();
    const now = performance.now();
    const granted = (bytesPerSecond * TOLERANCE * (now - looked)) / 1000;
    const moved = [bytesSent, bytesReceived];
    excess = moved.map((bytes, index) => Math.max(0, at(excess, index) + bytes - at(before, index) - granted));
    [before, looked] = [moved, now];
    if (excess.every((bytes) => bytes <= burst)) return;
    const text = `this server allows ${formatBandwidth(most)} per session and direction (--max-bandwidth), and more came`;
    half.halt(new CnbLoadError("ERR_LIMIT", text));
    void half.stop();
  }, LOOK_MS);
  timer.unref();
  void half.ended.then(() => clearInterval(timer));
}

function at(pair: readonly number[], index: number): number {
  return pair[index] ?? 0;
}
