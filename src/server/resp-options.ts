/**
 * What the RESP door can be told, with every limit that keeps one client from harming the others.
 */
import { DEFAULT_RESP_PARSER_LIMITS, type RespParserLimits } from "../wire/resp/resp-limits.ts";

/** Limits of the door. All are per connection but the first. */
export interface RespLimits extends RespParserLimits {
  /** Connections at once; one more is told so and closed. Default 10,000, as Redis. CONFIG SET maxclients changes it. */
  readonly clientsMax: number;
  /** Requests read and not yet answered before the door stops reading. Default 4,096. A chunk already read is still taken in. */
  readonly pendingRequestsMax: number;
  /** Bytes of arguments read and not yet answered before the door stops reading. Default 64 MiB. */
  readonly pendingBytesMax: number;
  /** Requests running at once; the rest wait in line. Default 1,024. */
  readonly runningRequestsMax: number;
  /** Bytes written and not yet taken by the network before the door stops encoding answers and reading. Default 4 MiB. */
  readonly outputHighWaterBytes: number;
  /** Bytes of answers that a client does not read before it is closed. Default 256 MiB. */
  readonly outputBytesMax: number;
}

export const DEFAULT_RESP_LIMITS: RespLimits = Object.freeze({
  ...DEFAULT_RESP_PARSER_LIMITS,
  clientsMax: 10_000,
  pendingRequestsMax: 4_096,
  pendingBytesMax: 64 * 1024 * 1024,
  runningRequestsMax: 1_024,
  outputHighWaterBytes: 4 * 1024 * 1024,
  outputBytesMax: 256 * 1024 * 1024,
});

/** Fills in defaults and validates. Throws `RangeError` naming the limit. */
export function resolveRespLimits(given: Partial<RespLimits> = {}): RespLimits {
  const limits: RespLimits = { ...DEFAULT_RESP_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`RESP limit ${name} must be an integer >= 1, got ${value}`);
    }
  }
  return Object.freeze(limits);
}
