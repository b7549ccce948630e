/**
 * Threads that run seeds. Each runs one at a time; what is asked while all are busy waits its turn.
 */
import { Worker } from "node:worker_threads";
import type { RunOptions } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import type { FromWorker, ToWorker, TraceLine } from "./seed-worker.ts";
import { simulatorFailed } from "./simulator-failed.ts";

export type { TraceLine } from "./seed-worker.ts";

/** Runs seeds somewhere else, so that this thread can listen and draw. */
export interface SeedPool {
  /**
   * The report of one run. A simulator that fails itself (it throws, its thread dies) is reported as a failure like any
   * other, under the checker's name `simulator`. Rejects only with {@link PoolClosed}.
   */
  run(options: RunOptions, onLines?: (lines: readonly TraceLine[]) => void): Promise<RunReport>;
  /** Ends all threads, in the middle of what they do. Idempotent. */
  close(): Promise<void>;
}

/** The pool was closed before the run was over. */
export class PoolClosed extends Error {
  override readonly name = "PoolClosed";
}

interface Job {
  readonly options: RunOptions;
  readonly onLines: ((lines: readonly TraceLine[]) => void) | undefined;
  readonly resolve: (report: RunReport) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerPool implements SeedPool {
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Job>();
  readonly #waiting: Job[] = [];
  readonly #jobs: number;
  #closed = false;

  /** `jobs`: threads at most; each is started when it is needed. */
  constructor(jobs: number) {
    this.#jobs = jobs;
  }

  run(options: RunOptions, onLines?: (lines: readonly TraceLine[]) => void): Promise<RunReport> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(new PoolClosed());
      else {
        this.#waiting.push({ options, onLines, resolve, reject });
        this.#next();
      }
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#idle, ...this.#busy.keys()];
    for (const job of [...this.#waiting, ...this.#busy.values()]) job.reject(new PoolClosed());
    this.#waiting.length = 0;
    this.#idle.length = 0;
    this.#busy.clear();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const worker = this.#idle.pop() ?? (this.#busy.size < this.#jobs ? this.#start() : null);
    const job = worker === null ? undefined : this.#waiting.shift();
    if (worker === null || job === undefined) return;
    this.#busy.set(worker, job);
    const order: ToWorker = { options: job.options, traced: job.onLines !== undefined };
    worker.postMessage(order);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./seed-worker.js", import.meta.url));
    worker.on("message", (message: FromWorker) => this.#heard(worker, message));
    worker.on("error", (error) => this.#died(worker, error));
    worker.on("exit", (code) => this.#died(worker, new Error(`the thread ended with code ${code}`)));
    return worker;
  }

  #heard(worker: Worker, message: FromWorker): void {
    const job = this.#busy.get(worker);
    if (job === undefined) return;
    if (message.type === "lines") {
      job.onLines?.(message.lines);
      return;
    }
    this.#busy.delete(worker);
    this.#idle.push(worker);
    job.resolve(message.report);
    this.#next();
  }

  /** A thread that is gone takes its run with it, and nothing else. */
  #died(worker: Worker, error: Error): void {
    const job = this.#busy.get(worker);
    if (job === undefined) return;
    this.#busy.delete(worker);
    job.resolve(simulatorFailed(job.options, error));
    this.#next();
  }
}
