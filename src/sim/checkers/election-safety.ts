/**
 * At most one leader per group and term, over all history and all lives. A replica is counted the moment it takes the
 * role, whether or not anybody hears of it. @see Raft Figure 3, Election Safety
 */
import type { GroupId } from "../../base/ids.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";

export class ElectionSafety implements Checker {
  readonly name = "election-safety";
  readonly #context: CheckerContext;
  /** By group, by term: who led. */
  readonly #leaders = new Map<GroupId, Map<number, Life>>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  after(life: Life): void {
    for (const { id, raft } of life.node.groups.groups()) {
      if (raft.role === "leader") this.#leads(life, id, raft.term);
    }
  }

  #leads(life: Life, group: GroupId, term: number): void {
    let terms = this.#leaders.get(group);
    if (terms === undefined) {
      terms = new Map();
      this.#leaders.set(group, terms);
    }
    const other = terms.get(term);
    if (other === undefined) terms.set(term, life);
    else if (other !== life) {
      this.#context.report("a term has one leader", { group, term, leaders: [other.name, life.name] }, [
        other,
        life,
      ]);
    }
  }
}
