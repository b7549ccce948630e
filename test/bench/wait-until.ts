/** Waiting for a condition, with a deadline, saying why it was not met. */
import { setTimeout as delay } from "node:timers/promises";

const POLL_INTERVAL_MS = 50;

/** Asks until `reason` answers null: nothing is missing any more. A reason that throws counts as one. Rejects at the end of `signal`, too. */
export async function waitUntil(
  claim: string,
  limitMs: number,
  reason: () => Promise<string | null> | string | null,
  signal: AbortSignal | null = null,
): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const missing = await Promise.resolve()
      .then(reason)
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (missing === null) return;
    if (signal?.aborted) throw new Error(`nobody waits any more: ${claim}`);
    if (performance.now() > deadlineMs) throw new Error(`not within ${limitMs} ms: ${claim} (${missing})`);
    await delay(POLL_INTERVAL_MS);
  }
}
