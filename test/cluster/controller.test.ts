import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootNonce, groupId, type NodeId, SYSTEM_GROUP, shardId } from "../../src/base/ids.ts";
import { planControl } from "../../src/cluster/controller.ts";
import { configurationOf, isMember } from "../../src/raft/configuration.ts";
import { addressOf, bootOf, identity, TICK_MS, VirtualCluster } from "./virtual-cluster.ts";
import { node, nodes, type VirtualGroup } from "./virtual-group.ts";

function clusterOf(size: number, shards = 16, options = {}): VirtualCluster {
  const cluster = new VirtualCluster(
    Array.from({ length: size }, (_, at) => identity(at + 1)),
    shards,
    options,
  );
  cluster.nowMs = 60_000;
  return cluster;
}

const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts);

function replicas(cluster: VirtualCluster, id: NodeId): number {
  return cluster.map.shards.filter(({ wanted }) => wanted.includes(id)).length;
}

function stateOf(cluster: VirtualCluster, name: number): string | undefined {
  return cluster.map.members.find(({ nodeId }) => nodeId === node(name))?.state;
}

describe("verdicts on members", () => {
  it("declare dead who has been dead in gossip for the grace, not a moment earlier", () => {
    const cluster = clusterOf(3);
    cluster.setGossip(2, "dead");
    cluster.nowMs += 9_999;
    expect(cluster.plan()).toEqual([]);
    cluster.nowMs += 1;
    expect(cluster.plan()).toEqual([
      { type: "set-member-state", nodeId: node(2), boot: bootOf(node(2)), state: "dead" },
    ]);
  });

  it("declare dead at once who left, draining or not", () => {
    const cluster = clusterOf(4);
    cluster.drain(3);
    cluster.setGossip(2, "left");
    cluster.setGossip(3, "left");
    expect(cluster.plan()).toMatchObject([
      { nodeId: node(2), state: "dead" },
      { nodeId: node(3), state: "dead" },
    ]);
  });

  it("never follow from suspicion", () => {
    const cluster = clusterOf(3);
    cluster.setGossip(2, "suspect");
    cluster.nowMs += 1e9;
    expect(cluster.plan()).toEqual([]);
  });

  it("revive the same process, and never another one", () => {
    const cluster = clusterOf(3);
    cluster.apply({ type: "set-member-state", nodeId: node(2), boot: bootOf(node(2)), state: "dead" });
    expect(cluster.plan()).toEqual([
      { type: "set-member-state", nodeId: node(2), boot: bootOf(node(2)), state: "alive" },
    ]);
    cluster.gossipOf({ ...identity(2), boot: bootNonce("00000000000000ff") }, "alive");
    expect(cluster.plan()).toEqual([]);
  });

  it("do not hit the successor of a dead process while gossip may not have heard of it", () => {
    const cluster = clusterOf(3);
    cluster.gossipOf({ ...identity(2), boot: bootNonce("00000000000000ff") }, "dead");
    cluster.nowMs += 1e6;
    cluster.membersChangedAtMs = cluster.nowMs;
    cluster.nowMs += 9_999;
    expect(cluster.plan()).toEqual([]);
  });

  it.each(["dead", "left"] as const)(
    "declare dead whose last process is %s and never told the map",
    (state) => {
      const cluster = clusterOf(3);
      cluster.gossipOf({ ...identity(2), boot: bootNonce("00000000000000ff") }, state);
      cluster.membersChangedAtMs = cluster.nowMs;
      cluster.nowMs += 10_000;
      expect(cluster.plan()).toEqual([
        { type: "set-member-state", nodeId: node(2), boot: bootOf(node(2)), state: "dead" },
      ]);
    },
  );

  it("declare dead whom gossip has not heard of for six times the grace", () => {
    const cluster = clusterOf(3);
    cluster.gossip.delete(node(3));
    cluster.membersChangedAtMs = cluster.nowMs;
    cluster.nowMs += 59_999;
    expect(cluster.plan()).toEqual([]);
    cluster.nowMs += 1;
    expect(cluster.plan()).toMatchObject([{ nodeId: node(3), state: "dead" }]);
  });

  it("take over a changed address", () => {
    const cluster = clusterOf(3);
    cluster.gossipOf({ ...identity(2), address: addressOf(99) }, "alive");
    expect(cluster.plan()).toEqual([
      { type: "update-member", member: { ...identity(2), address: addressOf(99) } },
    ]);
    cluster.tick();
    expect(cluster.plan()).toEqual([]);
  });
});

describe("growing", () => {
  it("raises one node's shards to three replicas within two seconds of the others' joining", () => {
    const cluster = clusterOf(1);
    cluster.join(identity(2));
    cluster.join(identity(3));
    const joinedMs = cluster.nowMs;
    while ([...cluster.groups.values()].some(({ configuration }) => configuration.voters.length < 3))
      cluster.tick();
    expect(cluster.nowMs - joinedMs).toBeLessThanOrEqual(2_000);
    cluster.settle();
    expect(
      spread(
        [1, 2, 3].map(
          (name) =>
            [...cluster.groups.values()].slice(1).filter((group) => group.leader === node(name)).length,
        ),
      ),
    ).toBeLessThanOrEqual(1);
    expect(cluster.map.systemVoters.length).toBe(3);
  });

  it("waits until members have not changed for the debounce time", () => {
    const cluster = clusterOf(1);
    cluster.join(identity(2));
    cluster.nowMs += 199;
    expect(cluster.plan()).toEqual([]);
    cluster.nowMs += 1;
    expect(cluster.plan().map(({ type }) => type)).toEqual(["set-placement"]);
  });

  it("moves no more shards at a time than allowed", () => {
    for (const movesMax of [1, 2, 5]) {
      const cluster = clusterOf(3, 24, { movesMax });
      cluster.join(identity(4));
      cluster.settle();
      expect(cluster.movingMax).toBe(movesMax);
      expect(replicas(cluster, node(4))).toBe(18);
    }
  });

  it("counts shards that nobody has reported as moving", () => {
    const cluster = clusterOf(3, 24);
    cluster.join(identity(4));
    cluster.nowMs += 1_000;
    const situation = cluster.situation();
    expect(planControl({ ...situation, reports: new Map() }, cluster.options)).toEqual([]);
    expect(planControl(situation, cluster.options)).toMatchObject([{ type: "set-placement" }]);
  });

  it("lets nothing move for balance while rebalancing is paused, but fills up what is short", () => {
    const cluster = clusterOf(3);
    cluster.apply({ type: "set-settings", settings: { rebalancePaused: true } });
    cluster.join(identity(4));
    cluster.settle();
    expect(replicas(cluster, node(4))).toBe(0);
    cluster.apply({ type: "set-settings", settings: { rebalancePaused: false } });
    cluster.settle();
    expect(replicas(cluster, node(4))).toBe(12);

    const short = clusterOf(2);
    short.apply({ type: "set-settings", settings: { rebalancePaused: true } });
    short.join(identity(3));
    short.settle();
    expect(replicas(short, node(3))).toBe(16);
  });
});

/** The most copies of large shards that any node was busy with at once, until all is settled; and of all nodes together. */
function copiesUntilSettled(cluster: VirtualCluster): { readonly ofNode: number; readonly all: number } {
  let [ofNode, all] = [0, 0];
  for (let quiet = 0, ticks = 0; quiet < 200; ticks++) {
    expect(ticks, "it ends").toBeLessThan(3_000);
    const { map } = cluster;
    cluster.tick();
    const busy = new Map<NodeId, number>();
    let copies = 0;
    for (const [id, { configuration, leader }] of cluster.groups) {
      const receiving = cluster.wantedOf(id).filter((wanted) => !configuration.voters.includes(wanted));
      if (id === SYSTEM_GROUP || receiving.length === 0) continue;
      copies++;
      for (const each of [leader, ...receiving]) busy.set(each, (busy.get(each) ?? 0) + 1);
    }
    ofNode = Math.max(ofNode, ...busy.values());
    all = Math.max(all, copies);
    quiet = copies === 0 && cluster.map === map ? quiet + 1 : 0;
  }
  return { ofNode, all };
}

describe("copies of large shards", () => {
  const MEBIBYTE = 1024 ** 2;
  const clusterWith = (size: number, shards: number, stateBytes: number): VirtualCluster => {
    const cluster = clusterOf(size, shards);
    for (const group of cluster.groups.values()) group.stateBytes = stateBytes;
    return cluster;
  };

  it("are two at a time for the node that joins, where small ones are as many as may move", () => {
    const large = clusterWith(3, 16, MEBIBYTE);
    large.join(identity(4));
    expect(copiesUntilSettled(large)).toEqual({ ofNode: 2, all: 2 });
    expect(replicas(large, node(4))).toBe(12);
    const small = clusterWith(3, 16, MEBIBYTE - 1);
    small.join(identity(4));
    expect(copiesUntilSettled(small)).toEqual({ ofNode: 12, all: 12 });
  });

  it("wait for those that are under way, however long they take", () => {
    const cluster = clusterWith(3, 16, MEBIBYTE);
    cluster.join(identity(4));
    cluster.nowMs += 1_000;
    for (const command of cluster.plan()) cluster.apply(command);
    expect(replicas(cluster, node(4))).toBe(2);
    cluster.nowMs += 60_000;
    expect(cluster.plan()).toEqual([]);
  });

  it("are two at a time for every node while one leaves, which many share", () => {
    const cluster = clusterWith(7, 48, MEBIBYTE);
    cluster.drain(7);
    const { ofNode, all } = copiesUntilSettled(cluster);
    expect(ofNode).toBe(2);
    expect(all).toBeGreaterThan(2);
    expect(cluster.map.members).toHaveLength(6);
  });

  it("wait for nobody where a replica is missing", () => {
    const grown = clusterWith(2, 16, MEBIBYTE);
    grown.join(identity(3));
    expect(copiesUntilSettled(grown).all).toBe(16);
    const hurt = clusterWith(4, 16, MEBIBYTE);
    hurt.setGossip(2, "dead");
    expect(copiesUntilSettled(hurt).all).toBe(12);
  });
});

describe("failure", () => {
  it("replaces the dead where there is a spare, and then removes them", () => {
    const cluster = clusterOf(4);
    cluster.setGossip(2, "dead");
    cluster.settle();
    expect(cluster.map.members.map(({ nodeId }) => nodeId)).toEqual(nodes(1, 3, 4));
    expect(cluster.map.removed).toEqual([node(2)]);
    for (const { configuration } of cluster.groups.values())
      expect(configuration.voters).toEqual(nodes(1, 3, 4));
  });

  it("keeps the dead where there is no spare, and shrinks nothing", () => {
    const cluster = clusterOf(3);
    cluster.setGossip(2, "dead");
    cluster.settle();
    expect(stateOf(cluster, 2)).toBe("dead");
    for (const { configuration, leader } of cluster.groups.values()) {
      expect(configuration.voters).toEqual(nodes(1, 2, 3));
      expect(leader).not.toBe(node(2));
    }
    cluster.join(identity(5));
    cluster.settle();
    for (const { configuration } of cluster.groups.values())
      expect(configuration.voters).toEqual(nodes(1, 3, 5));
  });

  it("takes back who returns, without moving anything", () => {
    const cluster = clusterOf(3);
    cluster.setGossip(2, "dead");
    cluster.settle();
    cluster.setGossip(2, "alive");
    cluster.settle();
    expect(stateOf(cluster, 2)).toBe("alive");
    expect(cluster.log.filter(({ type }) => type === "remove-member")).toEqual([]);
    expect(
      spread(
        [1, 2, 3].map((name) => cluster.map.shards.filter(({ wanted }) => wanted[0] === node(name)).length),
      ),
    ).toBeLessThanOrEqual(1);
  });

  it("replaces the dead although rebalancing is paused, and moves nothing else", () => {
    const cluster = clusterOf(6);
    cluster.apply({ type: "set-settings", settings: { rebalancePaused: true } });
    const before = cluster.map.shards;
    cluster.setGossip(2, "dead");
    cluster.settle();
    for (const [shard, { wanted }] of cluster.map.shards.entries()) {
      const kept = (before[shard]?.wanted ?? []).filter((id) => id !== node(2));
      expect(wanted.length).toBe(3);
      expect(wanted).toEqual(expect.arrayContaining(kept));
    }
    expect(stateOf(cluster, 2)).toBeUndefined();
  });

  it("replaces the dead before anything moves for balance", () => {
    const cluster = clusterOf(5, 32, { movesMax: 4 });
    // Only the last four shards have lost somebody, all others could be better balanced.
    const shards = cluster.map.shards.map((_, shard) => ({
      shard: shardId(shard),
      wanted: shard < 28 ? nodes(1, 3, 4) : nodes(1, 2, 3),
    }));
    cluster.apply({ type: "set-placement", shards, systemVoters: null });
    for (let tick = 0; tick < 5; tick++) cluster.beatGroups();
    cluster.setGossip(2, "dead");
    cluster.apply({ type: "set-member-state", nodeId: node(2), boot: bootOf(node(2)), state: "dead" });
    cluster.nowMs += 1_000;
    expect(cluster.plan()).toMatchObject([
      { type: "set-placement", shards: expect.arrayContaining([28, 29, 30, 31].map(withReplicas)) },
    ]);
  });

  it("adds to the goal of a shard on its way, and otherwise lets it arrive first", () => {
    const cluster = clusterOf(1, 1);
    cluster.join(identity(2));
    cluster.nowMs += 1_000;
    for (const command of cluster.plan()) cluster.apply(command);
    cluster.join(identity(3));
    cluster.nowMs += 1_000;
    expect(cluster.groups.get(groupId(1))?.configuration.voters).toEqual(nodes(1));
    for (const command of cluster.plan()) cluster.apply(command);
    expect(new Set(cluster.map.shards[0]?.wanted)).toEqual(new Set(nodes(1, 2, 3)));
  });

  it("is not held up by shards that have lost their majority", () => {
    const cluster = clusterOf(6, 40, { movesMax: 2 });
    cluster.setGossip(1, "dead");
    cluster.setGossip(2, "dead");
    for (let tick = 0; tick < 600; tick++) cluster.tick();
    for (const [id, { configuration }] of cluster.groups) {
      if (id === SYSTEM_GROUP) continue;
      const lost = configuration.voters.filter((voter) => voter === node(1) || voter === node(2)).length;
      expect(lost, `group ${id}`).not.toBe(1);
    }
  });
});

describe("draining", () => {
  it("moves everything away and then removes the member", () => {
    const cluster = clusterOf(4);
    cluster.drain(2);
    cluster.settle();
    expect(cluster.map.members.map(({ nodeId }) => nodeId)).toEqual(nodes(1, 3, 4));
    for (const { configuration } of cluster.groups.values())
      expect(configuration.voters).toEqual(nodes(1, 3, 4));
  });

  it("shrinks the groups when there is no spare", () => {
    const cluster = clusterOf(3);
    cluster.drain(2);
    cluster.settle();
    expect(cluster.map.members.map(({ nodeId }) => nodeId)).toEqual(nodes(1, 3));
    for (const { configuration } of cluster.groups.values())
      expect(configuration.voters).toEqual(nodes(1, 3));
  });

  it("takes the preferred leaderships away at once, replicas as there is room", () => {
    const cluster = clusterOf(4, 32, { movesMax: 1 });
    cluster.drain(2);
    cluster.nowMs += 1_000;
    for (const command of cluster.plan()) cluster.apply(command);
    expect(cluster.map.shards.filter(({ wanted }) => wanted[0] === node(2))).toEqual([]);
    expect(replicas(cluster, node(2))).toBeGreaterThan(20);
  });

  it("keeps the last node", () => {
    const cluster = clusterOf(1);
    cluster.drain(1);
    cluster.settle();
    expect(stateOf(cluster, 1)).toBe("draining");
  });
});

describe("removing", () => {
  it("waits until every group has been reported and names the member no more", () => {
    const cluster = clusterOf(4, 4);
    cluster.setGossip(2, "left");
    for (let tick = 0; tick < 40 && stateOf(cluster, 2) !== "dead"; tick++) cluster.tick();
    const groups = [...cluster.groups.values()];
    const named = ({ configuration }: VirtualGroup) => isMember(configuration, node(2));
    while (groups.some(named)) {
      expect(stateOf(cluster, 2)).toBe("dead");
      cluster.tick();
    }
    const removal = { type: "remove-member", nodeId: node(2) };
    const situation = cluster.situation();
    expect(planControl(situation, cluster.options)).toContainEqual(removal);
    for (const group of cluster.groups.keys()) {
      const missing = new Map(situation.reports);
      missing.delete(group);
      expect(planControl({ ...situation, reports: missing }, cluster.options)).not.toContainEqual(removal);
      // Seed 306532: an old word of a shard, from before the member became its voter.
      const old = new Map(situation.reports);
      const report = old.get(group);
      if (report === undefined) continue;
      old.set(group, { ...report, mapVersion: situation.map.placementVersion - 1 });
      expect(planControl({ ...situation, reports: old }, cluster.options)).not.toContainEqual(removal);
      for (const list of ["voters", "votersOutgoing", "learners"] as const) {
        const report = situation.reports.get(group);
        if (report === undefined) continue;
        const reports = new Map(situation.reports).set(group, {
          ...report,
          [list]: [...report[list], node(2)],
        });
        expect(planControl({ ...situation, reports }, cluster.options)).not.toContainEqual(removal);
      }
    }
  });
});

function withReplicas(shard: number) {
  return expect.objectContaining({ shard, wanted: expect.not.arrayContaining([node(2)]) });
}

type Event = {
  readonly kind: "join" | "die" | "return" | "drain" | "leave" | "suspect" | "pause";
  readonly name: number;
  readonly ticks: number;
};

const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Event["kind"]>(
      "join",
      "join",
      "die",
      "return",
      "drain",
      "leave",
      "suspect",
      "pause",
    ),
    name: fc.integer({ min: 2, max: 8 }),
    ticks: fc.integer({ min: 0, max: 150 }),
  }),
  { maxLength: 14 },
);

describe("any history of joins, deaths, returns and drains", () => {
  it("ends in peace, with every shard on as many live nodes as there can be, evenly", () => {
    fc.assert(
      fc.property(
        events,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        (history, founders, movesMax) => {
          const cluster = clusterOf(founders, 12, { movesMax });
          for (const { kind, name, ticks } of history) {
            happen(cluster, kind, name);
            for (let tick = 0; tick < ticks; tick++) cluster.tick();
          }
          // Who can come back does, so that no group is without a majority for ever.
          for (const [id, view] of cluster.gossip) {
            if (cluster.map.members.some(({ nodeId }) => nodeId === id))
              cluster.gossip.set(id, { ...view, state: "alive" });
          }
          cluster.apply({ type: "set-settings", settings: { rebalancePaused: false } });
          cluster.settle(2_000);

          const alive = cluster.map.members.filter(({ state }) => state === "alive");
          const target = Math.min(3, alive.length);
          for (const [id, group] of cluster.groups) {
            expect(group.configuration, `group ${id}`).toEqual(configurationOf(cluster.wantedOf(id)));
            expect(group.leader).toBe(cluster.wantedOf(id)[0]);
          }
          for (const { wanted } of cluster.map.shards) expect(wanted.length).toBeGreaterThanOrEqual(target);
          if (alive.length > 0) {
            expect(cluster.map.members).toEqual(alive);
            expect(spread(alive.map(({ nodeId }) => replicas(cluster, nodeId)))).toBeLessThanOrEqual(1);
            expect(
              spread(
                alive.map(
                  ({ nodeId }) => cluster.map.shards.filter(({ wanted }) => wanted[0] === nodeId).length,
                ),
              ),
            ).toBeLessThanOrEqual(1);
          }
        },
      ),
      { numRuns: 50 },
    );
  }, 60_000);

  it("leaves a content cluster alone", () => {
    const cluster = clusterOf(5);
    cluster.settle();
    const { version } = cluster.map;
    for (let tick = 0; tick < 1_000; tick++) cluster.tick();
    expect(cluster.map.version).toBe(version);
    expect(cluster.nowMs).toBeGreaterThan(1_000 * TICK_MS);
    expect(cluster.groups.get(groupId(0))?.term).toBe(1);
  });
});

function happen(cluster: VirtualCluster, kind: Event["kind"], name: number): void {
  const known = cluster.map.members.find(({ nodeId }) => nodeId === node(name));
  switch (kind) {
    case "join":
      if (known === undefined && !cluster.map.removed.includes(node(name))) cluster.join(identity(name));
      return;
    case "die":
      cluster.setGossip(name, "dead");
      return;
    case "return":
      cluster.setGossip(name, "alive");
      return;
    case "suspect":
      cluster.setGossip(name, "suspect");
      return;
    case "leave":
      cluster.setGossip(name, "left");
      return;
    case "drain":
      cluster.drain(name);
      return;
    case "pause":
      cluster.apply({ type: "set-settings", settings: { rebalancePaused: true } });
      return;
  }
}
