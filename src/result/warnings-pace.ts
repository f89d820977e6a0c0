/** Warnings about a rate or bandwidth that was asked for and not kept. */
import { isBulk } from "../options/spec.js";
import type { Warning } from "./model.js";
import { byDirection } from "./rates.js";
import type { EndReport, RawRun } from "./raw.js";

/** Of what was asked for; less is within what the edges of a window are worth. */
const TOLERATED_SHARE = 0.01;
const TOLERATED_BANDWIDTH_SHARE = 0.02;

/** One that is due waits in many a flow for the one before, without any being lost. */
function rateNotKept({ spec, local }: RawRun): Warning[] {
  const { ratePerSecond, flows } = spec;
  const { backlog = 0, windowNs } = local;
  const due = Math.round((ratePerSecond * windowNs) / 1e9);
  if (backlog <= flows || backlog <= due * TOLERATED_SHARE) return [];
  const more = spec.test === "tcp_rr" || spec.test === "udp_rr" ? "--flows or --burst" : "--flows";
  return [
    {
      code: "RATE_NOT_KEPT",
      message: `At the end of the window ${backlog} requests were due and not sent, those of the warm-up among them, where the window alone has ${due} at ${ratePerSecond}/s: the flows were waiting for answers, and latency, which counts from when a request was due, says mostly how far behind they were`,
      advice: `Ask for less with --rate, or allow more under way at a time with ${more}`,
    },
  ];
}

function bandwidthNotKept(raw: RawRun): Warning[] {
  const asked = raw.spec.bandwidthBitsPerSecond;
  const receiver = byDirection<EndReport>(raw.spec, raw).receiver;
  if (asked === 0 || !isBulk(raw.spec.test) || receiver === undefined || receiver.windowNs === 0) return [];
  const reached = (receiver.counters.bytesReceived * 8e9) / receiver.windowNs;
  if (reached >= asked * (1 - TOLERATED_BANDWIDTH_SHARE)) return [];
  return [
    {
      code: "BANDWIDTH_NOT_KEPT",
      message: `The receiver got ${((reached / asked) * 100).toFixed(1)} % of the ${asked} bits per second that the sender was paced to`,
      advice: "Ask for less with --bandwidth, or look for what holds the sender back: the path, --sndbuf, its CPU",
    },
  ];
}

export function paceWarnings(raw: RawRun): Warning[] {
  return [...rateNotKept(raw), ...bandwidthNotKept(raw)];
}
