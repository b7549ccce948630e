/**
 * Real nodes of ours, as one settled cluster.
 */
import { join } from "node:path";
import { waitUntil } from "../wait-until.ts";
import type { Cluster } from "./cluster.ts";
import { CremaProcess } from "./crema-process.ts";
import { missingToSettle } from "./settled.ts";

const SETTLED_WITHIN_MS = 60_000;

export interface CremaOptions {
  readonly nodes: number;
  readonly shards: number;
  /** Every node gets a folder in this one and syncs each write; null: memory only. */
  readonly dataDirectory: string | null;
  /** The first node writes a profile of its processor time, and its log with a line for every collection of garbage, here; null: it does not. */
  readonly profileDirectory: string | null;
  /** Further flags of every node. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Garbage can be collected when it is wanted. @see CremaProcess.collected */
  readonly collects?: boolean;
}

export interface CremaCluster extends Cluster {
  readonly nodes: readonly CremaProcess[];
}

export async function startCrema({
  nodes: count,
  shards,
  dataDirectory,
  profileDirectory,
  flags = {},
  collects = false,
}: CremaOptions): Promise<CremaCluster> {
  const flagsOf = (number: number): Readonly<Record<string, string>> => ({
    shards: String(shards),
    ...flags,
    ...(dataDirectory === null ? {} : { "data-dir": join(dataDirectory, `node-${number}`), fsync: "always" }),
  });
  const nodes: CremaProcess[] = [];
  const close = async () => {
    await Promise.all(nodes.map(({ server }) => server.stop()));
  };
  try {
    const first = new CremaProcess("node 1", flagsOf(1), { profileDirectory, collects });
    nodes.push(first);
    const { cluster } = await first.untilReady();
    for (let number = 2; number <= count; number++)
      nodes.push(new CremaProcess(`node ${number}`, { ...flagsOf(number), seed: cluster }, { collects }));
    await Promise.all(nodes.map((node) => node.untilReady()));
    await waitUntil("the cluster is settled", SETTLED_WITHIN_MS, async () =>
      missingToSettle(await first.status(), count),
    );
    return {
      nodes,
      ports: nodes.map((node) => node.respPort),
      pids: nodes.map(({ server }) => server.pid),
      inside: null,
      expectRunning: () => nodes.forEach(({ server }) => void server.expectRunning()),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
