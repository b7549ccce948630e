/**
 * A Redis primary with its replicas. Only the primary takes writes; `WAIT 1` makes one of them wait for a replica.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "../../support/free-ports.ts";
import { askOnce } from "../load/ask-once.ts";
import { waitUntil } from "../wait-until.ts";
import type { Cluster } from "./cluster.ts";
import { ServerProcess } from "./server-process.ts";

const READY_WITHIN_MS = 30_000;

export interface RedisOptions {
  /** Every node appends each write to a file and syncs it; else there is nothing on disk. */
  readonly durable: boolean;
  readonly replicas: number;
}

export async function startRedis(
  program: string,
  dataDirectory: string,
  { durable, replicas }: RedisOptions,
): Promise<Cluster> {
  const ports = await freePorts(1 + replicas);
  const [primary = 0] = ports;
  const servers = ports.map((port, at) => {
    const directory = join(dataDirectory, `node-${at + 1}`);
    mkdirSync(directory);
    const settings: readonly (readonly string[])[] = [
      ["port", String(port)],
      ["bind", "127.0.0.1"],
      ["dir", directory],
      ["save", ""],
      ["loglevel", "warning"],
      ["repl-diskless-sync-delay", "0"],
      ["appendonly", durable ? "yes" : "no"],
      ["appendfsync", "always"],
      // The file may grow: to write it anew meanwhile would disturb.
      ["auto-aof-rewrite-percentage", "0"],
      ...(at === 0 ? [] : [["replicaof", "127.0.0.1", String(primary)]]),
    ];
    const argv = settings.flatMap(([name, ...values]) => [`--${name}`, ...values]);
    return new ServerProcess(`redis ${at + 1}`, program, argv);
  });
  const close = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const expectRunning = () => servers.forEach((server) => void server.expectRunning());
  try {
    await waitUntil("the primary has its replicas", READY_WITHIN_MS, async () => {
      expectRunning();
      const info = await askOnce(primary, 2_000, "INFO", "replication");
      const online = info.match(/state=online/g)?.length ?? 0;
      return online === replicas ? null : `${online} replicas`;
    });
    return { ports: [primary], pids: servers.map(({ pid }) => pid), inside: null, expectRunning, close };
  } catch (error) {
    await close();
    throw error;
  }
}
