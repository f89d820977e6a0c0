import { CnbLoadError } from "../errors.js";
import { formatDuration } from "../options/durations.js";
import type { ResolvedServeOptions } from "../options/spec.js";

/** Bounds of what a busy server advises. */
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 60_000;

/** One session's place on a server. */
export interface Place {
  /** The session has begun, and will have ended by then (performance.now()) if all goes well; again where it goes on. */
  begin(endsBy: number): void;
  /** The session is over, or never began. Idempotent. */
  leave(): void;
}

interface Guest {
  peer: string;
  endsBy: number;
}

type Limits = Pick<ResolvedServeOptions, "maxSessions" | "maxSessionsPerClient" | "once">;

const counted = (count: number, whose = ""): string =>
  count === 1 ? `1 session${whose} is` : `${count} sessions${whose} are`;

/** How many sessions a server has at a time, whatever protocol their clients speak. */
export class Admission {
  readonly #limits: Limits;
  readonly #onCount: (sessions: number) => void;
  readonly #guests = new Set<Guest>();
  #served = false;

  /** `onCount` hears how many sessions there are, whenever one has come or gone. */
  constructor(limits: Limits, onCount: (sessions: number) => void = () => undefined) {
    this.#limits = limits;
    this.#onCount = onCount;
  }

  /** Whether the server ends with its first session. */
  get once(): boolean {
    return this.#limits.once;
  }

  /** Whether a session has begun ever. */
  get served(): boolean {
    return this.#served;
  }

  /** A place for a client with this numeric address. Throws ERR_BUSY, which says for how long. */
  enter(peer: string): Place {
    const { once, maxSessions, maxSessionsPerClient } = this.#limits;
    if (once && this.#served) throw this.busy("it serves one session only (--once)");
    if (this.#guests.size >= maxSessions) throw this.busy(`${counted(maxSessions)} under way (--max-sessions)`);
    const own = [...this.#guests].filter((guest) => guest.peer === peer);
    if (maxSessionsPerClient !== null && own.length >= maxSessionsPerClient) {
      const text = `${counted(maxSessionsPerClient, ` of ${peer}`)} under way (--max-sessions-per-client)`;
      throw this.busy(text, own);
    }
    const guest = { peer, endsBy: 0 };
    this.#guests.add(guest);
    this.#onCount(this.#guests.size);
    return {
      begin: (endsBy) => {
        this.#served = true;
        guest.endsBy = endsBy;
      },
      leave: () => {
        if (this.#guests.delete(guest)) this.#onCount(this.#guests.size);
      },
    };
  }

  /** Refusal for now: whichever of `guests` ends first makes room. */
  busy(why: string, guests: Iterable<Guest> = this.#guests): CnbLoadError {
    const waits = [...guests].map(({ endsBy }) => endsBy - performance.now());
    const retryAfterMs = Math.max(MIN_RETRY_MS, Math.ceil(Math.min(...waits, MAX_RETRY_MS)));
    const text = `the server is busy: ${why}; try again in ${formatDuration(Math.ceil(retryAfterMs / 100) * 1e8)}`;
    return new CnbLoadError("ERR_BUSY", text, { retryAfterMs });
  }
}
