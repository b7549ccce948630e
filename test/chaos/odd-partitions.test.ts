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
const ELECTED_WITHIN_MS = 5_000;
const DEADLINE_MS = 40_000;

itOnHosts(
  "a leader whose words reach nobody, although it hears everybody, is replaced",
  async () => {
    const { fleet, nodes } = await HostFleet.start(3, { shards: String(SHARDS) });
    await expectServed("one way", fleet, nodes[1]?.ready.resp, () => {
      fleet.hosts.cutOneWay(0, 1);
      fleet.hosts.cutOneWay(0, 2);
    });
  },
  120_000,
);

itOnHosts(
  "a leader that hears nobody, although everybody hears it, is replaced",
  async () => {
    const { fleet, nodes } = await HostFleet.start(3, { shards: String(SHARDS) });
    await expectServed("deaf", fleet, nodes[1]?.ready.resp, () => {
      fleet.hosts.cutOneWay(1, 0);
      fleet.hosts.cutOneWay(2, 0);
    });
  },
  120_000,
);

itOnHosts(
  "two nodes that reach only a third, not each other, still have it for a majority",
  async () => {
    const { fleet, nodes } = await HostFleet.start(3, { shards: String(SHARDS) });
    await expectServed("bridge of three", fleet, nodes[1]?.ready.resp, () => fleet.hosts.cut(0, 2));
  },
  120_000,
);

itOnHosts(
  "a node that alone reaches the four others leads, whoever led before",
  async () => {
    const { fleet, nodes } = await HostFleet.start(5, { shards: String(SHARDS), "replication-factor": "5" });
    await expectServed("star of five", fleet, nodes[2]?.ready.resp, () => {
      const rim = [0, 1, 3, 4];
      for (const one of rim) for (const other of rim) if (one < other) fleet.hosts.cut(one, other);
    });
  },
  120_000,
);

itOnHosts(
  "two pairs that are joined by a fifth node only are served through it",
  async () => {
    const { fleet, nodes } = await HostFleet.start(5, { shards: String(SHARDS), "replication-factor": "5" });
    await expectServed("bridge of five", fleet, nodes[2]?.ready.resp, () =>
      fleet.hosts.split([0, 1], [3, 4]),
    );
  },
  120_000,
);

async function expectServed(
  name: string,
  fleet: HostFleet,
  door: string | undefined,
  cut: () => void,
): Promise<void> {
  if (door === undefined) throw new Error("the node was not started");
  await untilWritten(door, SHARDS, DEADLINE_MS, "before");
  cut();
  const since = new Stopwatch();
  await untilWritten(door, SHARDS, DEADLINE_MS, "during");
  tell(`${name}: served ${since.ms}`);
  await new Promise((r) => setTimeout(r, 5000));
  const again = new Stopwatch();
  await untilWritten(door, SHARDS, DEADLINE_MS, "later");
  tell(`${name}: served again ${again.ms}`);
  tell(JSON.stringify((await fleet.node(2).status()).shards.map((s) => [s.leader?.slice(0, 4), s.term])));
  fleet.hosts.heal();
  const healed = new Stopwatch();
  await fleet.cluster.untilSettled();
  tell(`${name}: settled ${healed.ms}`);
}
