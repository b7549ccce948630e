/**
 * Trying again what failed for a reason of the moment: an election, a busy node, a connection that broke.
 */
import { setTimeout as delay } from "node:timers/promises";

/** Waits before each further try. They add up to about 16 seconds, longer than elections and restarts take. */
const WAITS_MS: readonly number[] = [250, 500, 1_000, 2_000, 4_000, 4_000, 4_000];

/**
 * What `attempt` answers in the end. `mayPass` says which errors are worth another try; `onRetry` is called, and waited for,
 * before each. Throws the last error.
 */
export async function retried<Result>(
  attempt: () => Promise<Result>,
  mayPass: (error: unknown) => boolean,
  onRetry: (error: unknown) => void | Promise<void> = () => {},
  waitsMs: readonly number[] = WAITS_MS,
): Promise<Result> {
  for (const waitMs of waitsMs) {
    try {
      return await attempt();
    } catch (error) {
      if (!mayPass(error)) throw error;
      await onRetry(error);
      await delay(waitMs);
    }
  }
  return await attempt();
}
