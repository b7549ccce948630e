/** How the map reaches the members of a fleet that is too large to be told one by one. */
import { expect, test } from "vitest";
import type { NodeId } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { encodeMap } from "../../src/cluster/cluster-codec.ts";
import type { ClusterMap } from "../../src/cluster/cluster-map.ts";
import { MAP_RUMOUR, MapSpread, type MapSpreadParts } from "../../src/cluster/map-spread.ts";
import { MapStore } from "../../src/cluster/map-store.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { identityOf, idOf, mapOf } from "./example-map.ts";

const MEMBERS = 200;
const ORIGIN = idOf(1);
const SELF = idOf(MEMBERS);

function mapAt(version: number): ClusterMap {
  const [first] = mapOf(3).members;
  if (first === undefined) throw new Error("three found it");
  const members = Array.from({ length: MEMBERS }, (_, at) => ({ ...first, ...identityOf(at + 1) }));
  return { ...mapOf(3), version, members };
}

/** A member among many. Everybody has the map `held(node)`; who is asked when is noted. */
class Listener {
  readonly clock = new VirtualClock();
  readonly store = new MapStore(() => {});
  readonly asked: { readonly node: NodeId; readonly atMs: number; readonly known: unknown }[] = [];
  readonly spread: MapSpread;
  rumoured = 1;
  /** Nobody is believed to be alive. */
  alone = false;
  held: (node: NodeId) => number = () => this.rumoured;

  constructor() {
    this.store.offer(mapAt(1));
    const members = mapAt(1).members.map(({ nodeId }) => ({ id: nodeId, state: "alive" }));
    const parts = {
      self: SELF,
      store: this.store,
      clock: this.clock.process(),
      random: new Random(1, 2),
      calls: {
        handle: () => {},
        call: async (node: NodeId, _method: string, known: unknown) => {
          this.asked.push({ node, known, atMs: this.clock.nowMs() });
          const version = this.held(node);
          return version <= Number(known) ? null : encodeMap(mapAt(version));
        },
      },
      gossip: {
        broadcast: () => {},
        members: () => (this.alone ? [] : members),
        rumour: (key: string) =>
          key === MAP_RUMOUR
            ? { version: this.rumoured, payload: new Uint8Array(0), origin: ORIGIN }
            : undefined,
      },
    };
    this.spread = new MapSpread(parts as unknown as MapSpreadParts);
  }

  hear(version: number): void {
    this.rumoured = version;
    this.spread.heardOf(version);
  }
}

test("a burst of versions is fetched with pauses, and the last one in the end", async () => {
  const listener = new Listener();
  for (let version = 2; version <= 100; version++) {
    listener.hear(version);
    await listener.clock.runFor(20);
  }
  await listener.clock.runFor(2_000);
  expect(listener.store.version).toBe(100);
  const gaps = listener.asked.slice(1).map(({ atMs }, at) => atMs - (listener.asked[at]?.atMs ?? 0));
  for (const gapMs of gaps) expect(gapMs).toBeGreaterThanOrEqual(2 * MEMBERS - 1);
  expect(listener.asked.length).toBeLessThan(10);
});

test("anybody is asked, and every other time who spread the news, so that it is found though nobody else has it", async () => {
  const listener = new Listener();
  listener.held = (node) => (node === ORIGIN ? listener.rumoured : 1);
  for (const version of [2, 3, 4]) {
    listener.hear(version);
    await listener.clock.runFor(3_000);
    expect(listener.store.version).toBe(version);
  }
  const others = listener.asked.filter(({ node }) => node !== ORIGIN);
  expect(others.length).toBeGreaterThan(0);
  expect(listener.asked.every(({ node }) => node !== SELF)).toBe(true);
});

test("what is known already is not asked for", async () => {
  const listener = new Listener();
  listener.hear(1);
  await listener.clock.runFor(5_000);
  expect(listener.asked).toEqual([]);
});

// Scenario minority-partition, seed 3008: a member that was removed while it was cut off never heard of it.
test("news that came while nobody was believed to be alive is followed up when somebody is", async () => {
  const listener = new Listener();
  listener.alone = true;
  listener.hear(2);
  await listener.clock.runFor(5_000);
  expect(listener.asked).toEqual([]);
  listener.alone = false;
  await listener.clock.runFor(1_000);
  expect(listener.store.version).toBe(2);
});

test("a map is of yesterday from the news of a newer one until that is there, or does not come", async () => {
  const listener = new Listener();
  expect(listener.spread.isBehind).toBe(false);
  listener.hear(2);
  expect(listener.spread.isBehind).toBe(true);
  await listener.clock.runFor(100);
  listener.spread.catchUp();
  expect(listener.spread.isBehind).toBe(false);

  listener.held = () => 2;
  listener.hear(3);
  listener.hear(4);
  await listener.clock.runFor(2_900);
  expect(listener.spread.isBehind).toBe(true);
  await listener.clock.runFor(200);
  expect(listener.spread.isBehind).toBe(false);
  expect(listener.store.version).toBe(2);
});

test("those whose replicas move are told directly, for their groups are led by what they know", async () => {
  const { spread, asked } = new Listener();
  const before = mapAt(1);
  const shards = before.shards.map((shard, at) =>
    at === 1 ? { ...shard, wanted: [idOf(7), idOf(8), SELF] } : shard,
  );
  const after = { ...before, version: 2, placementVersion: 2, shards };
  spread.announce(after, before);
  const told = new Set([...(before.shards[1]?.wanted ?? []), idOf(7), idOf(8)]);
  expect(new Set(asked.map(({ node }) => node))).toEqual(told);
  expect(asked).toHaveLength(told.size);
});

test("of a change that moves nothing, gossip alone tells", () => {
  const { spread, asked } = new Listener();
  spread.announce({ ...mapAt(1), version: 2 }, mapAt(1));
  spread.announce(mapAt(3), null);
  expect(asked).toEqual([]);
});
