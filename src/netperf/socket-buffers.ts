/** What the kernel will say of a socket's buffers before there is a socket: netperf prints the sizes from before the connection. */
import { readText, wholeNumber, words } from "../result/text.js";

const SYSCTL = "/proc/sys/net";
/** SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF of 64-bit kernels (include/net/sock.h); smaller sizes are raised to them. */
const MIN_SNDBUF = 4608;
const MIN_RCVBUF = 2304;

export interface SocketBuffers {
  sndbufBytes: number;
  rcvbufBytes: number;
}

/** SO_SNDBUF and SO_RCVBUF of a fresh socket. `asked`: what is set on it, not positive = nothing (socket(7), tcp(7)). */
export function initialBuffers(asked: SocketBuffers, protocol: "tcp" | "udp"): SocketBuffers {
  return {
    sndbufBytes: sizeOf(asked.sndbufBytes, protocol, "wmem", MIN_SNDBUF),
    rcvbufBytes: sizeOf(asked.rcvbufBytes, protocol, "rmem", MIN_RCVBUF),
  };
}

function sizeOf(asked: number, protocol: "tcp" | "udp", name: "wmem" | "rmem", least: number): number {
  if (asked <= 0) {
    const [path, column] = protocol === "tcp" ? [`ipv4/tcp_${name}`, 1] : [`core/${name}_default`, 0];
    return wholeNumber(words(readText(`${SYSCTL}/${path}`) ?? "")[column]) ?? 0;
  }
  const most = wholeNumber(readText(`${SYSCTL}/core/${name}_max`)?.trim()) ?? asked;
  // The kernel doubles what is asked for, to have room for its own bookkeeping.
  return Math.max(least, 2 * Math.min(asked, most));
}
