/**
 * No replica ever meets a broken invariant of its own. The production code asserts them and stops the group that meets
 * one; here that ends the run. A store that fails stops a group as well, as it should, and is no finding. A replica that
 * cannot be opened from what its disk holds (the disk has checked it) is one.
 */
import { InvariantError } from "../../base/assert.ts";
import type { GroupId } from "../../base/ids.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";

/** What only a mistake in the code throws: a broken invariant, bytes of its own that it cannot read, a slip of the language. */
const MISTAKES = [InvariantError, WireError, TypeError, RangeError, ReferenceError] as const;

export class GroupAlive implements Checker {
  readonly name = "group-alive";
  readonly #context: CheckerContext;
  /** Groups of a life that are known to have stopped. */
  readonly #stopped = new Map<Life, Set<GroupId>>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  failed(life: Life, group: RaftGroup<unknown>, error: unknown): void {
    this.#stoppedIn(life).add(group.id);
    if (!MISTAKES.some((kind) => error instanceof kind)) return;
    const { message, stack } = error as Error;
    const found = { group: group.id, error: message, stack };
    this.#context.report("a replica never meets a broken invariant", found, [life]);
  }

  after(life: Life): void {
    const { failedGroups } = life.node.groups;
    if (failedGroups.size === 0) return;
    const known = this.#stoppedIn(life);
    if (failedGroups.size === known.size) return;
    const groups = [...failedGroups].filter((group) => !known.has(group));
    for (const group of groups) known.add(group);
    this.#context.report("a replica can be opened from what its disk holds", { groups }, [life]);
  }

  ended(life: Life): void {
    this.#stopped.delete(life);
  }

  #stoppedIn(life: Life): Set<GroupId> {
    let stopped = this.#stopped.get(life);
    if (stopped === undefined) {
      stopped = new Set();
      this.#stopped.set(life, stopped);
    }
    return stopped;
  }
}
