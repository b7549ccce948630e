import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../src/base/ids.ts";
import type { PlacementMember } from "../../src/placement/placement-member.ts";
import { planReplicas, type ReplicaPlan } from "../../src/placement/plan.ts";

function id(number: number): NodeId {
  // Scattered, so that the order of ids is not the order of creation.
  return nodeId(
    (((BigInt(number) + 1n) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn).toString(16).padStart(16, "0"),
  );
}

function member(number: number, options: Partial<Omit<PlacementMember, "id">> = {}): PlacementMember {
  return { id: id(number), zone: "", weight: 1, state: "alive", ...options };
}

function fleet(count: number, zones = 1): PlacementMember[] {
  return Array.from({ length: count }, (_, number) => member(number, { zone: `zone-${number % zones}` }));
}

function plan(
  members: readonly PlacementMember[],
  current: ReplicaPlan = [],
  shards = 16,
  replicationFactor = 3,
) {
  return planReplicas({ shards, replicationFactor, members, current });
}

function counts(of: ReplicaPlan, members: readonly PlacementMember[]): number[] {
  return tally(of.flat(), members);
}

function leads(of: ReplicaPlan, members: readonly PlacementMember[]): number[] {
  return tally(
    of.flatMap((nodes) => nodes[0] ?? []),
    members,
  );
}

/** How often each member is named. */
function tally(names: readonly NodeId[], members: readonly PlacementMember[]): number[] {
  const numbers = new Map<NodeId, number>();
  for (const name of names) numbers.set(name, (numbers.get(name) ?? 0) + 1);
  return members.map((m) => numbers.get(m.id) ?? 0);
}

function spread(numbers: readonly number[]): number {
  return Math.max(...numbers) - Math.min(...numbers);
}

/** Replicas of `after` whose data has to be copied. */
function moves(before: ReplicaPlan, after: ReplicaPlan): number {
  return after.reduce(
    (sum, nodes, shard) => sum + nodes.filter((n) => !before[shard]?.includes(n)).length,
    0,
  );
}

const alive = (members: readonly PlacementMember[]) => members.filter(({ state }) => state === "alive");

describe("planReplicas", () => {
  it("puts every shard on as many distinct nodes as the replication factor says", () => {
    for (const nodes of plan(fleet(7))) expect(new Set(nodes).size).toBe(3);
  });

  it("puts every shard on every node while there are fewer nodes than the factor", () => {
    expect(plan(fleet(1)).every((nodes) => nodes.length === 1)).toBe(true);
    expect(plan(fleet(2)).every((nodes) => nodes.length === 2)).toBe(true);
  });

  it("gives no replicas when there are no members", () => {
    expect(plan([], [], 2)).toEqual([[], []]);
  });

  it("is even in replicas and in preferred leaders, whatever the numbers", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 7 }),
        (nodes, shards, factor) => {
          const members = fleet(nodes);
          const planned = plan(members, [], shards, factor);
          expect(spread(counts(planned, members))).toBeLessThanOrEqual(1);
          expect(spread(leads(planned, members))).toBeLessThanOrEqual(1);
          for (const list of planned) expect(new Set(list).size).toBe(Math.min(factor, nodes));
        },
      ),
      { numRuns: 100 },
    );
  });

  it("keeps replicas of a shard in distinct zones while zones suffice, and even then loads are even", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 100 }),
        (zones, perZone, shards) => {
          const members = fleet(zones * perZone, zones);
          const zoneOf = new Map(members.map((m) => [m.id, m.zone]));
          const planned = plan(members, [], shards, 3);
          for (const nodes of planned) expect(new Set(nodes.map((n) => zoneOf.get(n))).size).toBe(3);
          expect(spread(counts(planned, members))).toBeLessThanOrEqual(1);
          expect(spread(leads(planned, members))).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("pulls replicas apart that have come to share a zone, though all loads are even", () => {
    const members = [0, 1, 2, 3].map((number) => member(number, { zone: number < 2 ? "a" : "b" }));
    const together = Array.from({ length: 8 }, (_, shard) => (shard < 4 ? [id(0), id(1)] : [id(2), id(3)]));
    for (const nodes of plan(members, together, 8, 2)) {
      expect(nodes.filter((node) => node === id(0) || node === id(1))).toHaveLength(1);
    }
  });

  it("uses every zone when there are fewer zones than replicas", () => {
    const members = [member(0, { zone: "a" }), ...[1, 2, 3, 4, 5].map((n) => member(n, { zone: "b" }))];
    for (const nodes of plan(members)) expect(nodes).toContain(id(0));
    // The one node of zone a is full; the others share the rest evenly.
    expect(spread(counts(plan(members), members.slice(1)))).toBeLessThanOrEqual(1);
  });

  it("is even within each zone when zones have unequal numbers of nodes", () => {
    const sizes = { a: 1, b: 3, c: 7 };
    let number = 0;
    const members = Object.entries(sizes).flatMap(([zone, size]) =>
      Array.from({ length: size }, () => member(number++, { zone })),
    );
    const planned = plan(members, [], 64, 3);
    for (const zone of Object.keys(sizes)) {
      const inZone = members.filter((m) => m.zone === zone);
      expect(spread(counts(planned, inZone))).toBeLessThanOrEqual(1);
      expect(counts(planned, inZone).reduce((sum, count) => sum + count, 0)).toBe(64);
    }
  });

  it("loads nodes in proportion to their weights, to less than one replica", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 16, maxLength: 30 }),
        fc.integer({ min: 1, max: 150 }),
        (weights, shards) => {
          const members = weights.map((weight, number) => member(number, { weight }));
          const sum = weights.reduce((total, weight) => total + weight, 0);
          const planned = plan(members, [], shards, 3);
          for (const [at, count] of counts(planned, members).entries()) {
            expect(Math.abs(count - (shards * 3 * (weights[at] ?? 0)) / sum)).toBeLessThan(1 + 1e-5);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("places nothing on a node of weight zero while others can hold it", () => {
    const members = [...fleet(3), member(3, { weight: 0 })];
    expect(counts(plan(members), members)).toEqual([16, 16, 16, 0]);
    expect(plan([member(0, { weight: 0 })], [], 2)).toEqual([[id(0)], [id(0)]]);
  });

  it("does not depend on the order of members", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...fleet(9, 2).keys()], { minLength: 9 }), (order) => {
        const members = fleet(9, 2);
        expect(plan(order.map((at) => members[at] as PlacementMember))).toEqual(plan(members));
      }),
    );
  });

  it("changes nothing when nothing has changed", () => {
    for (const members of [fleet(1), fleet(2), fleet(5), fleet(10, 3), fleet(7, 2)]) {
      const planned = plan(members);
      expect(plan(members, planned)).toEqual(planned);
    }
  });

  it("moves to a new node its share and not one replica more", () => {
    for (let nodes = 3; nodes <= 30; nodes++) {
      const before = plan(fleet(nodes), [], 64);
      const after = plan(fleet(nodes + 1), before, 64);
      expect(moves(before, after)).toBeLessThanOrEqual(Math.ceil((64 * 3) / (nodes + 1)));
      expect(spread(counts(after, fleet(nodes + 1)))).toBeLessThanOrEqual(1);
    }
  });

  it("moves off a dead node what it held and nothing else", () => {
    for (let nodes = 4; nodes <= 20; nodes++) {
      const before = plan(fleet(nodes), [], 64);
      const members = fleet(nodes).map((m, at) => (at === 1 ? { ...m, state: "dead" as const } : m));
      const after = plan(members, before, 64);
      const lost = before.filter((list) => list.includes(id(1))).length;
      expect(moves(before, after)).toBe(lost);
      expect(after.flat()).not.toContain(id(1));
    }
  });

  it("leaves a preferred leader in place where that is even enough", () => {
    for (let nodes = 3; nodes <= 20; nodes++) {
      const before = plan(fleet(nodes), [], 60);
      const after = plan(fleet(nodes + 1), before, 60);
      const changed = after.filter((list, shard) => list[0] !== before[shard]?.[0]).length;
      // Its share for the new node, and as much again along chains at the very most.
      expect(changed).toBeLessThanOrEqual(2 * Math.ceil(60 / (nodes + 1)));
    }
  });

  it("keeps a dead replica in its place while nobody can replace it", () => {
    const before = plan(fleet(3));
    const members = fleet(3).map((m, at) => (at === 0 ? { ...m, state: "dead" as const } : m));
    for (const nodes of plan(members, before)) {
      expect(nodes).toHaveLength(3);
      expect(nodes.at(-1)).toBe(id(0));
    }
    for (const nodes of plan([...members, member(3)], plan(members, before)))
      expect(nodes).not.toContain(id(0));
  });

  it("drops a draining node at once, also below the replication factor", () => {
    const before = plan(fleet(3));
    const members = fleet(3).map((m, at) => (at === 0 ? { ...m, state: "draining" as const } : m));
    for (const nodes of plan(members, before)) expect([...nodes].sort()).toEqual([id(1), id(2)].sort());
  });

  it("keeps a draining node that the live majority needs", () => {
    const before = plan(fleet(3));
    const states = ["alive", "draining", "dead"] as const;
    const members = fleet(3).map((m, at) => ({ ...m, state: states[at] ?? "alive" }));
    for (const nodes of plan(members, before)) expect(nodes).toEqual([id(0), id(1), id(2)]);
  });

  it("moves nothing when nobody is alive", () => {
    const before = plan(fleet(4));
    const gone = fleet(4).map((m) => ({ ...m, state: "draining" as const }));
    expect(plan(gone, before)).toEqual(before);
  });

  it("never prefers a leader that is dead or draining when another replica exists", () => {
    const before = plan(fleet(3));
    for (const state of ["dead", "draining"] as const) {
      const members = fleet(3).map((m, at) => (at === 2 ? { ...m, state } : m));
      for (const nodes of plan(members, before)) expect(nodes[0]).not.toBe(id(2));
    }
  });

  it("forgets nodes that are no longer members", () => {
    const before = plan(fleet(3));
    for (const nodes of plan(fleet(2), before)) expect([...nodes].sort()).toEqual([id(0), id(1)].sort());
  });

  it("refuses senseless arguments", () => {
    expect(() => plan(fleet(1), [], 0)).toThrow(RangeError);
    expect(() => plan(fleet(1), [], 4_097)).toThrow(RangeError);
    expect(() => plan(fleet(1), [], 1, 8)).toThrow(RangeError);
    expect(() => plan([member(1), member(1)])).toThrow(/listed twice/);
    expect(() => plan([member(1, { weight: Number.NaN })])).toThrow(/weight/);
  });

  it("stays sound and even through any sequence of joins, deaths, drains, removals and changes of zone", () => {
    const step = fc.record({
      kind: fc.constantFrom("join", "die", "drain", "remove", "revive", "reweigh", "rezone"),
      pick: fc.nat(1_000),
      zone: fc.nat(3),
      weight: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 48 }),
        fc.integer({ min: 1, max: 5 }),
        (steps, shards, factor) => {
          let members = [member(0)];
          let next = 1;
          let current: ReplicaPlan = [];
          for (const { kind, pick, zone, weight } of steps) {
            const at = pick % Math.max(1, members.length);
            if (kind === "join") members = [...members, member(next++, { zone: `zone-${zone}`, weight })];
            else if (kind === "remove")
              members = members.filter((_, index) => index !== at || members.length === 1);
            else if (kind === "reweigh")
              members = members.map((m, index) => (index === at ? { ...m, weight } : m));
            else if (kind === "rezone") {
              members = members.map((m, index) => (index === at ? { ...m, zone: `zone-${zone}` } : m));
            } else {
              const state = kind === "die" ? "dead" : kind === "drain" ? "draining" : "alive";
              members = members.map((m, index) => (index === at ? { ...m, state } : m));
            }
            const planned = plan(members, current, shards, factor);
            checkSound(planned, current, members, shards, factor);
            expect(plan(members, planned, shards, factor), "the plan of a plan is itself").toEqual(planned);
            current = planned;
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    ["a cold start of 1,000 nodes in one zone", fleet(1_000), [] as ReplicaPlan],
    ["a cold start of 1,000 nodes in 7 zones", fleet(1_000, 7), [] as ReplicaPlan],
    ["1,000 nodes joining one", fleet(1_000, 3), Array.from({ length: 4_096 }, () => [id(0)])],
  ])("plans 4,096 shards with bounded work: %s", (_, members, current) => {
    const planned = plan(members, current, 4_096, 3);
    expect(spread(counts(planned, members))).toBeLessThanOrEqual(1);
    expect(spread(leads(planned, members))).toBeLessThanOrEqual(1);
  });
});

/** What must hold of every plan, however it came about. */
function checkSound(
  planned: ReplicaPlan,
  before: ReplicaPlan,
  members: readonly PlacementMember[],
  shards: number,
  factor: number,
): void {
  const live = alive(members);
  const states = new Map(members.map((m) => [m.id, m.state]));
  const target = Math.min(factor, live.length);
  expect(planned).toHaveLength(shards);
  for (const [shard, nodes] of planned.entries()) {
    expect(new Set(nodes).size).toBe(nodes.length);
    expect(nodes.length).toBeGreaterThanOrEqual(1);
    expect(nodes.every((node) => states.has(node))).toBe(true);
    if (live.length === 0) continue;
    const liveNodes = nodes.filter((node) => states.get(node) === "alive");
    expect(liveNodes).toHaveLength(target);
    expect(states.get(nodes[0] as NodeId)).toBe("alive");
    const zones = nodes.flatMap((node) => live.find((m) => m.id === node)?.zone ?? []);
    expect(new Set(zones).size).toBe(Math.min(target, new Set(live.map((m) => m.zone)).size));
    const others = nodes.filter((node) => states.get(node) !== "alive");
    for (const node of others) expect(before[shard]).toContain(node);
    if (target === factor) expect(others).toEqual([]);
  }
  if (live.length === 0) return;
  const sameWeight = new Set(live.map((m) => m.weight)).size === 1;
  const sameZone = new Set(live.map((m) => m.zone)).size === 1;
  if (!sameWeight || !sameZone) return;
  expect(spread(counts(planned, live))).toBeLessThanOrEqual(1);
  expect(spread(leads(planned, live))).toBeLessThanOrEqual(1);
}
