/**
 * Limits and times of the connections between nodes. Every value has a default that suits machines of one region.
 */

export interface LinkOptions {
  /** How long a dial may take until the connection is established, in milliseconds. Default 3,000. */
  readonly connectTimeoutMs: number;
  /** How long a connection may take from established to handshaken, either end, in milliseconds. Default 5,000. */
  readonly handshakeTimeoutMs: number;
  /**
   * Delay before the first redial of a peer, in milliseconds; attempt n waits min(backoffMaxMs, backoffMinMs * 2^n),
   * drawn from the upper half of that. Default 50.
   */
  readonly backoffMinMs: number;
  /** Longest delay between two dials of one peer, in milliseconds; a link that lasted so long starts anew. Default 3,000. */
  readonly backoffMaxMs: number;
  /** A link on which one direction was idle for so long is pinged, in milliseconds. Default 2,000. */
  readonly pingIntervalMs: number;
  /** A link from which nothing came for so long is closed, in milliseconds. Default 8,000. Limit: >= 2 pings. */
  readonly silenceTimeoutMs: number;
  /**
   * How long a link that somebody doubts may stay silent after it was asked for a sign of life, in milliseconds. Default
   * 1,000: well below the deadline of a request, so that one that was sent into a half-open connection is sent again in time.
   */
  readonly doubtTimeoutMs: number;
  /**
   * Bytes that may wait for one peer before raft messages are dropped and requests refused. Default 16 MiB: two raft
   * windows of 8 MiB. Answers are let through up to twice that, so that work already done is not lost.
   */
  readonly outgoingBytesMax: number;
  /** Incoming connections that have not finished their handshake; further ones are closed at once. Default 64. */
  readonly handshakesMax: number;
  /** Incoming channels of all purposes; further ones are refused as busy. Default 4,096. */
  readonly incomingMax: number;
  /** Calls of this node that wait for an answer; further ones fail as busy. Default 1,024. */
  readonly callsWaitingMax: number;
  /** Calls of other nodes that are being served; further ones are answered busy. Default 1,024. */
  readonly callsServedMax: number;
  /** Bulk streams being sent; further ones fail as busy. Default 4. */
  readonly bulkOutgoingMax: number;
  /** Bulk streams being received; further ones are refused as busy. Default 4. */
  readonly bulkIncomingMax: number;
  /** A bulk stream that makes no progress for so long is given up, either end, in milliseconds. Default 10,000. */
  readonly bulkStallTimeoutMs: number;
  /**
   * How long a bulk stream without a connection is kept by either end so that it can go on, in milliseconds. Default
   * 30,000: a switch that restarts, not a machine that does. A connection that brings it no further does not begin it anew.
   */
  readonly bulkGraceMs: number;
  /** How long the receiver may take to finish what it received, in milliseconds. Default 60,000. */
  readonly bulkResultTimeoutMs: number;
}

export const DEFAULT_LINK_OPTIONS: LinkOptions = Object.freeze({
  connectTimeoutMs: 3_000,
  handshakeTimeoutMs: 5_000,
  backoffMinMs: 50,
  backoffMaxMs: 3_000,
  pingIntervalMs: 2_000,
  silenceTimeoutMs: 8_000,
  doubtTimeoutMs: 1_000,
  outgoingBytesMax: 16 * 1024 * 1024,
  handshakesMax: 64,
  incomingMax: 4_096,
  callsWaitingMax: 1_024,
  callsServedMax: 1_024,
  bulkOutgoingMax: 4,
  bulkIncomingMax: 4,
  bulkStallTimeoutMs: 10_000,
  bulkGraceMs: 30_000,
  bulkResultTimeoutMs: 60_000,
});

/** Fills in defaults and validates. Throws `RangeError` naming the option. */
export function resolveLinkOptions(given: Partial<LinkOptions> = {}): LinkOptions {
  const options: LinkOptions = { ...DEFAULT_LINK_OPTIONS, ...given };
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`link option ${name} must be an integer >= 1, got ${value}`);
    }
  }
  if (options.backoffMaxMs < options.backoffMinMs) {
    throw new RangeError(`link option backoffMaxMs (${options.backoffMaxMs}) must not be below backoffMinMs`);
  }
  if (options.silenceTimeoutMs < 2 * options.pingIntervalMs) {
    throw new RangeError(
      `link option silenceTimeoutMs (${options.silenceTimeoutMs}) must be at least two pingIntervalMs`,
    );
  }
  return Object.freeze(options);
}
