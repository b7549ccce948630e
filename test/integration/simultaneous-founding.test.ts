/**
 * Three fresh machines that know only each other, started at once by the same command, are one cluster: every time.
 */
import { expect, it } from "vitest";
import { freePorts, TestCluster } from "./harness.ts";

const TIMES = 20;

it("three nodes that name all three as seeds form one cluster, 20 times", async () => {
  const cluster = new TestCluster();
  const clusterIds = new Set<string>();
  for (let time = 0; time < TIMES; time++) {
    const ports = await freePorts(3);
    const seed = ports.map((port) => `127.0.0.1:${port}`).join(",");
    const nodes = ports.map((port) => cluster.launch({ seed, port: String(port) }));
    const ready = await Promise.all(nodes.map((node) => node.untilReady()));
    const ids = new Set(ready.map((line) => line.clusterId));
    expect([...ids], `time ${time}`).toHaveLength(1);
    for (const id of ids) clusterIds.add(id);
    const status = await nodes[time % 3]?.status();
    expect(status?.clusterId, `time ${time}`).toBe(ready[0]?.clusterId);
    await Promise.all(nodes.map((node) => node.kill()));
    // A majority founds, and each of them says aloud that the cluster is new; whoever joins has nothing to say.
    const aloud = nodes.filter(({ lines }) =>
      lines.some((line) => isColdStart(line, status?.clusterId ?? "")),
    );
    const founders = nodes.filter(({ lines }) => lines.some((line) => line.includes('"event":"founded"')));
    expect(aloud, `time ${time}`).toEqual(founders);
    expect(founders.length, `time ${time}`).toBeGreaterThanOrEqual(2);
  }
  expect(clusterIds.size).toBe(TIMES);
}, 240_000);

function isColdStart(line: string, clusterId: string): boolean {
  return line.includes('"event":"cold-start"') && line.includes('"level":"warn"') && line.includes(clusterId);
}
