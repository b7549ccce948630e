/**
 * The commonest accident of memory mode: the machine that founded the cluster dies and is started again by the very
 * same command, without a seed, while the others live on.
 */
import { expect, it } from "vitest";
import { CremaError, CremaNode } from "../../src/index.ts";
import { freePorts, TestCluster } from "./harness.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

it("a founder that is started again gives up its empty cluster and joins its old one under a new id", async () => {
  const cluster = new TestCluster();
  const [port, respPort] = await freePorts(2);
  const fixed = { gossip: "local", port: String(port), "resp-port": String(respPort), "dead-grace": "2s" };
  const founder = cluster.launch(fixed);
  await founder.untilReady();
  const flags = { gossip: "local", seed: founder.ready.cluster, "dead-grace": "2s" };
  const others = [cluster.launch(flags), cluster.launch(flags)];
  await Promise.all(others.map((node) => node.untilReady()));
  const before = await cluster.untilSettled();
  const client = await RespClient.open(others[0]?.respPort ?? 0);
  expect(await client.ask("SET", "kept", "value")).toBe("OK");

  await founder.kill();
  const again = cluster.launch(fixed);
  await again.untilReady();
  expect(again.ready.clusterId).not.toBe(before.clusterId);
  const healed = await waitUntil("it belongs to the old cluster", 40_000, async () => {
    const status = await again.status();
    return status.clusterId === before.clusterId ? status : null;
  });
  expect(healed.nodeId).not.toBe(again.ready.nodeId);
  expect(healed.nodeId).not.toBe(founder.ready.nodeId);
  const direct = await RespClient.open(respPort ?? 0);
  await waitUntil("it serves what the cluster holds", 20_000, async () =>
    (await direct.ask("GET", "kept")) === "value" ? true : null,
  );
  client.close();
  direct.close();
}, 90_000);

it("a node is made to join by command only while it is alone and was never written to", async () => {
  const first = await CremaNode.open({ port: 0, gossip: "local" });
  const second = await CremaNode.open({ port: 0, gossip: "local" });
  const third = await CremaNode.open({ port: 0, gossip: "local" });
  try {
    const seed = `127.0.0.1:${first.clusterAddress.port}`;
    const idBefore = second.nodeId;
    await second.join([seed]);
    expect(second.clusterId).toBe(first.clusterId);
    expect(second.nodeId).not.toBe(idBefore);
    await second.waitUntilReady(20_000);
    await second.put("key", "value");
    expect(await first.consistentGet("key")).toBe("value");
    await second.join([seed]);

    await third.put("mine", "precious");
    const refused = await third.join([seed]).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(CremaError);
    expect(refused).toMatchObject({ code: "CREMA_CLUSTER_MISMATCH" });
    expect(await third.consistentGet("mine")).toBe("precious");
  } finally {
    await Promise.all([first, second, third].map((node) => node.close()));
  }
}, 60_000);
