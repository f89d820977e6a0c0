/** The control port; that of netperf's control connection, too. */
export const DEFAULT_PORT = 12865;
