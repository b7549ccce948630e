/**
 * Who watches a simulated world and writes down the first broken promise: every checker listens to every life, and at the
 * end the histories of the clients are judged. What else a run demands, it tells here too.
 */
import type { CheckerOptions } from "./checkers/all-checkers.ts";
import { allCheckers, checkAtEnd } from "./checkers/all-checkers.ts";
import { Observer } from "./checkers/observer.ts";
import type { Fleet } from "./fleet.ts";
import type { Life } from "./life.ts";
import { checkHistory } from "./linearizability/check-history.ts";
import type { RunFailure } from "./run-report.ts";
import type { History } from "./workload/history.ts";

/** Lines of the story that a failure carries. */
const LAST_EVENTS = 120;

export class Judge {
  readonly #fleet: Fleet;
  /** Who tells what is done to the fleet, in the trace. */
  readonly #teller: string;
  #observer: Observer | null = null;
  /** The first one; null as long as nothing was found. */
  failure: RunFailure | null = null;

  constructor(fleet: Fleet, teller: string) {
    this.#fleet = fleet;
    this.#teller = teller;
  }

  /** Lets every checker listen to every life from now on. `ended`: who else wants to know that a life is over. */
  watch(options: CheckerOptions, ended: (life: Life) => void): void {
    const contextOf = (checker: string) => ({
      nowMs: () => this.#fleet.nowMs,
      report: (message: string, details: Readonly<Record<string, unknown>>, lives: readonly Life[]) =>
        this.fail(
          checker,
          message,
          JSON.stringify(details),
          lives.map(({ name }) => name),
        ),
    });
    const observer = new Observer(contextOf("checkers"), allCheckers(contextOf, options));
    this.#observer = observer;
    this.#fleet.observer = {
      probeFor: (life) => observer.probeFor(life),
      started: (life) => observer.started(life),
      ended: (life) => {
        observer.ended(life);
        ended(life);
      },
      after: (life) => observer.after(life),
    };
  }

  /** What is left to compare when nothing moves any more. */
  compareAtEnd(): void {
    if (this.#observer !== null) checkAtEnd(this.#observer.checkers, this.#fleet.lives);
  }

  /** Whether the history of every key is linearizable. `toleranceMs`: how early a key may expire, for clocks that drift. */
  judgeHistory(history: History, toleranceMs: number): void {
    const verdict = checkHistory(history.operations(), { toleranceMs });
    if (verdict.type === "violation")
      this.fail("linearizability", `the history of ${verdict.key} is linearizable`, verdict.explanation, []);
    else if (verdict.type === "undecided")
      this.fail(
        "linearizability",
        `the history of ${verdict.key} can be judged`,
        "too many possibilities",
        [],
      );
  }

  /** `lives`: names of those concerned; their last events are kept. Only the first failure counts. */
  fail(checker: string, message: string, details: string, lives: readonly string[]): void {
    const { trace, nowMs } = this.#fleet;
    const lastEvents = trace.lastLines([this.#teller, ...lives], LAST_EVENTS);
    this.failure ??= { checker, message, details, atMs: nowMs, lastEvents };
  }

  everybody(): readonly string[] {
    return this.#fleet.lives.map(({ name }) => name);
  }
}

/** What was thrown, with its stack, for people. */
export function describeThrown(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
