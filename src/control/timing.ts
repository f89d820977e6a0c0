/** Deadlines of the control protocol, in ms. Tests shorten them. */
export interface ControlTiming {
  /** Resolving the name and connecting to the control port. */
  connectMs: number;
  /** Server: from accepting a connection to each of the messages that open a session. */
  helloMs: number;
  /** For an answer that takes the peer no time of its own. */
  replyMs: number;
  /** Slack on top of a phase whose length the peer decides: set-up, warm-up, the window. */
  slackMs: number;
  /** For stopping and joining all workers and sending the report. */
  reportMs: number;
  /** For an answer once the run is being given up. */
  hurryMs: number;
  /** Between two pings. */
  pingMs: number;
  /** Silence after which the peer is taken for gone. A vanished peer thus frees everything within 5 s. */
  silenceMs: number;
  /** How long a connection is kept after its last message, for the peer to read it. */
  lingerMs: number;
}

export const DEFAULT_TIMING: Readonly<ControlTiming> = {
  connectMs: 10_000,
  helloMs: 5000,
  replyMs: 5000,
  slackMs: 10_000,
  reportMs: 20_000,
  hurryMs: 1500,
  pingMs: 1000,
  silenceMs: 4000,
  lingerMs: 2000,
};
