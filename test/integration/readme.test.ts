/**
 * The README's three terminals, typed as they stand there, on other ports.
 */
import { expect, it } from "vitest";
import { readSource } from "../architecture/imports.ts";
import { freePorts, TestCluster } from "./harness.ts";
import { RespClient } from "./resp-client.ts";

it("the three terminals of the README are one cluster that answers as shown", async () => {
  const byHand = /## By hand[\s\S]*?\n## /.exec(readSource("README.md"))?.[0] ?? "";
  const lines = [...byHand.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) =>
    (match[1] ?? "").trim().split("\n"),
  );
  const starts = lines.filter((line) => line.startsWith("npx crema-node"));
  const requests = lines.filter((line) => line.startsWith("redis-cli"));
  expect([starts.length, requests.length]).toEqual([3, 2]);

  // Every port of the README stands for a free one; the first line relies on the defaults.
  const documented = ["7946", "7947", "7948", "6380", "6381", "6382", "7980", "7981", "7982"];
  const free = await freePorts(documented.length);
  const onFreePorts = (line: string) =>
    documented.reduce((text, port, index) => text.replaceAll(port, String(free[index])), line);
  const cluster = new TestCluster();
  for (const line of starts) {
    const written = line.includes("--port") ? line : `${line} --port 7946 --resp-port 6380 --http-port 7980`;
    const words = onFreePorts(written).split(" ").slice(2);
    const node = cluster.launch({ port: "", "resp-port": "", "http-port": "" }, words);
    await node.untilReady();
  }
  expect(new Set(cluster.nodes.map((node) => node.ready.clusterId)).size).toBe(1);

  const replies: unknown[] = [];
  for (const line of requests) {
    const [, , port, ...command] = onFreePorts(line).split(" ");
    const client = await RespClient.open(Number(port));
    replies.push(await client.ask(...command));
    client.close();
  }
  expect(replies).toEqual(["OK", "Alice"]);
});
