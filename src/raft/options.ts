/**
 * Options of one group's consensus. Times are counted in ticks; what a tick lasts is the host's affair.
 */
export interface RaftOptions {
  /**
   * Follower silence before a pre-vote: drawn from [n, 2n) afresh for each election. Default 10. Limit: >
   * heartbeatTicks.
   */
  readonly electionTimeoutTicks: number;
  /** Leader heartbeat interval. Default 1. */
  readonly heartbeatTicks: number;
  /** Append requests in flight to one follower. Default 256. */
  readonly inflightMessagesMax: number;
  /** Entry bytes in flight to one follower. Default 8 MiB. */
  readonly inflightBytesMax: number;
  /** Entry bytes in one append request (at least one entry is always sent). Default 1 MiB. */
  readonly appendBytesMax: number;
  /** Entry bytes proposed and not yet committed before `propose` answers busy. Default 64 MiB. */
  readonly uncommittedBytesMax: number;
  /** Entry bytes handed out in one `ready().committed`. Default 4 MiB. */
  readonly committedBytesPerReadyMax: number;
  /** Idle heartbeat intervals with every replica up to date before the group goes quiet; 0 = never. Default 30. */
  readonly quiesceAfterHeartbeats: number;
  /** Answer reads from the leader's lease instead of a quorum round. Trusts clocks. Default false. */
  readonly leaseReads: boolean;
}

export const DEFAULT_RAFT_OPTIONS: RaftOptions = Object.freeze({
  electionTimeoutTicks: 10,
  heartbeatTicks: 1,
  inflightMessagesMax: 256,
  inflightBytesMax: 8 * 1024 * 1024,
  appendBytesMax: 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  committedBytesPerReadyMax: 4 * 1024 * 1024,
  quiesceAfterHeartbeats: 30,
  leaseReads: false,
});

/** Fills in defaults and validates. Throws `RangeError` naming the option. */
export function resolveRaftOptions(given: Partial<RaftOptions> = {}): RaftOptions {
  const options: RaftOptions = { ...DEFAULT_RAFT_OPTIONS, ...given };
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === "boolean") continue;
    const least = name === "quiesceAfterHeartbeats" ? 0 : 1;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`raft option ${name} must be an integer >= ${least}, got ${value}`);
    }
  }
  if (options.electionTimeoutTicks <= options.heartbeatTicks) {
    throw new RangeError(
      `raft option electionTimeoutTicks (${options.electionTimeoutTicks}) must be greater than heartbeatTicks (${options.heartbeatTicks})`,
    );
  }
  return Object.freeze(options);
}
