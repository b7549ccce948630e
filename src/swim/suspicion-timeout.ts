/**
 * How long a suspicion lasts: arithmetic only, no timers. The more members independently accuse, the sooner it ends.
 */
import type { SwimOptions } from "./options.ts";

/** The bounds of one suspicion, fixed when it begins. */
export interface SuspicionBounds {
  readonly minMs: number;
  readonly maxMs: number;
  /** Independent confirmations (K) that bring the timeout down to `minMs`; 0 = it starts there. */
  readonly confirmationsNeeded: number;
}

/**
 * `min = suspicionMult * max(1, log10(n)) * protocolPeriod`, `max = suspicionMaxMult * min`, `K = suspicionMult - 2`.
 * When fewer than K others (n - 2: neither the accuser nor the accused) could confirm, none is awaited.
 * @see Lifeguard §IV-B
 */
export function suspicionBounds(options: SwimOptions, livingMembers: number): SuspicionBounds {
  const scale = Math.max(1, Math.log10(Math.max(1, livingMembers)));
  const minMs = options.suspicionMult * scale * options.protocolPeriodMs;
  const wanted = Math.max(0, options.suspicionMult - 2);
  const confirmationsNeeded = livingMembers - 2 < wanted ? 0 : wanted;
  return {
    minMs,
    maxMs: confirmationsNeeded === 0 ? minMs : options.suspicionMaxMult * minMs,
    confirmationsNeeded,
  };
}

/** `max(min, max - (max - min) * log(C + 1) / log(K + 1))` after C confirmations. @see Lifeguard §IV-B */
export function suspicionTimeoutMs(bounds: SuspicionBounds, confirmations: number): number {
  const { minMs, maxMs, confirmationsNeeded } = bounds;
  if (confirmationsNeeded === 0) return minMs;
  const fraction = Math.log(confirmations + 1) / Math.log(confirmationsNeeded + 1);
  return Math.max(minMs, maxMs - (maxMs - minMs) * fraction);
}
