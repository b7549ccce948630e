/**
 * The steps by which a plan takes shape: drop what is too much, add what is missing, then be evened out. Each of them
 * prefers what costs nothing (a replica that lies there already) and otherwise what rendezvous hashing draws, so that
 * the partners of a node are spread over the whole cluster.
 */
import type { Movables } from "./load-balance.ts";
import type { PlacementMember } from "./placement-member.ts";
import type { Quota } from "./quotas.ts";
import { nodeSeed, rendezvousScore } from "./rendezvous.ts";
import type { NodeIndex, ReplicaTable } from "./replica-table.ts";

/** Above any score: such a move carries no data. */
const FREE_MOVE = 2 ** 50;
/** Above any score too: such a move takes away the preferred leader. */
const LEADER_MOVE = -(2 ** 49);

export class Replicas implements Movables {
  readonly nodes: number;
  readonly #table: ReplicaTable;
  readonly #seeds: readonly number[];
  readonly #weights: readonly number[];
  /** Where the data of each shard lies today, the preferred leader first while it is alive. */
  readonly #original: readonly (readonly NodeIndex[])[];

  /** `table` holds the replicas in force; `members` are its nodes, by index. */
  constructor(table: ReplicaTable, members: readonly PlacementMember[]) {
    this.nodes = table.nodes;
    this.#table = table;
    this.#seeds = members.map(({ id }) => nodeSeed(id));
    this.#weights = members.map(({ weight }) => weight);
    this.#original = Array.from({ length: table.shards }, (_, shard) => [...table.nodesOf(shard)]);
  }

  /** Takes out replicas beyond `target` and beyond what a zone may hold, from the fullest nodes first. */
  trim(target: number, quotas: readonly Quota[]): void {
    const table = this.#table;
    for (let shard = 0; shard < table.shards; shard++) {
      for (
        let surplus = this.#surplus(shard, target);
        surplus.length > 0;
        surplus = this.#surplus(shard, target)
      ) {
        let fullest = -1;
        let excessMax = Number.NEGATIVE_INFINITY;
        for (const node of surplus) {
          const excess = table.countOf(node) - (quotas[node]?.high ?? 0);
          // Of equals the last goes: the first is the preferred leader.
          if (excess < excessMax) continue;
          fullest = node;
          excessMax = excess;
        }
        table.remove(shard, fullest);
      }
    }
  }

  /** Brings every shard to `target` replicas: to nodes that have too little, else to who has room, else to anybody. */
  fill(target: number, quotas: readonly Quota[]): void {
    const table = this.#table;
    for (let shard = 0; shard < table.shards; shard++) {
      if (table.nodesOf(shard).length >= target) continue;
      const scores = this.#seeds.map((seed, node) => rendezvousScore(seed, shard, this.#weights[node] ?? 1));
      while (table.nodesOf(shard).length < target) {
        const node =
          this.#best(shard, scores, (at) => table.countOf(at) < (quotas[at]?.low ?? 0)) ??
          this.#best(shard, scores, (at) => table.countOf(at) < (quotas[at]?.high ?? 0)) ??
          this.#best(shard, scores, () => true);
        if (node === undefined) break;
        table.add(shard, node);
      }
    }
  }

  countOf(node: NodeIndex): number {
    return this.#table.countOf(node);
  }

  itemsOf(node: NodeIndex): Iterable<number> {
    return this.#table.shardsOf(node);
  }

  receiversOf(): null {
    return null;
  }

  canMove(shard: number, from: NodeIndex, to: NodeIndex): boolean {
    return this.#table.holds(from, shard) && this.#table.allows(shard, to, from);
  }

  preference(shard: number, from: NodeIndex, to: NodeIndex): number {
    const original = this.#original[shard] ?? [];
    const score = rendezvousScore(this.#seeds[to] ?? 0, shard, this.#weights[to] ?? 1);
    if (original.includes(to) || !original.includes(from)) return FREE_MOVE + score;
    return original[0] === from ? LEADER_MOVE + score : score;
  }

  move(shard: number, from: NodeIndex, to: NodeIndex): void {
    this.#table.remove(shard, from);
    this.#table.add(shard, to);
  }

  /** Nodes of `shard` of which one has to go; none when all is well. */
  #surplus(shard: number, target: number): readonly NodeIndex[] {
    const nodes = this.#table.nodesOf(shard);
    const { zoneOf, zoneMax } = this.#table;
    const crowded = nodes.filter((node) => {
      let inZone = 0;
      for (const other of nodes) if (zoneOf[other] === zoneOf[node]) inZone++;
      return inZone > zoneMax;
    });
    if (crowded.length > 0) return crowded;
    return nodes.length > target ? nodes : [];
  }

  #best(
    shard: number,
    scores: readonly number[],
    suits: (node: NodeIndex) => boolean,
  ): NodeIndex | undefined {
    let best: NodeIndex | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let node = 0; node < this.nodes; node++) {
      const score = scores[node] ?? 0;
      if (score <= bestScore || !suits(node) || !this.#table.allows(shard, node)) continue;
      best = node;
      bestScore = score;
    }
    return best;
  }
}
