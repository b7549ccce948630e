/**
 * The one listener of a world: passes what a life's probe hears, and the beginning, the end and the events of lives, to the
 * checkers that care. Runs after every event, so who cares is worked out once. A checker that throws is itself the
 * finding: the exception must not reach the host, which would take it for a broken invariant of the group.
 */
import type { HostProbe } from "../../host/probe.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";

/** A checker that has the method `Name`. */
type Hearing<Name extends keyof Checker> = Checker & { readonly [Key in Name]-?: NonNullable<Checker[Key]> };

export class Observer {
  readonly checkers: readonly Checker[];
  readonly #context: CheckerContext;
  readonly #started: readonly Hearing<"started">[];
  readonly #ended: readonly Hearing<"ended">[];
  readonly #after: readonly Hearing<"after">[];
  readonly #opened: readonly Hearing<"opened">[];
  readonly #ready: readonly Hearing<"ready">[];
  readonly #applied: readonly Hearing<"applied">[];
  readonly #installed: readonly Hearing<"installed">[];
  readonly #readAsked: readonly Hearing<"readAsked">[];
  readonly #removed: readonly Hearing<"removed">[];
  readonly #buried: readonly Hearing<"buried">[];
  readonly #forced: readonly Hearing<"forced">[];
  readonly #failed: readonly Hearing<"failed">[];

  /** `context`: who is told about a checker that throws. */
  constructor(context: CheckerContext, checkers: readonly Checker[]) {
    this.#context = context;
    this.checkers = checkers;
    this.#started = hearing(checkers, "started");
    this.#ended = hearing(checkers, "ended");
    this.#after = hearing(checkers, "after");
    this.#opened = hearing(checkers, "opened");
    this.#ready = hearing(checkers, "ready");
    this.#applied = hearing(checkers, "applied");
    this.#installed = hearing(checkers, "installed");
    this.#readAsked = hearing(checkers, "readAsked");
    this.#removed = hearing(checkers, "removed");
    this.#buried = hearing(checkers, "buried");
    this.#forced = hearing(checkers, "forced");
    this.#failed = hearing(checkers, "failed");
  }

  /** The probe of a life that may still be in the making: `life` is not called before the node starts. */
  probeFor(life: () => Life): HostProbe {
    return {
      opened: (group) => this.#each(this.#opened, life(), (checker) => checker.opened(life(), group)),
      ready: (group, ready) => {
        const hearer = life();
        for (const checker of this.#ready) {
          try {
            checker.ready(hearer, group, ready);
          } catch (error) {
            this.#threw(checker, hearer, error);
          }
        }
      },
      applied: (group, entry) => {
        const hearer = life();
        for (const checker of this.#applied) {
          try {
            checker.applied(hearer, group, entry);
          } catch (error) {
            this.#threw(checker, hearer, error);
          }
        }
      },
      installed: (group) =>
        this.#each(this.#installed, life(), (checker) => checker.installed(life(), group)),
      readAsked: (group, context) => {
        this.#each(this.#readAsked, life(), (checker) => checker.readAsked(life(), group, context));
      },
      removed: (group, tombstone) => {
        this.#each(this.#removed, life(), (checker) => checker.removed(life(), group, tombstone));
      },
      buried: (group, tombstone) => {
        this.#each(this.#buried, life(), (checker) => checker.buried(life(), group, tombstone));
      },
      forced: (group) => this.#each(this.#forced, life(), (checker) => checker.forced(life(), group)),
      failed: (group, error) => {
        this.#each(this.#failed, life(), (checker) => checker.failed(life(), group, error));
      },
    };
  }

  started(life: Life): void {
    this.#each(this.#started, life, (checker) => checker.started(life));
  }

  ended(life: Life): void {
    this.#each(this.#ended, life, (checker) => checker.ended(life));
  }

  after(life: Life): void {
    for (const checker of this.#after) {
      try {
        checker.after(life);
      } catch (error) {
        this.#threw(checker, life, error);
      }
    }
  }

  #each<Hearer extends Checker>(
    hearers: readonly Hearer[],
    life: Life,
    tell: (hearer: Hearer) => void,
  ): void {
    for (const hearer of hearers) {
      try {
        tell(hearer);
      } catch (error) {
        this.#threw(hearer, life, error);
      }
    }
  }

  #threw(checker: Checker, life: Life, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#context.report(`the checker ${checker.name} does not throw`, { error: text }, [life]);
  }
}

function hearing<Name extends keyof Checker>(
  checkers: readonly Checker[],
  method: Name,
): readonly Hearing<Name>[] {
  return checkers.filter((checker): checker is Hearing<Name> => checker[method] !== undefined);
}
