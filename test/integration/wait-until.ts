/**
 * Waiting for something to become true, and saying what it was when it does not.
 */
import { setTimeout as delay } from "node:timers/promises";

const POLL_INTERVAL_MS = 50;

/**
 * Asks `probe` again and again until it answers something else than null; that answer is the result.
 * A probe that throws counts as "not yet"; when `limitMs` is over, the last reason is part of the error.
 */
export async function waitUntil<Answer>(
  claim: string,
  limitMs: number,
  probe: () => Promise<Answer | null> | Answer | null,
): Promise<Answer> {
  const startedAtMs = performance.now();
  let lastReason = "";
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== null) return answer;
    } catch (error) {
      lastReason = ` (${error instanceof Error ? error.message : String(error)})`;
    }
    if (performance.now() - startedAtMs > limitMs) {
      throw new Error(`not within ${limitMs} ms: ${claim}${lastReason}`);
    }
    await delay(POLL_INTERVAL_MS);
  }
}
