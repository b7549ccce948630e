/**
 * No replica ever meets a broken invariant of its own. The production code asserts them and stops the group that meets
 * one; here that ends the run. A store that fails stops a group as well, as it should, and is no finding.
 */
import { InvariantError } from "../../base/assert.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";

/** What only a mistake in the code throws: a broken invariant, bytes of its own that it cannot read, a slip of the language. */
const MISTAKES = [InvariantError, WireError, TypeError, RangeError, ReferenceError] as const;

export class GroupAlive implements Checker {
  readonly name = "group-alive";
  readonly #context: CheckerContext;

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  failed(life: Life, group: RaftGroup<unknown>, error: unknown): void {
    if (!MISTAKES.some((kind) => error instanceof kind)) return;
    const { message, stack } = error as Error;
    const found = { group: group.id, error: message, stack };
    this.#context.report("a replica never meets a broken invariant", found, [life]);
  }
}
