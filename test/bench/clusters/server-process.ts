/**
 * One server program under measurement. It is gone when this process is, however that ends, save by SIGKILL.
 */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const LINES_KEPT = 200;
/** In order; after that it is killed. */
const STOPPED_WITHIN_MS = 5_000;

const living = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});

export class ServerProcess {
  readonly label: string;
  /** What it printed last. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #onLine: (line: string) => void;
  #ended: string | null = null;

  /** With `channel` the program hears by its IPC channel that this process is gone. */
  constructor(
    label: string,
    program: string,
    argv: readonly string[],
    { channel = false, onLine = (_line: string) => {} } = {},
  ) {
    this.label = label;
    this.#onLine = onLine;
    const stdio: StdioOptions = ["ignore", "pipe", "pipe", ...(channel ? (["ipc"] as const) : [])];
    const environment = Object.entries(process.env).filter(([name]) => !/^(CREMA|ETCD)_/.test(name));
    this.#child = spawn(program, [...argv], { stdio, env: Object.fromEntries(environment) });
    living.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream !== null) createInterface({ input: stream }).on("line", (line) => this.#hear(line));
    this.#child.once("error", (error) => this.#end(error.message));
    this.#child.once("exit", (code, signal) => this.#end(`it ended, ${signal ?? `code ${code}`}`));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.label}: ${this.#ended ?? "not started"}`);
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#ended === null;
  }

  /** Throws when it has ended. */
  expectRunning(): void {
    if (this.#ended !== null)
      throw new Error(`${this.label}: ${this.#ended}\n${this.lines.slice(-10).join("\n")}`);
  }

  /** SIGTERM, and SIGKILL when that takes too long. */
  async stop(): Promise<void> {
    if (this.#ended !== null) return;
    const exited = once(this.#child, "exit");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), STOPPED_WITHIN_MS);
    this.#child.kill("SIGTERM");
    await exited;
    clearTimeout(killer);
  }

  /** It does nothing any more, and nobody is told. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  /** What comes of it is the program's affair. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** `kill -9`; resolves once it is gone. */
  async kill(): Promise<void> {
    if (this.#ended !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #hear(line: string): void {
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.shift();
    this.#onLine(line);
  }

  #end(why: string): void {
    this.#ended ??= why;
    living.delete(this.#child);
  }
}
