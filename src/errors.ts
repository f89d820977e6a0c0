/** Stable codes of {@link CnbLoadError}. */
export type ErrorCode =
  | "ERR_INVALID_OPTION"
  | "ERR_CONNECT"
  | "ERR_LISTEN"
  | "ERR_BUSY"
  | "ERR_AUTH"
  | "ERR_LIMIT"
  | "ERR_VERSION"
  | "ERR_PROTOCOL"
  | "ERR_PEER_LOST"
  | "ERR_PEER_FAILED"
  | "ERR_PORTS_EXHAUSTED"
  | "ERR_TIMEOUT"
  | "ERR_TRAFFIC"
  | "ERR_PLATFORM"
  | "ERR_CLOSED";

export interface ErrorDetails {
  /** The system call that failed, e.g. "connect". */
  syscall?: string | undefined;
  /** Positive errno of that call. */
  errno?: number | undefined;
  /** Peer or local address that it was about. */
  address?: string | undefined;
  /** The option at fault, as the caller wrote it ("--flows" or "flows"). */
  option?: string | undefined;
  /** When busy: after how many milliseconds a retry makes sense. */
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** The one error type that this library throws or rejects with. */
export class CnbLoadError extends Error {
  override readonly name = "CnbLoadError";
  readonly code: ErrorCode;
  declare readonly syscall?: string;
  declare readonly errno?: number;
  declare readonly address?: string;
  declare readonly option?: string;
  declare readonly retryAfterMs?: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    const { cause: _cause, ...fields } = details;
    // Absent details stay absent, so that printing or comparing an error shows only what is known.
    Object.assign(this, Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)));
  }
}
