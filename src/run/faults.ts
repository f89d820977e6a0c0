import { CnbLoadError, type ErrorCode } from "../errors.js";
import type { NativeFault } from "../native/index.js";
import type { Result } from "../result/model.js";

declare module "../errors.js" {
  interface CnbLoadError {
    /** What had been measured when a run failed in its window; `state` is "failed". */
    readonly result?: Result;
  }
}

const OUT_OF_RESOURCES = ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EAGAIN"];
/** ECONNREFUSED is UDP's: nobody listens any more. */
const PEER_WENT = ["PEER_CLOSED", "ECONNRESET", "EPIPE", "ECONNREFUSED"];
const NO_PORT = ["EADDRNOTAVAIL", "EADDRINUSE"];

/** Options that setsockopt(2) is called for, by the name that the addon gives in place of an address. */
const SOCKET_OPTIONS: Readonly<Record<string, string>> = {
  TCP_CONGESTION: "congestion",
  TCP_MAXSEG: "mss",
  SO_SNDBUF: "sndbuf",
  SO_RCVBUF: "rcvbuf",
  UDP_SEGMENT: "gso",
  UDP_GRO: "gro",
};

/** The option that a system call was made for, where the kernel would not have its value. */
function optionOf({ phase, syscall, code, address }: NativeFault): string | undefined {
  if (syscall === "setsockopt") return SOCKET_OPTIONS[address.split(" ", 1)[0] ?? ""];
  return phase === "connect" && syscall === "bind" && code === "EADDRNOTAVAIL" ? "bind" : undefined;
}

function codeOf(fault: NativeFault): ErrorCode {
  const { phase, code } = fault;
  if (OUT_OF_RESOURCES.includes(code)) return "ERR_LIMIT";
  if (optionOf(fault) !== undefined) return "ERR_INVALID_OPTION";
  switch (phase) {
    case "listen":
      return "ERR_LISTEN";
    case "connect":
      return NO_PORT.includes(code) ? "ERR_PORTS_EXHAUSTED" : "ERR_CONNECT";
    case "admit":
      return code === "TIMEOUT" ? "ERR_TIMEOUT" : "ERR_CONNECT";
    case "traffic":
      return PEER_WENT.includes(code) ? "ERR_PEER_LOST" : "ERR_TRAFFIC";
    default:
      return "ERR_PLATFORM";
  }
}

/** What the phases are called in messages. */
const PHASES: Readonly<Record<string, string>> = {
  listen: "opening the data port",
  connect: "connecting the flows",
  admit: "waiting for the client's flows",
  pin: "pinning a worker to its CPU",
  buffers: "allocating buffers",
  traffic: "during the test",
  thread: "starting the workers",
};

/** The error that a fault of the addon means to the caller. */
export function errorOfFault(fault: NativeFault): CnbLoadError {
  const { phase, syscall, errno, code, address, message } = fault;
  const option = optionOf(fault);
  const reason = code !== "" && !message.includes(code) ? `${message} (${code})` : message;
  const kind = codeOf(fault);
  const where = kind === "ERR_PEER_LOST" ? "the other end was lost during the test" : (PHASES[phase] ?? phase);
  const hint = code === "EMFILE" ? "; raise this process' limit of open files with `ulimit -n`" : "";
  return new CnbLoadError(kind, `${option ?? where}: ${reason}${hint}`, {
    syscall: syscall === "" ? undefined : syscall,
    errno: errno === 0 ? undefined : errno,
    address: address === "" || syscall === "setsockopt" ? undefined : address,
    option,
  });
}

/** The error for what the addon threw when it was asked to open a session. */
export function errorOfConstruction(thrown: unknown): CnbLoadError {
  if (!(thrown instanceof Error)) return new CnbLoadError("ERR_PLATFORM", String(thrown));
  const {
    code = "",
    syscall = "",
    errno = 0,
    address = "",
    message,
  } = thrown as NodeJS.ErrnoException & { address?: string };
  // Without a system call it is the plan that the addon would not have.
  if (syscall === "") return new CnbLoadError("ERR_INVALID_OPTION", message, { cause: thrown });
  const phase = ["socket", "bind", "listen"].includes(syscall) ? "listen" : "thread";
  const error = errorOfFault({ phase, syscall, errno: Math.abs(errno), code, address, message });
  return Object.assign(error, { cause: thrown });
}
