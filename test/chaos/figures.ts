/**
 * What a scenario measured, beside what was promised. Printed whether or not it holds.
 */
import { expect } from "vitest";

/** CREMA_CHAOS=long: more machines, more rounds, longer pauses. */
export const LONG = process.env.CREMA_CHAOS === "long";

/** Milliseconds since its making. */
export class Stopwatch {
  readonly #startedAtMs = performance.now();

  get ms(): number {
    return Math.round(performance.now() - this.#startedAtMs);
  }
}

/** Other tests run beside these on the same few cores: a test fails at twice its bound. What is printed tells the truth. */
const SLACK = 2;

/** Prints the figure beside its bound. */
export function expectWithin(what: string, tookMs: number, boundMs: number): void {
  process.stdout.write(`${what}: ${tookMs} ms (bound ${boundMs} ms)\n`);
  expect(tookMs, what).toBeLessThanOrEqual(boundMs * SLACK);
}

/** Prints a figure that is not promised. */
export function tell(what: string): void {
  process.stdout.write(`${what}\n`);
}
