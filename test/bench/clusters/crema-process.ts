/**
 * One real node of ours, started as a user starts it.
 */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import type { ClusterStatus, RebalanceStatus } from "../../../src/index.ts";
import { waitUntil } from "../wait-until.ts";
import { COLLECTED_LINE } from "./collected-line.ts";
import { ServerProcess } from "./server-process.ts";

const READY_WITHIN_MS = 30_000;
const COLLECTED_WITHIN_MS = 60_000;
const ANSWERED_WITHIN_MS = 5_000;

interface ReadyLine {
  readonly nodeId: string;
  readonly cluster: string;
  readonly resp: string;
  readonly http: string;
}

export interface ProcessOptions {
  /** It leaves a profile of its processor time there, and its log with a line for every collection of garbage. */
  readonly profileDirectory?: string | null;
  /** Whether {@link CremaProcess.collectGarbage} can be called. */
  readonly collects?: boolean;
}

export class CremaProcess {
  readonly server: ServerProcess;
  #ready: ReadyLine | null = null;
  #collections = 0;

  /** `flags` as on its command line, without dashes. */
  constructor(
    label: string,
    flags: Readonly<Record<string, string>>,
    { profileDirectory = null, collects = false }: ProcessOptions = {},
  ) {
    const log =
      profileDirectory === null
        ? null
        : createWriteStream(join(profileDirectory, "node-1.log"), { flags: "a" });
    const defaults = {
      port: "0",
      "resp-port": "0",
      "http-port": "0",
      "drain-timeout": "0",
      "log-format": "json",
    };
    const argv = [
      ...(profileDirectory === null
        ? []
        : ["--cpu-prof", `--cpu-prof-dir=${profileDirectory}`, "--trace-gc"]),
      ...(collects
        ? ["--expose-gc", "--import", new URL("./collect-on-signal.js", import.meta.url).href]
        : []),
      "dist/cli/crema-node.js",
      ...Object.entries({ ...defaults, ...flags }).flatMap(([name, value]) => [`--${name}`, value]),
      "--exit-with-parent",
    ];
    this.server = new ServerProcess(label, process.execPath, argv, {
      channel: true,
      onLine: (line) => {
        log?.write(`${line}\n`);
        if (line === COLLECTED_LINE) this.#collections++;
        if (this.#ready === null && line.includes('"crema-node ready"')) this.#ready = JSON.parse(line);
      },
    });
  }

  /** What it said when it was ready. Throws before. */
  get ready(): ReadyLine {
    if (this.#ready === null) throw new Error(`${this.server.label} is not ready`);
    return this.#ready;
  }

  get respPort(): number {
    return Number(this.ready.resp.split(":").at(-1));
  }

  async untilReady(): Promise<ReadyLine> {
    await waitUntil(`${this.server.label} is ready`, READY_WITHIN_MS, () => {
      this.server.expectRunning();
      return this.#ready === null ? "no ready line" : null;
    });
    return this.ready;
  }

  async status(): Promise<ClusterStatus> {
    return (await (await this.#ask("/status")).json()) as ClusterStatus;
  }

  async rebalanceStatus(): Promise<RebalanceStatus> {
    return (await (await this.#ask("/rebalance")).json()) as RebalanceStatus;
  }

  /** What its metrics page says now, by the full name of the sample. The reader throws for a name that is not there. */
  async metrics(): Promise<(name: string) => number> {
    const page = await (await this.#ask("/metrics")).text();
    return (name) => {
      const line = page.split("\n").find((candidate) => candidate.startsWith(`${name} `));
      if (line === undefined) throw new Error(`${this.server.label} has no metric ${name}`);
      return Number(line.slice(name.length));
    };
  }

  /** Orders something of the node; `path` with what the HTTP door takes there. */
  async order(path: string, body: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.#ask(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** Resolves when all garbage is collected. */
  async collectGarbage(): Promise<void> {
    const before = this.#collections;
    this.server.signal("SIGUSR2");
    await waitUntil(`${this.server.label} has collected its garbage`, COLLECTED_WITHIN_MS, () => {
      this.server.expectRunning();
      return this.#collections > before ? null : "it has not said so";
    });
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const signal = AbortSignal.timeout(ANSWERED_WITHIN_MS);
    const response = await fetch(`http://${this.ready.http}${path}`, { ...init, signal });
    if (!response.ok) throw new Error(`${this.server.label}: ${path}: ${await response.text()}`);
    return response;
  }
}
