import { describe, expect, test } from "vitest";
import { groupOfShard, type NodeId, SYSTEM_GROUP, shardId, shardOfGroup } from "../../src/base/ids.ts";
import type { NodeEvent } from "../../src/node/door.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

const SHARDS = 4;
const OPTIONS = { shards: SHARDS, deadGraceMs: 60_000 };

type Moved = Extract<NodeEvent, { type: "shard-moved" }>;

/** What each node has said of moves. */
class Heard {
  readonly #moves = new Map<VirtualMember, Moved[]>();

  start(cluster: VirtualCluster, machine: number, seeds: readonly number[] = []): VirtualMember {
    const member = cluster.start(machine, seeds, OPTIONS);
    const moves: Moved[] = [];
    this.#moves.set(member, moves);
    member.node.events.add((event) => {
      if (event.type === "shard-moved") moves.push(event);
    });
    return member;
  }

  of(member: VirtualMember, shard: number): readonly Moved[] {
    return (this.#moves.get(member) ?? []).filter((move) => move.shard === shard);
  }

  all(member: VirtualMember): readonly Moved[] {
    return this.#moves.get(member) ?? [];
  }
}

function votersOf(cluster: VirtualCluster, shard: number): readonly NodeId[] {
  const group = groupOfShard(shardId(shard));
  const leader = cluster.living.find(({ node }) => node.groups.get(group)?.isReadyLeader === true);
  return leader?.node.groups.get(group)?.raft.configuration.voters ?? [];
}

/** Whether `member` has heard of where every shard is by now. */
function isUpToDate(cluster: VirtualCluster, heard: Heard, member: VirtualMember): boolean {
  return Array.from({ length: SHARDS }, (_, shard) => shard).every((shard) => {
    const last = heard.of(member, shard).at(-1)?.to ?? [];
    return last.join() === votersOf(cluster, shard).join();
  });
}

describe("the moves of shards", () => {
  test("are told once on every node, also on those that hold no replica, and in a chain per shard", async () => {
    const cluster = new VirtualCluster(41);
    const heard = new Heard();
    const first = heard.start(cluster, 1);
    await cluster.until(() => cluster.ready, 3_000);
    const second = heard.start(cluster, 2, [1]);
    const third = heard.start(cluster, 3, [1]);
    expect(await cluster.until(() => cluster.settledWith(3), 30_000)).toBe(true);
    expect(await cluster.until(() => isUpToDate(cluster, heard, first), 5_000)).toBe(true);
    const before = heard.all(first).length;
    const watcher = heard.start(cluster, 4, [1]);
    const others = [heard.start(cluster, 5, [1]), heard.start(cluster, 6, [1])];
    await cluster.run(20_000);
    expect(cluster.settledWith(3)).toBe(true);
    for (const member of cluster.living) {
      for (let shard = 0; shard < SHARDS; shard++) {
        const moves = heard.of(member, shard);
        for (const [at, { from, to }] of moves.entries()) {
          expect(to).not.toEqual(from);
          if (at > 0) expect(from).toEqual(moves[at - 1]?.to);
        }
        if (moves.length > 0) expect(moves.at(-1)?.to).toEqual(votersOf(cluster, shard));
      }
    }
    // Those that saw the growth from one node on have heard the same story.
    expect(heard.all(first).length).toBeGreaterThan(before);
    expect(heard.of(first, 0)[0]?.from).toEqual([first.node.nodeId]);
    const since = heard
      .all(first)
      .slice(before)
      .map((move) => JSON.stringify(move))
      .sort();
    for (const member of [second, third, watcher, ...others])
      expect(
        heard
          .all(member)
          .slice(-since.length)
          .map((move) => JSON.stringify(move))
          .sort(),
      ).toEqual(since);
    expect(first.node.metrics().counters.shard_moves_total).toBe(heard.all(first).length);
  });

  test("that were over when a node came are no news to it", async () => {
    const cluster = new VirtualCluster(42);
    const heard = new Heard();
    heard.start(cluster, 1);
    await cluster.until(() => cluster.ready, 3_000);
    for (const machine of [2, 3]) heard.start(cluster, machine, [1]);
    expect(await cluster.until(() => cluster.settledWith(3), 30_000)).toBe(true);
    await cluster.run(10_000);
    await cluster.settle(
      cluster.members[0]?.node.rebalancing.setPaused(true) ?? Promise.reject(new Error("no node")),
    );
    const late = heard.start(cluster, 4, [1]);
    await cluster.run(60_000);
    expect(late.node.gossip.rumour("move/0")).toBeDefined();
    expect(heard.all(late)).toEqual([]);
  });

  test("are told although whoever led the shard died before it could tell", async () => {
    let told = 0;
    for (let seed = 0; seed < 6; seed++) {
      const cluster = new VirtualCluster(4_300 + seed);
      const heard = new Heard();
      heard.start(cluster, 1);
      await cluster.until(() => cluster.ready, 3_000);
      for (const machine of [2, 3, 4]) heard.start(cluster, machine, [1]);
      expect(await cluster.until(() => cluster.settledWith(3), 30_000)).toBe(true);
      await cluster.run(5_000);
      const newcomer = heard.start(cluster, 5, [1]);
      const untold = () => leaderWithUntoldMove(cluster, heard, newcomer.node.nodeId);
      if (!(await cluster.until(() => untold() !== null, 10_000))) continue;
      const move = untold();
      if (move === null) throw new Error("nobody to kill");
      told++;
      cluster.kill(move.leader);
      // Long before anybody replaces the dead.
      const isTold = () =>
        cluster.living.every((member) => heard.of(member, move.shard).at(-1)?.to.join() === move.to.join());
      expect(await cluster.until(isTold, 15_000), `seed ${seed}`).toBe(true);
    }
    expect(told).toBeGreaterThan(0);
  });
});

/** Who leads a shard whose move to `newcomer` is committed and has not been told by anybody. */
function leaderWithUntoldMove(
  cluster: VirtualCluster,
  heard: Heard,
  newcomer: NodeId,
): { readonly leader: VirtualMember; readonly shard: number; readonly to: readonly NodeId[] } | null {
  for (const member of cluster.living) {
    if (member.node.nodeId === newcomer) continue;
    for (const { id, isReadyLeader, raft } of member.node.groups.groups()) {
      if (id === SYSTEM_GROUP || !isReadyLeader) continue;
      const { configuration, configurationIndex, commit } = raft.status();
      const { voters, votersOutgoing } = configuration;
      if (!voters.includes(newcomer) || votersOutgoing.length > 0 || commit < configurationIndex) continue;
      const shard = shardOfGroup(id);
      if (heard.of(member, shard).at(-1)?.to.join() !== voters.join())
        return { leader: member, shard, to: voters };
    }
  }
  return null;
}
