/**
 * One real node of ours, started as a user starts it.
 */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import type { ClusterStatus } from "../../../src/index.ts";
import { waitUntil } from "../wait-until.ts";
import { ServerProcess } from "./server-process.ts";

const READY_WITHIN_MS = 30_000;

interface ReadyLine {
  readonly nodeId: string;
  readonly cluster: string;
  readonly resp: string;
  readonly http: string;
}

export class CremaProcess {
  readonly server: ServerProcess;
  #ready: ReadyLine | null = null;

  /**
   * `flags` as on its command line, without dashes. With `profileDirectory` it leaves a profile of its processor time there, and
   * its log with a line for every collection of garbage.
   */
  constructor(
    label: string,
    flags: Readonly<Record<string, string>>,
    profileDirectory: string | null = null,
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
      "dist/cli/crema-node.js",
      ...Object.entries({ ...defaults, ...flags }).flatMap(([name, value]) => [`--${name}`, value]),
      "--exit-with-parent",
    ];
    this.server = new ServerProcess(label, process.execPath, argv, {
      channel: true,
      onLine: (line) => {
        log?.write(`${line}\n`);
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
    const response = await fetch(`http://${this.ready.http}/status`, { signal: AbortSignal.timeout(5_000) });
    return (await response.json()) as ClusterStatus;
  }
}
