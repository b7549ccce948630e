/**
 * Limits so small that nodes live at them: what a run with `limits: "small"` gives to all its nodes. Drawn from the
 * seed by a source of its own, so that the same seed without limits has the history that it always had.
 */
import { Random } from "../base/random.ts";
import { MEMORY_BYTES_MIN, type NodeOptions } from "../node/options.ts";

export type LimitOptions = Pick<
  NodeOptions,
  "maxMemoryBytes" | "maxEntries" | "evictionPolicy" | "idleTtlMs"
>;

/** Sets this source apart from all others that the seed feeds. */
const SALT = 0x11317;
/** A cluster has some 5 to 30 keys, and more when bursts and large values come. */
const ENTRIES_MIN = 4;
const ENTRIES_MAX = 24;
const IDLE_TTL_MIN_MS = 1_000;
const IDLE_TTL_MAX_MS = 8_000;

export function drawSmallLimits(seed: bigint): LimitOptions {
  const random = new Random(Number(seed & 0xffff_ffffn) ^ SALT, Number(seed >> 32n));
  const dice = random.nextBelow(10);
  const evictionPolicy = dice < 4 ? "lru" : dice < 8 ? "lfu" : "none";
  const byEntries = random.nextBelow(4) > 0;
  const byBytes = random.nextBelow(2) === 0;
  const idles = random.nextBelow(2) === 0;
  const maxEntries = random.nextBetween(ENTRIES_MIN, ENTRIES_MAX);
  const idleTtlMs = random.nextBetween(IDLE_TTL_MIN_MS, IDLE_TTL_MAX_MS);
  return {
    maxEntries: byEntries ? maxEntries : 0,
    maxMemoryBytes: byBytes ? MEMORY_BYTES_MIN : 0,
    evictionPolicy,
    idleTtlMs: idles ? idleTtlMs : 0,
  };
}
