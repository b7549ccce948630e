/**
 * Networks that are neither whole nor in two: one direction fails, or only one node reaches everybody. Wherever a majority is
 * connected, every shard gets a leader.
 */
import { expect } from "vitest";
import { expectWithin, LONG, Stopwatch, tell } from "./figures.ts";
import { HostFleet } from "./host-fleet.ts";
import { itOnHosts } from "./hosts.ts";
import { untilWritten } from "./shard-witness.ts";

const SHARDS = 8;
const DEADLINE_MS = 40_000;
/** How long a partition lasts at least. */
const PARTITION_MS = LONG ? 30_000 : 2_000;
/** Long enough to show that the one in the middle does not go on handing leaderships to those that cannot keep them. */
const STAR_MS = LONG ? 60_000 : 8_000;
/** Terms that a shard may go through in that time. Where leaderships flap it is two each second or so. */
const STAR_TERMS_MAX = LONG ? 24 : 9;

itOnHosts(
  "of three, a mute leader, a deaf leader and the ends of a bridge are led by whom a majority hears",
  async () => {
    const { fleet, nodes } = await HostFleet.start(3, { shards: String(SHARDS) });
    const door = nodes[1]?.ready.resp ?? "";
    await expectServed("mute", fleet, door, () => {
      fleet.hosts.cutOneWay(0, 1);
      fleet.hosts.cutOneWay(0, 2);
    });
    await expectServed("deaf", fleet, door, () => {
      fleet.hosts.cutOneWay(1, 0);
      fleet.hosts.cutOneWay(2, 0);
    });
    await expectServed("bridge of three", fleet, door, () => fleet.hosts.cut(0, 2));
  },
  180_000,
);

itOnHosts(
  "of five, the one that alone reaches a majority leads, and a bridge between two pairs is served",
  async () => {
    const { fleet, nodes } = await HostFleet.start(5, { shards: String(SHARDS), "replication-factor": "5" });
    const door = nodes[2]?.ready.resp ?? "";
    await expectServed("bridge of five", fleet, door, () => fleet.hosts.split([0, 1], [3, 4]));
    const rim = [0, 1, 3, 4];
    const cutRim = () => {
      for (const one of rim) for (const other of rim) if (one < other) fleet.hosts.cut(one, other);
    };
    const terms = (await fleet.node(2).status()).shards.map(({ term }) => term);
    await expectServed("star of five", fleet, door, cutRim, STAR_MS);
    const after = (await fleet.node(2).status()).shards.map(({ term }, shard) => term - (terms[shard] ?? 0));
    tell(`star of five: terms since the cut ${after.join(" ")}`);
    expect(Math.max(...after)).toBeLessThanOrEqual(STAR_TERMS_MAX);
  },
  180_000,
);

/** Every shard takes writes through `door` soon after the cut, and goes on to, and the fleet is whole again after it. */
async function expectServed(
  name: string,
  fleet: HostFleet,
  door: string,
  cut: () => void,
  leastMs = PARTITION_MS,
): Promise<void> {
  await untilWritten(door, SHARDS, DEADLINE_MS, "before");
  cut();
  const since = new Stopwatch();
  await untilWritten(door, SHARDS, DEADLINE_MS, "first");
  expectWithin(`${name}: every shard is written`, since.ms, 5_000);
  let longestMs = 0;
  let rounds = 0;
  while (since.ms < leastMs) {
    const wait = new Stopwatch();
    await untilWritten(door, SHARDS, DEADLINE_MS, `round ${rounds++}`);
    longestMs = Math.max(longestMs, wait.ms);
  }
  tell(`${name}: ${rounds} more rounds of writes, the longest ${longestMs} ms`);
  fleet.hosts.heal();
  const healed = new Stopwatch();
  await fleet.cluster.untilSettled();
  await fleet.cluster.untilBalanced(90_000);
  tell(`${name}: whole again ${healed.ms} ms after the cut healed`);
}
