/**
 * What a node may hold, over all replicas on it, and what happens beyond: options made into numbers to act upon.
 */
import type { Wanted } from "../../cache/victims.ts";
import type { NodeOptions } from "../options.ts";

/** How much a node or a shard holds: accounted bytes and keys. */
export interface Holding {
  readonly bytes: number;
  readonly entries: number;
}

export type EvictionPolicy = NodeOptions["evictionPolicy"];

/** Removals bring a node so far below its limit that the next write does not set them off again. */
const SLACK_SHARE = 1 / 64;
/**
 * Where writes are refused although keys are being removed: the leader cannot keep up. A quarter above the limit, but
 * not within what a burst on a small limit may well reach in the time of one commit.
 */
const CEILING_SHARE = 1 / 4;
const CEILING_BYTES_MIN = 32 * 1024 * 1024;
const CEILING_ENTRIES_MIN = 10_000;
/** A node is said to have left its limit once it holds less than this share of it. */
const LEFT_SHARE = 0.9;

export class CapacityLimits {
  readonly policy: EvictionPolicy;
  /** Infinity: no limit. */
  readonly limit: Holding;
  /** What removals aim at. */
  readonly target: Holding;
  /** Beyond it growing writes are refused. With the policy `none` that is the limit itself. */
  readonly ceiling: Holding;
  /** 0: keys may be idle for ever. */
  readonly idleTtlMs: number;

  constructor(options: Pick<NodeOptions, "maxMemoryBytes" | "maxEntries" | "evictionPolicy" | "idleTtlMs">) {
    const { maxMemoryBytes, maxEntries, evictionPolicy, idleTtlMs } = options;
    this.policy = evictionPolicy;
    this.idleTtlMs = idleTtlMs;
    this.limit = {
      bytes: maxMemoryBytes === 0 ? Number.POSITIVE_INFINITY : maxMemoryBytes,
      entries: maxEntries === 0 ? Number.POSITIVE_INFINITY : maxEntries,
    };
    const { bytes, entries } = this.limit;
    this.target = { bytes: belowLimit(bytes), entries: belowLimit(entries) };
    this.ceiling =
      evictionPolicy === "none"
        ? this.limit
        : {
            bytes: bytes + Math.max(CEILING_BYTES_MIN, bytes * CEILING_SHARE),
            entries: entries + Math.max(CEILING_ENTRIES_MIN, Math.floor(entries * CEILING_SHARE)),
          };
  }

  /** There is a limit to keep. */
  get isLimited(): boolean {
    return this.limit.bytes !== Number.POSITIVE_INFINITY || this.limit.entries !== Number.POSITIVE_INFINITY;
  }

  /** It matters which keys are in use. */
  get needsUse(): boolean {
    return this.idleTtlMs > 0 || (this.isLimited && this.policy !== "none");
  }

  isOver({ bytes, entries }: Holding): boolean {
    return bytes > this.limit.bytes || entries > this.limit.entries;
  }

  /** Whether `held` and `more` together are more than a node of this policy takes. */
  isBeyondCeiling(held: Holding, more: Wanted): boolean {
    return (
      (more.bytes > 0 && held.bytes + more.bytes > this.ceiling.bytes) ||
      (more.entries > 0 && held.entries + more.entries > this.ceiling.entries)
    );
  }

  hasLeft({ bytes, entries }: Holding): boolean {
    return bytes < this.limit.bytes * LEFT_SHARE && entries < this.limit.entries * LEFT_SHARE;
  }
}

function belowLimit(limit: number): number {
  return limit === Number.POSITIVE_INFINITY ? limit : Math.floor(limit * (1 - SLACK_SHARE));
}
