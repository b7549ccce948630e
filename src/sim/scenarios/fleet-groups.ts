/**
 * Every Raft group of a fleet as somebody sees it who can look into all machines at once: who leads, who votes, in which term.
 */
import { type GroupId, groupId, type NodeId, shardOfGroup } from "../../base/ids.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import type { Fleet, FleetLife } from "../fleet.ts";

const KEYS_TRIED_MAX = 10_000;

export class FleetGroups {
  readonly #fleet: Fleet;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** The system group and every shard's. */
  get groups(): readonly GroupId[] {
    const shards = Math.max(0, ...this.#fleet.lives.map(({ node }) => node.control.map?.shardCount ?? 0));
    return Array.from({ length: shards + 1 }, (_, group) => groupId(group));
  }

  /** A key of the shard that `group` is of, which no client uses. */
  keyOf(group: GroupId): string {
    const router = this.#fleet.lives.find(({ node }) => node.control.map !== null)?.node.router;
    for (let tag = 0; tag < KEYS_TRIED_MAX; tag++) {
      const key = `script-${tag}`;
      if (router?.shardOf(key) === shardOfGroup(group)) return key;
    }
    throw new Error(`no key leads to group ${group}`);
  }

  replica(life: FleetLife, group: GroupId): RaftGroup<unknown> | undefined {
    return life.node.groups.get(group);
  }

  /** Who leads and serves `group`: of several the one in the latest term. */
  leaderOf(group: GroupId, among: readonly FleetLife[] = this.#fleet.lives): FleetLife | null {
    let found: FleetLife | null = null;
    let foundTerm = -1;
    for (const life of among) {
      const replica = this.replica(life, group);
      if (life.process.paused || replica?.isReadyLeader !== true || replica.raft.term <= foundTerm) continue;
      found = life;
      foundTerm = replica.raft.term;
    }
    return found;
  }

  /** The first of `groups` that nobody of `among` leads, for people; null when all are led. */
  leaderless(groups: readonly GroupId[], among: readonly FleetLife[] = this.#fleet.lives): string | null {
    const without = groups.filter((group) => this.leaderOf(group, among) === null);
    return without.length === 0 ? null : `nobody leads group ${without.join(", ")}`;
  }

  /** Some replica of `group` counts on its host to tell it that its leader is gone. */
  isAsleep(group: GroupId): boolean {
    return this.#fleet.lives.some((life) => this.replica(life, group)?.raft.status().quiesced === true);
  }

  /** The latest term of every group, of all who run. */
  terms(): ReadonlyMap<GroupId, number> {
    return new Map(
      this.groups.map((group) => {
        const terms = this.#fleet.lives.map((life) => this.replica(life, group)?.raft.term ?? 0);
        return [group, Math.max(0, ...terms)];
      }),
    );
  }

  /** The voters of `group` as its leader has them; empty when nobody leads. */
  votersOf(group: GroupId): readonly NodeId[] {
    const leader = this.leaderOf(group);
    return leader === null ? [] : (this.replica(leader, group)?.raft.configuration.voters ?? []);
  }
}
