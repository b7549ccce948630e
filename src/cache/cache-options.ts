/**
 * Limits of one shard's state machine. Those marked *shared* decide what commands do: every replica of a shard must
 * run with the same ones, for ever, or replicas drift apart. The others are a replica's own business.
 */

export interface CacheOptions {
  /** Changes kept for watchers that resume. Default 1,024. A replica's own. */
  readonly changeHistoryMax: number;
  /** Bytes of keys and values in kept changes; the oldest go first. Default 4 MiB. A replica's own. */
  readonly changeHistoryBytesMax: number;
  /** Open sessions; beyond, the least recently used one is forgotten. Default 4,096. Shared. */
  readonly sessionsMax: number;
  /** Sequences of one session from its low water to its highest; beyond, commands are refused. Default 65,536. Shared. */
  readonly sessionWindowMax: number;
  /**
   * Keys of one shard; beyond, commands that would add one are refused. Default and limit 8,000,000. Shared.
   * A V8 map holds 2^24 slots, and needs half of them free to recycle those of deleted keys.
   */
  readonly keysMax: number;
}

const KEYS_LIMIT = 8_000_000;

export const DEFAULT_CACHE_OPTIONS: CacheOptions = Object.freeze({
  changeHistoryMax: 1_024,
  changeHistoryBytesMax: 4 * 1024 * 1024,
  sessionsMax: 4_096,
  sessionWindowMax: 65_536,
  keysMax: KEYS_LIMIT,
});

/** Fills in defaults and validates. Throws `RangeError` naming the option. */
export function resolveCacheOptions(given: Partial<CacheOptions> = {}): CacheOptions {
  const options: CacheOptions = { ...DEFAULT_CACHE_OPTIONS, ...given };
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`cache option ${name} must be an integer >= 1, got ${value}`);
    }
  }
  if (options.keysMax > KEYS_LIMIT) {
    throw new RangeError(`cache option keysMax must be at most ${KEYS_LIMIT}, got ${options.keysMax}`);
  }
  return Object.freeze(options);
}
