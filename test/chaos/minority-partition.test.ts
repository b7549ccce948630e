/**
 * A node that is cut off from the majority stops leading, and says so to whoever asks; when the cut heals, it follows without
 * an election.
 */
import { expect } from "vitest";
import type { NodeProcess } from "../integration/node-process.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, Stopwatch, tell } from "./figures.ts";
import { HostFleet } from "./host-fleet.ts";
import { itOnHosts } from "./hosts.ts";
import { askEveryShard, refusals, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;

itOnHosts(
  "a cut-off leader steps down, refuses what it cannot know, and follows again without an election",
  async () => {
    const { fleet, nodes } = await HostFleet.start(3);
    const [alone, other] = nodes;
    if (alone === undefined || other === undefined) throw new Error("three nodes were started");
    await untilWritten(other.ready.resp, SHARDS, 10_000, "before");
    const before = (await other.status()).shards;
    const led = before.filter(({ leader }) => leader === alone.ready.nodeId);
    expect(led.length).toBeGreaterThan(0);
    await alone.followEvents();

    fleet.hosts.split([0], [1, 2]);
    const cut = new Stopwatch();
    const lastWords = askEveryShard(alone.ready.resp, SHARDS, (key) => ["SET", key, "unheard"]);
    await waitUntil(
      "it leads nothing",
      15_000,
      () => led.every(({ shard }) => hasResigned(alone, shard)) || null,
    );
    expectWithin("minority: the leader alone has stepped down everywhere", cut.ms, 2_000);
    await untilWritten(other.ready.resp, SHARDS, 15_000, "during");
    expectWithin("minority: every shard is written by the majority", cut.ms, 3_000);

    const reads = await askEveryShard(alone.ready.resp, SHARDS, (key) => ["GET", key]);
    for (const answers of [await lastWords, reads]) {
      expect(refusals(answers).filter((text) => /^(CLUSTERDOWN|TIMEOUT) /.test(text))).toHaveLength(SHARDS);
      tell(
        `minority: refused after ${Math.min(...answers.map(({ tookMs }) => tookMs))} .. ${Math.max(...answers.map(({ tookMs }) => tookMs))} ms`,
      );
    }
    expectWithin("minority: reads are refused", Math.max(...reads.map(({ tookMs }) => tookMs)), 1_000);

    const during = (await other.status()).shards;
    for (const event of alone.events) {
      if (event.type === "leader-changed" && event.group > 0)
        expect(event.term, `term of group ${event.group}`).toBe(before[event.group - 1]?.term);
    }
    fleet.hosts.heal();
    const healed = new Stopwatch();
    await waitUntil("it is ready again", 30_000, async () =>
      (await fetch(`http://${alone.ready.http}/readyz`)).ok ? true : null,
    );
    tell(`minority: ready ${healed.ms} ms after the cut healed`);
    const after = await fleet.cluster.untilSettled();
    for (const { shard, term, leader } of after.shards) {
      // Leaderships are spread evenly again, each handed over in one new term; nothing else raises a term.
      const handedOver = leader === during[shard]?.leader ? 0 : 1;
      expect(term - (during[shard]?.term ?? 0), `terms of shard ${shard}`).toBe(handedOver);
    }
    for (const { value } of await askEveryShard(alone.ready.resp, SHARDS, (key) => ["GET", key]))
      expect(value).toBe("during");
  },
  90_000,
);

function hasResigned(node: NodeProcess, shard: number): boolean {
  return node.events.some(
    (event) =>
      event.type === "leader-changed" && event.group === shard + 1 && event.leader !== node.ready.nodeId,
  );
}
