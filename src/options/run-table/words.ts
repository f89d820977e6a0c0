/** Units and sets of tests that the rows are written with. */
export const S = 1_000_000_000;
export const MS = 1_000_000;
export const HOUR = 3600 * S;
export const KIB = 1024;
export const MIB = KIB * KIB;

export const BULK = ["stream", "maerts"] as const;
export const CONNECTIONS = ["crr", "cc"] as const;
export const TCP = [...BULK, "rr", ...CONNECTIONS] as const;
export const ALL = [...TCP, "udp-stream", "udp-rr"] as const;
export const SENDS = [...BULK, "udp-stream"] as const;
export const EXCHANGES = ["rr", "udp-rr"] as const;
export const REQUESTS = ["rr", "crr", "udp-rr"] as const;
export const TRANSACTIONS = ["rr", ...CONNECTIONS, "udp-rr"] as const;
