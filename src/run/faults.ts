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
const PEER_WENT = ["PEER_CLOSED", "ECONNRESET", "EPIPE"];
const NO_PORT = ["EADDRNOTAVAIL", "EADDRINUSE"];

function codeOf({ phase, syscall, code }: NativeFault): ErrorCode {
  if (OUT_OF_RESOURCES.includes(code)) return "ERR_LIMIT";
  switch (phase) {
    case "listen":
      return "ERR_LISTEN";
    case "connect":
      if (syscall === "bind" && code === "EADDRNOTAVAIL") return "ERR_INVALID_OPTION";
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
  const code = codeOf(fault);
  const reason =
    fault.code !== "" && !fault.message.includes(fault.code) ? `${fault.message} (${fault.code})` : fault.message;
  return new CnbLoadError(code, `${PHASES[fault.phase] ?? fault.phase}: ${reason}`, {
    syscall: fault.syscall === "" ? undefined : fault.syscall,
    errno: fault.errno === 0 ? undefined : fault.errno,
    address: fault.address === "" ? undefined : fault.address,
    option: code === "ERR_INVALID_OPTION" ? "bind" : undefined,
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
