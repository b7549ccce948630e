/**
 * Three real nodes of ours, started as a user starts them.
 */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import type { ClusterStatus } from "../../../src/index.ts";
import { waitUntil } from "../wait-until.ts";
import type { Cluster } from "./cluster.ts";
import { ServerProcess } from "./server-process.ts";
import { missingToSettle } from "./settled.ts";

const NODES = 3;
const READY_WITHIN_MS = 30_000;
const SETTLED_WITHIN_MS = 60_000;

interface ReadyLine {
  readonly cluster: string;
  readonly resp: string;
  readonly http: string;
}

export interface CremaOptions {
  /** Every node gets a folder in this one and syncs each write; null: memory only. */
  readonly dataDirectory: string | null;
  /** The first node writes a profile of its processor time, and its log with a line for every collection of garbage, here; null: it does not. */
  readonly profileDirectory: string | null;
}

export async function startCrema(options: CremaOptions): Promise<Cluster> {
  const nodes: CremaProcess[] = [];
  const close = async () => {
    await Promise.all(nodes.map(({ server }) => server.stop()));
  };
  try {
    const first = new CremaProcess(1, null, options);
    nodes.push(first);
    const { cluster, http } = await first.untilReady();
    for (let number = 2; number <= NODES; number++) nodes.push(new CremaProcess(number, cluster, options));
    const ready = await Promise.all(nodes.map((node) => node.untilReady()));
    await waitUntil("the cluster is settled", SETTLED_WITHIN_MS, async () => {
      const response = await fetch(`http://${http}/status`, { signal: AbortSignal.timeout(5_000) });
      const status = (await response.json()) as ClusterStatus;
      return missingToSettle(status, NODES);
    });
    return {
      ports: ready.map(({ resp }) => Number(resp.split(":").at(-1))),
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

class CremaProcess {
  readonly server: ServerProcess;
  #ready: ReadyLine | null = null;

  constructor(number: number, seed: string | null, { dataDirectory, profileDirectory }: CremaOptions) {
    const profiled = number === 1 ? profileDirectory : null;
    const log = profiled === null ? null : createWriteStream(join(profiled, "node-1.log"), { flags: "a" });
    const flags: Readonly<Record<string, string>> = {
      port: "0",
      "resp-port": "0",
      "http-port": "0",
      "drain-timeout": "0",
      "log-format": "json",
      ...(seed === null ? {} : { seed }),
      ...(dataDirectory === null
        ? {}
        : { "data-dir": join(dataDirectory, `node-${number}`), fsync: "always" }),
    };
    const argv = [
      ...(profiled === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiled}`, "--trace-gc"]),
      "dist/cli/crema-node.js",
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
      "--exit-with-parent",
    ];
    this.server = new ServerProcess(`node ${number}`, process.execPath, argv, {
      channel: true,
      onLine: (line) => {
        log?.write(`${line}\n`);
        if (this.#ready === null && line.includes('"crema-node ready"')) this.#ready = JSON.parse(line);
      },
    });
  }

  async untilReady(): Promise<ReadyLine> {
    await waitUntil(`${this.server.label} is ready`, READY_WITHIN_MS, () => {
      this.server.expectRunning();
      return this.#ready === null ? "no ready line" : null;
    });
    return this.#ready as unknown as ReadyLine;
  }
}
