/**
 * Machines that are lost for good, majorities with them, and the one command that is meant for that: real processes.
 */
import { expect, it } from "vitest";
import { groupOfShard } from "../../src/base/ids.ts";
import { loadKeyHash } from "../../src/placement/key-hash.ts";
import { crema } from "./backup-process.ts";
import { TestCluster } from "./harness.ts";
import type { NodeProcess } from "./node-process.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

const KEYS = 40;

it("crema recover tells the price, and with --force the survivors go on with what they hold", async () => {
  const cluster = new TestCluster();
  const nodes = await cluster.start(5, { gossip: "local" });
  const [survivor, other, ...victims] = nodes;
  if (survivor === undefined || other === undefined) throw new Error("five nodes were started");
  const client = await RespClient.open(survivor.respPort);
  for (let at = 0; at < KEYS; at++) expect(await client.ask("SET", `key:${at}`, `value:${at}`)).toBe("OK");
  // Quiet groups have told all their followers what is committed.
  await waitUntil("every replica has everything", 20_000, async () => {
    const quiet = await Promise.all(nodes.map(isQuiet));
    return quiet.every(Boolean) ? true : null;
  });
  await Promise.all(victims.map((victim) => victim.kill()));

  await waitUntil("a shard says that it has no majority", 30_000, async () => {
    const answers = await Promise.all(
      Array.from({ length: KEYS }, (_, at) => client.ask("GET", `key:${at}`).catch(String)),
    );
    return answers.some((answer) => String(answer).includes("has no majority")) ? true : null;
  });
  const plan = await waitUntil("gossip has given all three up", 30_000, async () => {
    const told = await crema(survivor, "recover", "--json");
    const { obstacle, lost } = JSON.parse(told.output);
    return obstacle === null && lost.length === 3 ? told.output : null;
  });
  expect(JSON.parse(plan).steps.length).toBeGreaterThan(0);
  const dry = await crema(survivor, "recover");
  expect(dry).toMatchObject({ code: 0 });
  expect(dry.output).toContain("What it costs:");

  const done = await crema(survivor, "recover", "--force");
  expect(done).toMatchObject({ code: 0 });
  await waitUntil("two nodes hold everything that is left", 30_000, async () => {
    const { members, shards } = await other.status();
    const whole = shards.every(({ leader, voters }) => leader !== null && voters.length === 2);
    return members.length === 2 && whole ? true : null;
  });
  // Exactly what the plan names is gone: the keys of shards whose every copy was on a lost machine.
  const emptied = new Set(
    JSON.parse(plan)
      .steps.filter(({ lastIndex }: { lastIndex: number }) => lastIndex === 0)
      .map(({ group }: { group: number }) => group),
  );
  const keyHash = await loadKeyHash();
  const { shardCount } = await survivor.status();
  for (let at = 0; at < KEYS; at++) {
    const key = `key:${at}`;
    const left = emptied.has(groupOfShard(keyHash.shardOf(key, shardCount))) ? null : `value:${at}`;
    expect({ key, value: await client.ask("GET", key) }).toEqual({ key, value: left });
  }
  expect(await client.ask("SET", "after", "recovery")).toBe("OK");
  expect((await crema(other, "recover")).output).toContain("there is nothing to recover");
  client.close();
}, 120_000);

async function isQuiet(node: NodeProcess): Promise<boolean> {
  const metrics = await node.httpText("/metrics");
  const gauge = (name: string): number =>
    Number(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, "m").exec(metrics)?.[1]);
  return gauge("crema_groups_quiesced") === gauge("crema_groups_hosted");
}
