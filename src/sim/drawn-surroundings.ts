/**
 * What surrounds the nodes of a simulated world, drawn from its seed: how far apart they are, and how short their logs.
 */
import type { Random } from "../base/random.ts";
import type { HostOptions } from "../host/options.ts";
import type { NetworkConditions } from "./virtual-network.ts";

/** One data centre or several: a tenth of a millisecond one way, to twenty. */
export function drawWays(random: Random): Pick<NetworkConditions, "delayMs" | "jitterMs"> {
  const delayMs = 0.1 * 200 ** random.nextFloat();
  return { delayMs, jitterMs: delayMs * random.nextFloat() * 2 };
}

/** About half of what an entry of the simulated clients has: a log reaches this before it reaches its entries, unless a member lacks them. */
const LOG_BYTES_PER_ENTRY = 40;

/** Logs are short in every other world, so that checkpoints and snapshots are common. */
export function drawHost(random: Random): Partial<HostOptions> {
  const logEntriesMax = random.nextBetween(10, 200);
  const logBytesMin = logEntriesMax * LOG_BYTES_PER_ENTRY;
  const checkpointLogBytes = random.nextBetween(256, 8_192);
  const checkpointIntervalMs = random.nextBetween(300, 3_000);
  return random.nextBelow(2) === 0
    ? { logEntriesMax, logBytesMin, checkpointLogBytes, checkpointIntervalMs }
    : {};
}
