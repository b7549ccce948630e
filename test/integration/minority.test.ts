/**
 * A node that is cut off from the majority says that it cannot serve; it never answers from memory what it cannot know.
 */
import { expect, it } from "vitest";
import { TestCluster } from "./harness.ts";
import { RespClient, RespError } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

it("the last of three nodes refuses writes and linearizable reads, and still reads its own copy when asked to", async () => {
  const cluster = new TestCluster();
  const [survivor, second, third] = await cluster.start(3);
  if (survivor === undefined) throw new Error("no node was started");
  const client = await RespClient.open(survivor.respPort);
  expect(await client.ask("SET", "known", "before")).toBe("OK");
  // Acknowledged is what a majority holds: whether this node is part of it, it may learn a moment later.
  const reader = await RespClient.open(survivor.respPort);
  expect(await reader.ask("READONLY")).toBe("OK");
  await waitUntil("the node's own copy holds the value", 10_000, async () =>
    (await reader.ask("GET", "known")) === "before" ? true : null,
  );
  reader.close();
  await Promise.all([second?.kill(), third?.kill()]);

  const [write, read] = await Promise.all([
    client.send("SET", "known", "after"),
    client.send("GET", "known"),
  ]);
  expect(write).toBeInstanceOf(RespError);
  expect(read).toBeInstanceOf(RespError);
  expect(write instanceof RespError ? write.message : "").toMatch(/^(CLUSTERDOWN|TIMEOUT) /);
  expect(read instanceof RespError ? read.message : "").toMatch(/^(CLUSTERDOWN|TIMEOUT) /);

  expect(await client.ask("READONLY")).toBe("OK");
  expect(await client.ask("GET", "known")).toBe("before");
  await waitUntil("the node says that it is not ready", 20_000, async () =>
    (await fetch(`http://${survivor.ready.http}/readyz`)).status === 503 ? true : null,
  );
  client.close();
}, 60_000);
