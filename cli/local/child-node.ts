/**
 * One `crema-node` process that belongs to `crema local`.
 * It never outlives its starter: it is told over an IPC channel whose end it notices even when nobody could say goodbye.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CommandFailed } from "../command-failed.ts";
import { READY_MESSAGE } from "../daemon/ready-line.ts";
import type { LocalPorts } from "./local-ports.ts";

/** What the ready line says. */
export interface ReadyAddresses {
  readonly nodeId: string;
  readonly cluster: string;
  readonly resp: string;
  readonly http: string;
}

export type ChildState = "starting" | "ready" | "gone";

const DAEMON = fileURLToPath(new URL("../crema-node.js", import.meta.url));
const LAST_LINES_MAX = 20;
const KILL_AFTER_MS = 5_000;

export class ChildNode {
  readonly name: string;
  /** Resolves with the addresses; rejects with the node's last words when it ends before it was ready. */
  readonly ready: Promise<ReadyAddresses>;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #lastLines: string[] = [];
  #addresses: ReadyAddresses | null = null;
  #ending: string | null = null;

  constructor(name: string, ports: LocalPorts, seeds: readonly string[]) {
    this.name = name;
    const settings = {
      name,
      host: "127.0.0.1",
      port: ports.cluster,
      "resp-port": ports.resp,
      "http-port": ports.http,
      "drain-timeout": 0,
      "log-format": "json",
    };
    const flags = Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
    const argv = [DAEMON, ...flags, "--exit-with-parent", ...seeds.flatMap((seed) => ["--seed", seed])];
    // A process group of its own: Ctrl-C on the terminal reaches the starter alone, which then stops all in order.
    this.#process = spawn(process.execPath, argv, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
      env: withoutSettings(process.env),
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once("error", (error) => {
        this.#ending ??= error.message;
        resolve();
      });
      this.#process.once("close", (code, signal) => {
        this.#ending ??= signal === null ? `exit code ${code}` : `signal ${signal}`;
        resolve();
      });
    });
    this.ready = this.#readLines();
    // Whoever awaits `ready` sees the failure; a child that is stopped while it starts is nobody's failure.
    this.ready.catch(() => undefined);
  }

  get state(): ChildState {
    if (this.#ending !== null) return "gone";
    return this.#addresses === null ? "starting" : "ready";
  }

  get addresses(): ReadyAddresses | null {
    return this.#addresses;
  }

  get pid(): number | null {
    return this.#process.pid ?? null;
  }

  /** Why it is gone; null while it lives. */
  get ending(): string | null {
    return this.#ending;
  }

  /** Tells the node to stop, insists after a while, and resolves once the process is gone. Idempotent. */
  async stop(): Promise<void> {
    if (this.#ending !== null) return;
    this.#process.kill("SIGTERM");
    const insist = setTimeout(() => this.kill(), KILL_AFTER_MS);
    await this.#exited;
    clearTimeout(insist);
  }

  /** Ends the process at once, whatever it does. */
  kill(): void {
    if (this.#ending === null) this.#process.kill("SIGKILL");
  }

  async #readLines(): Promise<ReadyAddresses> {
    const { stdout, stderr } = this.#process;
    return await new Promise<ReadyAddresses>((resolve, reject) => {
      for (const stream of [stdout, stderr]) {
        if (stream === null) continue;
        createInterface({ input: stream }).on("line", (line) => {
          this.#lastLines.push(line);
          if (this.#lastLines.length > LAST_LINES_MAX) this.#lastLines.shift();
          const addresses = readyAddresses(line);
          if (addresses === null) return;
          this.#addresses = addresses;
          resolve(addresses);
        });
      }
      this.#exited.then(() =>
        reject(new CommandFailed(`${this.name} did not start (${this.#ending}):\n${this.#lastWords()}`)),
      );
    });
  }

  #lastWords(): string {
    return this.#lastLines.map((line) => `  ${messageOf(line)}`).join("\n");
  }
}

/** The settings of whoever runs `crema local` are not meant for its nodes. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("CREMA_")));
}

function readyAddresses(line: string): ReadyAddresses | null {
  if (!line.includes(READY_MESSAGE)) return null;
  const { nodeId, cluster, resp, http } = parseLine(line);
  return { nodeId: String(nodeId), cluster: String(cluster), resp: String(resp), http: String(http) };
}

function messageOf(line: string): string {
  const { msg } = parseLine(line);
  return typeof msg === "string" ? msg : line;
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
