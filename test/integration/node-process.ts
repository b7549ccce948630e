/**
 * One real `crema-node` process under test: `dist/cli/crema-node.js` on ephemeral ports.
 * Everything a test learns from it comes from its ready line, its HTTP door and its exit code.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { ClusterStatus, NodeEvent } from "../../src/index.ts";
import { ROOT } from "../architecture/imports.ts";
import { waitUntil } from "./wait-until.ts";

/** What the ready line carries. */
export interface ReadyLine {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly cluster: string;
  readonly resp: string;
  readonly http: string;
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Flags every node under test gets unless the test names them itself. */
const DEFAULT_FLAGS: Readonly<Record<string, string>> = {
  port: "0",
  "resp-port": "0",
  "http-port": "0",
  "log-format": "json",
  "log-level": "debug",
};

const READY_WITHIN_MS = 30_000;
const living = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});

export class NodeProcess {
  /** For messages. */
  readonly label: string;
  /** All lines of standard output and standard error, as they came. */
  readonly lines: string[] = [];
  /** What happened so far, as the node's `/events` told it; filled once {@link followEvents} was called. */
  readonly events: NodeEvent[] = [];
  readonly exited: Promise<ExitStatus>;
  readonly #child: ChildProcess;
  #ready: ReadyLine | null = null;
  #exit: ExitStatus | null = null;

  /**
   * Starts the process; `flags` are added to the defaults, an empty value removes one. `via`: a command that runs the rest
   * of its arguments in its own place, as `ip netns exec` and `env` do.
   */
  constructor(
    label: string,
    flags: Readonly<Record<string, string>>,
    extra: readonly string[] = [],
    via: readonly string[] = [],
  ) {
    this.label = label;
    const all = Object.entries({ ...DEFAULT_FLAGS, ...flags }).filter(([, value]) => value !== "");
    const [program = "", ...argv] = [
      ...via,
      process.execPath,
      `${ROOT}dist/cli/crema-node.js`,
      ...all.flatMap(([name, value]) => [`--${name}`, value]),
      "--exit-with-parent",
      ...extra,
    ];
    // The IPC channel ends with this process, and the node with the channel: nothing is left behind.
    this.#child = spawn(program, argv, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("CREMA_"))),
    });
    living.add(this.#child);
    const allRead = [this.#child.stdout, this.#child.stderr].map(async (stream) => {
      if (stream === null) return;
      const lines = createInterface({ input: stream }).on("line", (line) => this.#onLine(line));
      await once(lines, "close");
    });
    this.exited = this.#untilExit(allRead);
  }

  get exit(): ExitStatus | null {
    return this.#exit;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.label} was not started`);
    return this.#child.pid;
  }

  get isReady(): boolean {
    return this.#ready !== null;
  }

  /** The ready line. Throws before the node is ready. */
  get ready(): ReadyLine {
    if (this.#ready === null) throw new Error(`${this.label} is not ready`);
    return this.#ready;
  }

  get respPort(): number {
    return Number(this.ready.resp.split(":").at(-1));
  }

  /** Resolves with the ready line; rejects when the process ends first. */
  async untilReady(limitMs = READY_WITHIN_MS): Promise<ReadyLine> {
    const ready = await waitUntil(`${this.label} is ready`, limitMs, () => this.#ready ?? this.#exit);
    if ("nodeId" in ready) return ready;
    throw new Error(`${this.label} ended before it was ready: ${JSON.stringify(ready)}\n${this.tail()}`);
  }

  async status(): Promise<ClusterStatus> {
    const status: ClusterStatus = JSON.parse(await this.httpText("/status"));
    return status;
  }

  async httpText(path: string): Promise<string> {
    const response = await fetch(`http://${this.ready.http}${path}`, { signal: AbortSignal.timeout(5_000) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text;
  }

  /** Begins to collect the node's events; resolves once the stream is open. */
  async followEvents(): Promise<void> {
    const response = await fetch(`http://${this.ready.http}/events`);
    const { body } = response;
    if (body === null) throw new Error("/events has no body");
    const collect = async () => {
      let rest = "";
      const decoder = new TextDecoder();
      for await (const chunk of body) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line !== "") this.events.push(JSON.parse(line));
      }
    };
    // The stream ends with the node, in order or not: both are what the test does to it.
    collect().catch(() => undefined);
  }

  /** `kill -9`. Resolves once the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  /** Sends a signal without waiting. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Closes the IPC channel, as the death of this process would. */
  disconnect(): void {
    this.#child.disconnect();
  }

  /** SIGTERM; resolves with how the process ended. */
  terminate(): Promise<ExitStatus> {
    this.#child.kill("SIGTERM");
    return this.exited;
  }

  tail(count = 15): string {
    return this.lines
      .slice(-count)
      .map((line) => `  ${this.label}: ${line}`)
      .join("\n");
  }

  /** The end of the process, once its last words have been read. */
  async #untilExit(allRead: readonly Promise<void>[]): Promise<ExitStatus> {
    const [code, signal] = await once(this.#child, "exit");
    living.delete(this.#child);
    await Promise.all(allRead);
    this.#exit = { code, signal };
    return this.#exit;
  }

  #onLine(line: string): void {
    this.lines.push(line);
    if (this.#ready === null && line.includes('"crema-node ready"')) this.#ready = JSON.parse(line);
  }
}
