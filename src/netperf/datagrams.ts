/** One datagram to a call, as netperf sends them. */
export const PLAIN_UDP = { batch: 1, gso: false, gro: false, retryTimeoutMs: 0 } as const;
