/**
 * Which replica of each shard should lead: as many shards per node as its weight says, and the leader that is preferred
 * already wherever that does no harm.
 */
import { evenOut, type Movables } from "./load-balance.ts";
import { quotasOf } from "./quotas.ts";
import type { NodeIndex, ReplicaTable } from "./replica-table.ts";

/** The preferred leader of every shard, a node of the table; -1 for a shard without nodes. `previous` is what was preferred. */
export function preferredLeaders(
  table: ReplicaTable,
  weights: readonly number[],
  previous: readonly (NodeIndex | undefined)[],
): NodeIndex[] {
  const leaders: NodeIndex[] = [];
  const ledBy: Set<number>[] = weights.map(() => new Set());
  for (let shard = 0; shard < table.shards; shard++) {
    const before = previous[shard];
    const leader =
      before !== undefined && table.holds(before, shard) ? before : lightest(table, shard, ledBy, weights);
    leaders.push(leader);
    ledBy[leader]?.add(shard);
  }
  const vessels = weights.map((weight, node) => ({ zone: 0, weight, cap: table.countOf(node) }));
  evenOut(new Leaderships(table, leaders, ledBy), quotasOf(table.shards, vessels, table.shards));
  return leaders;
}

/** The node of `shard` that leads least for its weight. */
function lightest(
  table: ReplicaTable,
  shard: number,
  ledBy: readonly ReadonlySet<number>[],
  weights: readonly number[],
): NodeIndex {
  let best = -1;
  let bestLoad = Number.POSITIVE_INFINITY;
  for (const node of table.nodesOf(shard)) {
    const load = (ledBy[node]?.size ?? 0) / (weights[node] ?? 1);
    if (load < bestLoad || (load === bestLoad && node < best)) {
      best = node;
      bestLoad = load;
    }
  }
  return best;
}

class Leaderships implements Movables {
  readonly nodes: number;
  readonly #table: ReplicaTable;
  readonly #leaders: NodeIndex[];
  readonly #ledBy: readonly Set<number>[];

  constructor(table: ReplicaTable, leaders: NodeIndex[], ledBy: readonly Set<number>[]) {
    this.nodes = table.nodes;
    this.#table = table;
    this.#leaders = leaders;
    this.#ledBy = ledBy;
  }

  countOf(node: number): number {
    return this.#ledBy[node]?.size ?? 0;
  }

  itemsOf(node: number): Iterable<number> {
    return this.#ledBy[node] ?? [];
  }

  receiversOf(shard: number): readonly number[] {
    return this.#table.nodesOf(shard);
  }

  canMove(shard: number, from: number, to: number): boolean {
    return this.#leaders[shard] === from && this.#table.holds(to, shard);
  }

  preference(): number {
    return 0;
  }

  move(shard: number, from: number, to: number): void {
    this.#leaders[shard] = to;
    this.#ledBy[from]?.delete(shard);
    this.#ledBy[to]?.add(shard);
  }
}
