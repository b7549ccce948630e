/**
 * The parent's side of a worker: a process that does jobs and answers over its IPC channel, with which it ends.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromWorker, Job, Outcome, ToWorker } from "./job.ts";

export interface WindowHooks {
  readonly onBegin: () => void;
  readonly onEnd: () => void;
}

/** Load that goes on until it is ended. */
export interface HeldLoad {
  /** What came of the window. Rejects as soon as the load fails; nobody need listen before the end. */
  readonly outcome: Promise<Outcome>;
  /** The window that counts begins. */
  open(): void;
  enough(): void;
}

export class WorkerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #label: string;
  #onMessage: (message: FromWorker) => void = () => {};
  #onEnded: (error: Error) => void = () => {};
  #ended: Error | null = null;

  private constructor(label: string, child: ChildProcess) {
    this.#label = label;
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.on("message", (message: FromWorker) => this.#onMessage(message));
    child.on("error", (error) => this.#onEnd(error));
    child.on("exit", (code, signal) => this.#onEnd(new Error(`${label} ended, ${signal ?? `code ${code}`}`)));
  }

  /** `program`: compiled, beside this file. Resolves once it is ready for jobs. */
  static async start(label: string, program: string, argv: readonly string[] = []): Promise<WorkerProcess> {
    const path = fileURLToPath(new URL(program, import.meta.url));
    const child = fork(path, [...argv], { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const worker = new WorkerProcess(label, child);
    await worker.#until((message) => (message.type === "ready" ? message : null));
    return worker;
  }

  /** Stores every key. */
  async prefill(work: Job["work"], ports: readonly number[]): Promise<void> {
    await this.#do({ type: "prefill", work, ports }, { onBegin: () => {}, onEnd: () => {} });
  }

  /** Rejects with what went wrong; the hooks are called as the window that counts begins and ends. */
  async measure(job: Extract<Job, { type: "measure" }>, hooks: WindowHooks): Promise<Outcome> {
    return await this.#measured(job, hooks);
  }

  hold(work: Job["work"], ports: readonly number[]): HeldLoad {
    const outcome = this.#measured({ type: "hold", work, ports }, { onBegin: () => {}, onEnd: () => {} });
    outcome.catch(() => undefined);
    return {
      outcome,
      open: () => this.#tell({ type: "open" }),
      enough: () => this.#tell({ type: "enough" }),
    };
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }

  async #measured(job: Job, hooks: WindowHooks): Promise<Outcome> {
    const outcome = await this.#do(job, hooks);
    if (outcome === null) throw new Error(`${this.#label} measured nothing`);
    return outcome;
  }

  async #do(job: Job, hooks: WindowHooks): Promise<Outcome | null> {
    const done = this.#until((message) => {
      if (message.type === "window-begins") hooks.onBegin();
      if (message.type === "window-ends") hooks.onEnd();
      return message.type === "done" ? message : null;
    });
    this.#tell(job);
    const { outcome } = await done;
    return outcome;
  }

  #tell(message: ToWorker): void {
    this.#child.send(message);
  }

  /** The message that `pick` picks. Rejects when the worker fails or ends. */
  #until<Picked>(pick: (message: FromWorker) => Picked | null): Promise<Picked> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) reject(this.#ended);
      this.#onEnded = reject;
      this.#onMessage = (message) => {
        if (message.type === "failed") reject(new Error(`${this.#label}: ${message.message}`));
        try {
          const picked = pick(message);
          if (picked !== null) resolve(picked);
        } catch (error) {
          reject(error);
        }
      };
    });
  }

  #onEnd(error: Error): void {
    this.#ended = error;
    this.#onEnded(error);
  }
}
