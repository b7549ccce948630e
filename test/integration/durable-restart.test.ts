/**
 * Durable nodes that are stopped in order, one after the other, under load: nobody notices. And starts that must fail, each in
 * words that tell what to do.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DurableFleet } from "./durable-fleet.ts";
import { TestCluster } from "./harness.ts";
import { WriteLoad } from "./load.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

it("a rolling restart of durable nodes under load fails no write, and each comes back as itself", async () => {
  const fleet = await DurableFleet.start(3, { "dead-grace": "60s" });
  const load = new WriteLoad({ ports: fleet.respPorts, workers: 4, depth: 8, resend: true }).start();
  for (let member = 0; member < fleet.size; member++) {
    const before = load.acknowledgedCount;
    await waitUntil("the load runs", 20_000, () => load.acknowledgedCount > before + 300 || null);
    const { nodeId } = fleet.node(member).ready;
    expect(await fleet.stop(member)).toMatchObject({ code: 0 });
    await fleet.startStopped();
    expect(fleet.node(member).ready.nodeId).toBe(nodeId);
  }
  await load.stop();
  expect([...load.refused, ...load.unknown]).toEqual([]);
  for (const port of fleet.respPorts) expect(await load.verify(port)).toEqual([]);
}, 120_000);

it("a directory in use, of somebody else, or of a newer release is refused by name, with exit code 1", async () => {
  const fleet = await DurableFleet.start(1);
  const client = await RespClient.open(fleet.respPorts[0] ?? 0);
  await client.ask("SET", "kept", "value");
  const cluster = new TestCluster();
  const refused = async (dataDir: string, ...words: readonly string[]): Promise<void> => {
    const node = cluster.launch({ "data-dir": dataDir });
    expect(await node.exited).toMatchObject({ code: 1 });
    const last = node.lines.findLast((line) => line.includes("cannot start")) ?? "";
    for (const word of [dataDir, ...words]) expect(last).toContain(word);
  };
  await refused(fleet.dataDir(0), "CREMA_STORE_LOCKED", "another process");
  const foreign = join(fleet.root, "foreign");
  mkdirSync(foreign);
  writeFileSync(join(foreign, "thesis.txt"), "three years");
  await refused(foreign, "CREMA_STORE_FORMAT", "thesis.txt");
  const newer = join(fleet.root, "newer");
  mkdirSync(newer);
  writeFileSync(join(newer, "crema.json"), JSON.stringify({ product: "crema-node", format: 99 }));
  await refused(newer, "CREMA_STORE_FORMAT", "format 99");
  expect(await client.ask("GET", "kept")).toBe("value");
  client.close();
}, 60_000);

it("a node whose log is damaged puts it aside, and joins its cluster again under a new id", async () => {
  const fleet = await DurableFleet.start(3, { "dead-grace": "1s" });
  const client = await RespClient.open(fleet.respPorts[0] ?? 0);
  for (let key = 0; key < 100; key++) await client.ask("SET", `key:${key}`, String(key));
  const { nodeId } = fleet.node(2).ready;
  await fleet.kill([2]);
  // In the middle of what was confirmed, and in a header or a part of LevelDB's own.
  fleet.overwriteLog(2, 10, Buffer.from("damage"));
  await fleet.startStopped();
  const node = fleet.node(2);
  expect(node.ready.nodeId).not.toBe(nodeId);
  expect(node.lines.some((line) => line.includes("is damaged, and records follow it"))).toBe(true);
  expect(node.lines.some((line) => line.includes(join(fleet.dataDir(2), "archive")))).toBe(true);
  const through = await RespClient.open(fleet.respPorts[2] ?? 0);
  for (let key = 0; key < 100; key++) expect(await through.ask("GET", `key:${key}`)).toBe(String(key));
  through.close();
  client.close();
}, 90_000);
