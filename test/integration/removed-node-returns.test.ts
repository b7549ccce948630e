/**
 * A process that was stopped for so long that the cluster replaced it, and then goes on as if nothing had happened.
 */
import { expect, it } from "vitest";
import { TestCluster } from "./harness.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

it("a node that was given up for dead comes back under a new id and answers with what the cluster holds now", async () => {
  const cluster = new TestCluster();
  const nodes = await cluster.start(4, { gossip: "local", "dead-grace": "1s" });
  const [witness, , , sleeper] = nodes;
  if (witness === undefined || sleeper === undefined) throw new Error("four nodes were started");
  const client = await RespClient.open(witness.respPort);
  expect(await client.ask("SET", "key", "before")).toBe("OK");

  sleeper.signal("SIGSTOP");
  await waitUntil("the cluster has removed the sleeper", 40_000, async () => {
    const { members } = await witness.status();
    return members.every(({ nodeId }) => nodeId !== sleeper.ready.nodeId) ? true : null;
  });
  expect(await client.ask("SET", "key", "after")).toBe("OK");
  const terms = (await witness.status()).shards.map(({ term }) => term);
  sleeper.signal("SIGCONT");

  const back = await waitUntil("it is a member again", 40_000, async () => {
    const status = await sleeper.status();
    const self = status.members.find(({ nodeId }) => nodeId === status.nodeId);
    return status.nodeId !== sleeper.ready.nodeId && self?.state === "alive" ? status : null;
  });
  expect(back.clusterId).toBe(witness.ready.clusterId);
  const direct = await RespClient.open(sleeper.respPort);
  await waitUntil("it serves", 20_000, async () =>
    (await direct.ask("GET", "key")) === "after" ? true : null,
  );
  // Its old self disturbed nobody: terms move only because leaderships are spread anew.
  const now = (await witness.status()).shards.map(({ term }) => term);
  for (const [shard, term] of now.entries()) expect(term - (terms[shard] ?? 0)).toBeLessThanOrEqual(3);
  client.close();
  direct.close();
}, 120_000);
