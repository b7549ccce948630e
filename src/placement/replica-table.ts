/**
 * Who holds which shard, while a plan is being made: both directions at once, and the rules that a placement must never
 * break. A replica may only be put where `allows` says so; everything else is a matter of balance.
 */
import { assert } from "../base/assert.ts";

/** A node as the planner sees it: an index into its list. */
export type NodeIndex = number;

export class ReplicaTable {
  readonly shards: number;
  readonly nodes: number;
  /** Zone of each node: 0, 1, 2, ... */
  readonly zoneOf: readonly number[];
  /** Most replicas of one shard in one zone. */
  readonly zoneMax: number;
  readonly #nodesOf: NodeIndex[][];
  readonly #shardsOf: Set<number>[];

  constructor(shards: number, zoneOf: readonly number[], zoneMax: number) {
    this.shards = shards;
    this.nodes = zoneOf.length;
    this.zoneOf = zoneOf;
    this.zoneMax = zoneMax;
    this.#nodesOf = Array.from({ length: shards }, () => []);
    this.#shardsOf = Array.from({ length: zoneOf.length }, () => new Set());
  }

  /** Nodes of `shard`, in the order in which they were added. */
  nodesOf(shard: number): readonly NodeIndex[] {
    return this.#nodesOf[shard] ?? [];
  }

  shardsOf(node: NodeIndex): ReadonlySet<number> {
    return this.#shardsOf[node] ?? new Set();
  }

  countOf(node: NodeIndex): number {
    return this.#shardsOf[node]?.size ?? 0;
  }

  holds(node: NodeIndex, shard: number): boolean {
    return this.#shardsOf[node]?.has(shard) ?? false;
  }

  /** Whether `node` may join `shard`, once `leaving` has left it (-1: nobody leaves). */
  allows(shard: number, node: NodeIndex, leaving: NodeIndex = -1): boolean {
    if (this.holds(node, shard)) return false;
    const zone = this.zoneOf[node];
    let inZone = 0;
    for (const other of this.nodesOf(shard)) if (other !== leaving && this.zoneOf[other] === zone) inZone++;
    return inZone < this.zoneMax;
  }

  /** Takes over a replica that exists, even where no new one would be allowed. */
  adopt(shard: number, node: NodeIndex): void {
    assert(!this.holds(node, shard), "replicas of a shard are on distinct nodes", { shard, node });
    this.#nodesOf[shard]?.push(node);
    this.#shardsOf[node]?.add(shard);
  }

  add(shard: number, node: NodeIndex): void {
    assert(this.allows(shard, node), "a replica goes only where it may", { shard, node });
    this.adopt(shard, node);
  }

  remove(shard: number, node: NodeIndex): void {
    const nodes = this.#nodesOf[shard] ?? [];
    const at = nodes.indexOf(node);
    assert(at >= 0, "only a replica that exists is removed", { shard, node });
    nodes.splice(at, 1);
    this.#shardsOf[node]?.delete(shard);
  }
}
