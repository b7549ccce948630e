/**
 * Taking nodes out for good: from inside a program, from another node, and by a command that waits for the end.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { CremaNode, formatAddress, type NodeOptions } from "../../src/index.ts";
import { ROOT } from "../architecture/imports.ts";
import { TestCluster } from "./harness.ts";
import { waitUntil } from "./wait-until.ts";

const OPTIONS = { port: 0, gossip: "local", shards: 4 } as const;

async function open(options: Partial<NodeOptions> = {}): Promise<CremaNode> {
  const node = await CremaNode.open({ ...OPTIONS, ...options });
  onTestFinished(() => node.close());
  return node;
}

async function openFleet(count: number): Promise<readonly CremaNode[]> {
  const first = await open();
  const seeds = [formatAddress(first.clusterAddress)];
  const others = await Promise.all(Array.from({ length: count - 1 }, () => open({ seeds })));
  const nodes = [first, ...others];
  await waitUntil("all replicas are in place", 30_000, async () => {
    const { shards } = await first.status();
    const full = ({ voters, learners }: (typeof shards)[number]) =>
      voters.length === Math.min(3, count) && learners.length === 0;
    return shards.every(full) ? true : null;
  });
  return nodes;
}

describe("drain", () => {
  it("takes another member out, with all it held, and then it is closed", async () => {
    const [first, second, third] = await openFleet(3);
    if (first === undefined || second === undefined || third === undefined) throw new Error("no nodes");
    await waitUntil("it is safe to stop one", 20_000, async () =>
      (await first.unsafeToStopReason()) === null ? true : null,
    );
    for (let key = 0; key < 40; key++) await first.put(`key:${key}`, String(key));
    await second.drain(first.nodeId);
    expect(
      second
        .members()
        .map(({ nodeId }) => nodeId)
        .sort(),
    ).toEqual([second.nodeId, third.nodeId].sort());
    for (let key = 0; key < 40; key++) expect(await third.consistentGet(`key:${key}`)).toBe(String(key));
    expect(await second.unsafeToStopReason()).toBe("of two nodes both are needed for a majority");
    await first.leave();
    await expect(first.put("late", "1")).rejects.toMatchObject({ code: "CREMA_CLOSED" });
  }, 60_000);

  it("without an id takes this node out, and is over when it is closed", async () => {
    const [first, second] = await openFleet(2);
    if (first === undefined || second === undefined) throw new Error("no nodes");
    await first.put("kept", "value");
    await Promise.all([first.drain(), first.drain(first.nodeId)]);
    await expect(first.put("late", "1")).rejects.toMatchObject({ code: "CREMA_CLOSED" });
    expect(second.members()).toHaveLength(1);
    expect(await second.consistentGet("kept")).toBe("value");
    await first.drain();
  }, 60_000);

  it("refuses what is no node id and who is no member, and tells when it takes too long", async () => {
    const [first, second] = await openFleet(2);
    if (first === undefined || second === undefined) throw new Error("no nodes");
    await expect(first.drain("5f3a")).rejects.toThrow(TypeError);
    await expect(first.drain("00000000000000aa")).rejects.toMatchObject({ code: "CREMA_UNREACHABLE" });
    expect(first.members()).toHaveLength(2);
    await expect(first.drain(second.nodeId, 0)).rejects.toMatchObject({
      code: "CREMA_TIMEOUT",
      retryable: true,
    });
    await waitUntil("it goes on by itself", 30_000, () => (first.members().length === 1 ? true : null));
  }, 60_000);

  it("of a node that cannot reach a majority is an error, and the node goes on", async () => {
    const first = await open({ requestTimeoutMs: 1_500 });
    const seeds = [formatAddress(first.clusterAddress)];
    const second = await open({ seeds, deadGraceMs: 600_000 });
    const third = await open({ seeds, deadGraceMs: 600_000 });
    await waitUntil("the system group has three voters", 30_000, async () =>
      (await first.status()).system.voters.length === 3 ? true : null,
    );
    await Promise.all([second.close(), third.close()]);
    await expect(first.drain()).rejects.toMatchObject({ code: "CREMA_NO_LEADER", retryable: true });
    expect(first.members().some(({ self, state }) => self && state === "alive")).toBe(true);
  }, 60_000);
});

describe("crema leave --wait", () => {
  it("returns when the node at --http has left, and the others do not count on it any more", async () => {
    const cluster = new TestCluster();
    const nodes = await cluster.start(4, { gossip: "local" });
    const [first, , , last] = nodes;
    if (first === undefined || last === undefined) throw new Error("no nodes");
    expect(await crema("leave", "--wait", "60s", "--http", last.ready.http)).toBe("OK\n");
    expect((await first.status()).members.map(({ nodeId }) => nodeId)).not.toContain(last.ready.nodeId);
    expect(await last.exited).toMatchObject({ code: 0 });

    const [, second] = nodes;
    if (second === undefined) throw new Error("no nodes");
    expect(await crema("leave", second.ready.nodeId, "--wait", "60s", "--http", first.ready.http)).toBe(
      "OK\n",
    );
    expect(await second.exited).toMatchObject({ code: 0 });
    await cluster.untilSettled();
  }, 120_000);

  it("takes the last node's word for it: its doors close when it has left", async () => {
    const cluster = new TestCluster();
    const [only] = await cluster.start(1);
    if (only === undefined) throw new Error("no node");
    expect(await crema("leave", "--wait", "30s", "--http", only.ready.http)).toBe("OK\n");
    expect(await only.exited).toMatchObject({ code: 0 });
  }, 60_000);
});

async function crema(...argv: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [`${ROOT}dist/cli/crema.js`, ...argv], {
    timeout: 90_000,
  });
  return stdout;
}
