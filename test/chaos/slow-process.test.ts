/**
 * A process stands still (its machine swaps, its hypervisor moves it, its event loop is blocked) and then goes on as if nothing had
 * happened. Others lead meanwhile, nobody else is taken for dead, and what it says afterwards is not older than what they said.
 */
import { expect, it } from "vitest";
import { TestCluster } from "../integration/harness.ts";
import type { NodeProcess } from "../integration/node-process.ts";
import { RespClient, RespError } from "../integration/resp-client.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, LONG, Stopwatch, tell } from "./figures.ts";
import { keyPerShard, untilRead, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;
const BLOCKED_MS = 3_000;
/** SIGUSR2 blocks the event loop of a process that was started through this. */
const BLOCKABLE = [
  "env",
  `NODE_OPTIONS=--import=data:text/javascript,${encodeURIComponent(
    `process.on("SIGUSR2",()=>{const end=Date.now()+${BLOCKED_MS};while(Date.now()<end);})`,
  )}`,
];

it.each(LONG ? [1, 3, 8, 20] : [3, 15])(
  "a leader that is stopped for %i s loses its shards and answers nothing stale afterwards",
  async (seconds) => {
    const name = `stopped for ${seconds} s`;
    await expectNothingStale(name, [], seconds * 1_000, (node) => {
      node.signal("SIGSTOP");
      return () => node.signal("SIGCONT");
    });
  },
  120_000,
);

it("a leader whose event loop is blocked loses its shards and answers nothing stale afterwards", async () => {
  await expectNothingStale("blocked", BLOCKABLE, BLOCKED_MS, (node) => {
    node.signal("SIGUSR2");
    return () => {};
  });
}, 120_000);

async function expectNothingStale(
  name: string,
  via: readonly string[],
  pauseMs: number,
  pause: (node: NodeProcess) => () => void,
): Promise<void> {
  const cluster = new TestCluster();
  const stalled = cluster.launch({}, [], via);
  await stalled.untilReady();
  const healthy = [await cluster.add(), await cluster.add()];
  await cluster.untilSettled();
  await cluster.untilBalanced();
  const door = healthy[0]?.respPort ?? 0;
  await untilWritten(door, SHARDS, 10_000, "before");
  await Promise.all(cluster.nodes.map((node) => node.followEvents()));
  const [reads, writes] = [await RespClient.open(stalled.respPort), await RespClient.open(stalled.respPort)];

  const resume = pause(stalled);
  const since = new Stopwatch();
  await untilWritten(door, SHARDS, 20_000, "during");
  expectWithin(`${name}: every shard is written by the others`, since.ms, 3_000);
  // Asked after that, so an answer that does not know of it is stale. It waits in the socket until the process goes on.
  const keys = keyPerShard(SHARDS);
  const late = keys.map((key) => reads.send("GET", key));
  const lateWrites = keys.map((key) => writes.send("SET", `${key}:late`, "late"));
  await waitUntil("the pause is over", pauseMs + 20_000, () => since.ms >= pauseMs || null);
  resume();
  const resumed = new Stopwatch();
  let refused = 0;
  for (const answer of await Promise.all(late)) {
    if (answer instanceof RespError) refused++;
    else expect(answer).toBe("during");
  }
  tell(`${name}: ${refused} of ${SHARDS} late reads refused, all answered ${resumed.ms} ms after it went on`);
  const witness = await RespClient.open(door);
  for (const [shard, answer] of (await Promise.all(lateWrites)).entries()) {
    const found = await witness.ask("GET", `${keys[shard]}:late`);
    if (answer === "OK") expect(found, `acknowledged on shard ${shard}`).toBe("late");
  }
  await waitUntil("it is ready", 40_000, async () =>
    (await fetch(`http://${stalled.ready.http}/readyz`)).ok ? true : null,
  );
  expectWithin(`${name}: ready again`, resumed.ms, 15_000);
  expect(new Set(await untilRead(stalled.respPort, SHARDS, 10_000))).toEqual(new Set(["during"]));
  for (const node of cluster.nodes) {
    const buried = node.events.flatMap((event) => (event.type === "member-died" ? [event.nodeId] : []));
    for (const one of healthy)
      expect(buried, `whom ${node.label} took for dead`).not.toContain(one.ready.nodeId);
  }
  for (const client of [reads, writes, witness]) client.close();
}
