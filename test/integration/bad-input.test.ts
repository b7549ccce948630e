/**
 * Wrong flags, wrong neighbours and garbage: a clear word, and nothing harmed.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createConnection, createServer } from "node:net";
import { expect, it } from "vitest";
import { Random } from "../../src/base/random.ts";
import { freePorts, TestCluster } from "./harness.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

it.each([
  [{ port: "x" }, [], 2, "--port: 'x' is not an integer 0 .. 65535"],
  [{ seed: "nowhere:0" }, [], 2, "--seed: 'nowhere:0' is not host:port"],
  [{}, ["--sed", "a:1"], 2, "unknown flag --sed; did you mean --seed?"],
  [{ host: "0.0.0.0" }, [], 2, "--insecure"],
])("crema-node %j %j ends with exit code 2 and says why", async (flags, extra, code, message) => {
  const node = new TestCluster().launch(flags, extra);
  expect(await node.exited).toEqual({ code, signal: null });
  expect(node.lines.join("\n")).toContain(message);
});

it.each(["port", "resp-port", "http-port"])(
  "a taken --%s is named together with the flag, and ends the node",
  async (flag) => {
    const holder = createServer();
    holder.listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    if (address === null || typeof address === "string") throw new Error("the holder is not listening");
    const node = new TestCluster().launch({ [flag]: String(address.port) });
    expect(await node.exited).toEqual({ code: 1, signal: null });
    holder.close();
    const said = node.lines.join("\n");
    expect(said).toContain(String(address.port));
    expect(said).toContain(`--${flag}`);
  },
);

it("a node whose seed does not answer says so once, never founds, and joins when the seed appears", async () => {
  const cluster = new TestCluster();
  const [seedPort] = await freePorts(1);
  const node = cluster.launch({ seed: `127.0.0.1:${seedPort}` });
  const complaints = () =>
    node.lines.filter((line) => line.includes('"level":"warn"') && line.includes("cannot be reached"));
  await waitUntil("the node complains", 10_000, () => (complaints().length > 0 ? true : null));
  // It must go on trying without repeating itself: watched over more than the founding delay.
  const watchedUntilMs = performance.now() + 4_000;
  await waitUntil("some time has passed", 10_000, () => {
    if (complaints().length > 1) throw new Error("said it twice");
    return performance.now() > watchedUntilMs ? true : null;
  });
  expect(complaints()).toHaveLength(1);
  expect(node.lines.join("\n")).not.toMatch(/founded|crema-node ready/);

  const seed = cluster.launch({ port: String(seedPort) });
  const [joined, founded] = await Promise.all([node.untilReady(), seed.untilReady()]);
  expect(joined.clusterId).toBe(founded.clusterId);
});

it("a node waiting for its seed ends in order at SIGTERM", async () => {
  const cluster = new TestCluster();
  const [seedPort] = await freePorts(1);
  const node = cluster.launch({ seed: `127.0.0.1:${seedPort}` });
  await waitUntil("the node has started", 10_000, () => (node.lines.length > 0 ? true : null));
  expect(await node.terminate()).toEqual({ code: 0, signal: null });
});

it("founders that were given different seeds refuse each other and show both lists", async () => {
  const cluster = new TestCluster();
  const [left, right, absent] = (await freePorts(3)).map(String);
  const seeds = (ports: readonly (string | undefined)[]) =>
    ports.map((port) => `127.0.0.1:${port}`).join(",");
  const nodes = [
    cluster.launch({ port: left ?? "", seed: seeds([left, right]) }),
    cluster.launch({ port: right ?? "", seed: seeds([left, right, absent]) }),
  ];
  for (const node of nodes) {
    await waitUntil(`${node.label} shows both lists`, 20_000, () =>
      node.lines.some(
        (line) => line.includes(`127.0.0.1:${absent}`) && line.split(`127.0.0.1:${left}`).length > 2,
      )
        ? true
        : null,
    );
    expect(node.lines.join("\n")).not.toMatch(/founding cluster|crema-node ready"/);
  }
});

it("two clusters that meet stay two, and say so", async () => {
  const cluster = new TestCluster();
  const [left, right] = [cluster.launch(), cluster.launch()];
  await Promise.all([left.untilReady(), right.untilReady()]);
  // Both hold something, so neither may be dissolved.
  for (const node of [left, right]) {
    const client = await RespClient.open(node.respPort);
    expect(await client.ask("SET", "mine", node.label)).toBe("OK");
    client.close();
  }
  await Promise.all([left.followEvents(), right.followEvents()]);
  const refused = await fetch(`http://${left.ready.http}/admin/join`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ seeds: [right.ready.cluster] }),
  });
  expect(refused.ok).toBe(false);
  expect(await refused.json()).toMatchObject({ code: "CREMA_CLUSTER_MISMATCH" });
  // A third node that names both belongs to one of them, and greets the other.
  await cluster.launch({ seed: `${left.ready.cluster},${right.ready.cluster}` }).untilReady();
  await waitUntil("the conflict is told", 20_000, () =>
    [...left.events, ...right.events].some(({ type }) => type === "cluster-conflict") ? true : null,
  );
  for (const node of [left, right]) {
    expect((await node.status()).clusterId).toBe(node.ready.clusterId);
    const client = await RespClient.open(node.respPort);
    expect(await client.ask("GET", "mine")).toBe(node.label);
    client.close();
  }
});

it("garbage on every port harms nobody", async () => {
  const cluster = new TestCluster();
  const nodes = await cluster.start(3);
  const target = nodes[1];
  if (target === undefined) throw new Error("no node was started");
  const random = new Random(3, 4);
  const garbage = (bytes: number) => Buffer.from(Array.from({ length: bytes }, () => random.nextBelow(256)));
  for (const address of [target.ready.cluster, target.ready.resp, target.ready.http]) {
    const port = Number(address.split(":").at(-1));
    for (const bytes of [1, 100, 5_000]) await throwAt(port, garbage(bytes));
    await throwAt(port, Buffer.from([0xff, 0xff, 0xff, 0xff, ...garbage(64)]));
  }
  const socket = createSocket("udp4");
  const clusterPort = Number(target.ready.cluster.split(":").at(-1));
  for (let count = 0; count < 200; count++) {
    await new Promise<void>((resolve) =>
      socket.send(garbage(random.nextBetween(1, 1_400)), clusterPort, "127.0.0.1", () => resolve()),
    );
  }
  socket.close();

  const client = await RespClient.open(target.respPort);
  expect(await client.ask("SET", "alive", "yes")).toBe("OK");
  client.close();
  await cluster.untilSettled();
  expect(target.exit).toBeNull();
});

/** Sends `bytes`, ends the sending side and waits until the other side has closed too. */
async function throwAt(port: number, bytes: Buffer): Promise<void> {
  const socket = createConnection({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  socket.resume();
  socket.end(bytes);
  await once(socket, "close");
}
