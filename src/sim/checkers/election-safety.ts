/**
 * At most one leader per group and term, over all history and all lives. A replica is counted as soon as its core tells that
 * it leads, before anything of that has left the node and whether or not anybody ever hears of it.
 * @see Raft Figure 3, Election Safety
 */
import type { RaftGroup } from "../../host/raft-group.ts";
import type { Ready } from "../../raft/ready.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { PerGroup } from "./per-replica.ts";

export class ElectionSafety implements Checker {
  readonly name = "election-safety";
  readonly #context: CheckerContext;
  /** By term: who led. */
  readonly #leaders = new PerGroup<Map<number, Life>>(() => new Map());

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  ready(life: Life, group: RaftGroup<unknown>, { leadership }: Ready): void {
    if (leadership?.role !== "leader") return;
    const { term } = leadership;
    const leaders = this.#leaders.of(life, group.id);
    const other = leaders.get(term);
    if (other === undefined) leaders.set(term, life);
    else if (other !== life) {
      const found = { group: group.id, term, leaders: [other.name, life.name] };
      this.#context.report("a term has one leader", found, [other, life]);
    }
  }
}
