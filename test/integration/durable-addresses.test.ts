/**
 * Machines that keep their disks and change their addresses, all at once: pods of a stateful set after the cluster was down.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { freePorts, TestCluster } from "./harness.ts";
import type { NodeProcess } from "./node-process.ts";
import { waitUntil } from "./wait-until.ts";

it("three durable nodes that were all killed come back at three other addresses with everything", async ({
  skip,
}) => {
  if (process.platform !== "linux") skip("this system has one loopback address");
  const root = mkdtempSync(join(tmpdir(), "crema-moved-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [port] = await freePorts(1);
  const cluster = new TestCluster();
  const launch = (network: number): readonly NodeProcess[] => {
    const hosts = [1, 2, 3].map((machine) => `127.66.${network}.${machine}`);
    const seed = hosts.map((host) => `${host}:${port}`).join(",");
    return hosts.map((host, at) =>
      cluster.launch({ host, port: String(port), seed, "data-dir": join(root, String(at)) }),
    );
  };

  const before = launch(1);
  await Promise.all(before.map((node) => node.untilReady()));
  await cluster.untilSettled();
  const ids = before.map(({ ready }) => ready.nodeId);
  expect(await ask(before[0], "PUT", "Alice")).toBe("204 ");
  await Promise.all(before.map((node) => node.kill()));

  const after = launch(2);
  await Promise.all(after.map((node) => node.untilReady()));
  await cluster.untilSettled();
  expect(after.map(({ ready }) => ready.nodeId)).toEqual(ids);
  const expected = after.map(({ ready }) => ready.cluster).sort();
  // Groups are led before the map has heard of all the new addresses.
  await waitUntil("the map has the new addresses", 15_000, async () => {
    const status = await after[0]?.status();
    const addresses = status?.members.map(({ address }) => address).sort();
    return JSON.stringify(addresses) === JSON.stringify(expected) ? true : null;
  });
  for (const node of after) expect(await ask(node, "GET")).toBe("200 Alice");
}, 90_000);

async function ask(node: NodeProcess | undefined, method: "GET" | "PUT", body?: string): Promise<string> {
  const response = await fetch(`http://${node?.ready.http}/kv/user:1`, {
    method,
    ...(body === undefined ? {} : { body }),
  });
  return `${response.status} ${await response.text()}`;
}
