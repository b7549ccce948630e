/**
 * Every knob of the gossip, with unit, default and formula. Three presets: `lan` (the default), `wan` and `local`.
 * Below, n is the number of living members, this one included, and LHM the local health multiplier, 1 .. lhmMax.
 */

export interface SwimOptions {
  /** One member is probed every `protocolPeriodMs * LHM`. lan 1000, wan 5000, local 500. @see SWIM §3 */
  readonly protocolPeriodMs: number;
  /** Wait for the direct ack: `pingTimeoutMs * LHM`, then ask others. Must be < protocolPeriodMs. lan 500, wan 3000, local 200. */
  readonly pingTimeoutMs: number;
  /** Members asked for an indirect ping (k). 0 = none. lan 3, wan 3, local 3. @see SWIM §4.1 */
  readonly indirectProbes: number;
  /** Ping over a stream too, beside the indirect pings: saves members whose UDP is blocked. Default true. */
  readonly streamPing: boolean;
  /**
   * Shortest suspicion: `suspicionMult * max(1, log10(n)) * protocolPeriodMs`; also, k = suspicionMult - 2
   * independent confirmations bring a suspicion down to it. lan 4, wan 6, local 3. @see Lifeguard §IV-B
   */
  readonly suspicionMult: number;
  /** Longest suspicion, without a confirmation: `suspicionMaxMult * shortest`. lan 6, wan 6, local 6. */
  readonly suspicionMaxMult: number;
  /** Most the LHM can be; 1 switches local health off. lan 8, wan 8, local 8. @see Lifeguard §IV-A */
  readonly lhmMax: number;
  /** Each broadcast is sent `retransmitMult * ceil(log10(n + 1))` times by each member. lan 4, wan 4, local 2. */
  readonly retransmitMult: number;
  /** While there is something to say, say it this often, besides piggybacking. lan 200, wan 500, local 100. */
  readonly gossipIntervalMs: number;
  /** To so many random members each time. lan 3, wan 4, local 3. */
  readonly gossipNodes: number;
  /** The dead are still gossiped to for so long, so that one who is not dead learns it. lan 30000, wan 60000, local 15000. */
  readonly gossipToDeadMs: number;
  /** Full state exchange with a random member: `* (1 + ceil(log2(n / 32)))` above 32 members. lan 30000, wan 60000, local 15000. */
  readonly pushPullIntervalMs: number;
  /** One dead member and one missing seed are dialled this often, for ever. lan 10000, wan 20000, local 5000. */
  readonly redialIntervalMs: number;
  /** While no other member is known, the seeds are dialled this often. lan 1000, wan 2000, local 500. */
  readonly joinRetryMs: number;
  /** An exchange nobody reported on is given up after this. lan 10000, wan 30000, local 10000. */
  readonly exchangeTimeoutMs: number;
  /** How long a member that left is remembered, so that old gossip does not revive it. lan 120000, wan 300000, local 60000. */
  readonly leftRetentionMs: number;
  /** Members in the table, dead and left included. Default 4096. */
  readonly membersMax: number;
  /** Keys of user broadcasts remembered. Default 12288. */
  readonly rumourKeysMax: number;
  /** Bytes of user broadcasts in one state exchange, newest first. Default 524288. */
  readonly exchangeRumourBytesMax: number;
  /** Probes out of turn under way at the same time. Default 8. */
  readonly urgentProbesMax: number;
  /** Ping requests served for others at the same time. Default 256. */
  readonly relaysMax: number;
  /** Seeds remembered. Default 64. */
  readonly seedsMax: number;
}

/** One data centre. */
export const LAN_OPTIONS: SwimOptions = Object.freeze({
  protocolPeriodMs: 1_000,
  pingTimeoutMs: 500,
  indirectProbes: 3,
  streamPing: true,
  suspicionMult: 4,
  suspicionMaxMult: 6,
  lhmMax: 8,
  retransmitMult: 4,
  gossipIntervalMs: 200,
  gossipNodes: 3,
  gossipToDeadMs: 30_000,
  pushPullIntervalMs: 30_000,
  redialIntervalMs: 10_000,
  joinRetryMs: 1_000,
  exchangeTimeoutMs: 10_000,
  leftRetentionMs: 120_000,
  membersMax: 4_096,
  rumourKeysMax: 12_288,
  exchangeRumourBytesMax: 512 * 1024,
  urgentProbesMax: 8,
  relaysMax: 256,
  seedsMax: 64,
});

/** Across data centres: patient. */
export const WAN_OPTIONS: SwimOptions = Object.freeze({
  ...LAN_OPTIONS,
  protocolPeriodMs: 5_000,
  pingTimeoutMs: 3_000,
  suspicionMult: 6,
  gossipIntervalMs: 500,
  gossipNodes: 4,
  gossipToDeadMs: 60_000,
  pushPullIntervalMs: 60_000,
  redialIntervalMs: 20_000,
  joinRetryMs: 2_000,
  exchangeTimeoutMs: 30_000,
  leftRetentionMs: 300_000,
});

/** One machine, or tests of real processes: quick. */
export const LOCAL_OPTIONS: SwimOptions = Object.freeze({
  ...LAN_OPTIONS,
  protocolPeriodMs: 500,
  pingTimeoutMs: 200,
  suspicionMult: 3,
  retransmitMult: 2,
  gossipIntervalMs: 100,
  gossipToDeadMs: 15_000,
  pushPullIntervalMs: 15_000,
  redialIntervalMs: 5_000,
  joinRetryMs: 500,
  leftRetentionMs: 60_000,
});

export type SwimPreset = "lan" | "wan" | "local";

const PRESETS: Readonly<Record<SwimPreset, SwimOptions>> = Object.freeze({
  lan: LAN_OPTIONS,
  wan: WAN_OPTIONS,
  local: LOCAL_OPTIONS,
});

/** Options that may be 0. */
const ZERO_ALLOWED: ReadonlySet<string> = new Set([
  "indirectProbes",
  "gossipToDeadMs",
  "exchangeRumourBytesMax",
]);

/** A preset with changes, validated. Throws `RangeError` naming the option. */
export function resolveSwimOptions(
  given: Partial<SwimOptions> = {},
  preset: SwimPreset = "lan",
): SwimOptions {
  const options: SwimOptions = { ...PRESETS[preset], ...given };
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === "boolean") continue;
    const least = ZERO_ALLOWED.has(name) ? 0 : 1;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`swim option ${name} must be an integer >= ${least}, got ${value}`);
    }
  }
  if (options.pingTimeoutMs >= options.protocolPeriodMs) {
    throw new RangeError(
      `swim option pingTimeoutMs (${options.pingTimeoutMs}) must be less than protocolPeriodMs (${options.protocolPeriodMs})`,
    );
  }
  return Object.freeze(options);
}
