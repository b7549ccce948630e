/**
 * Threads that run one history each at a time; what is asked while all are busy waits its turn.
 */
import { Worker } from "node:worker_threads";
import type { FromWorker, ToWorker, TraceLine } from "./serve-runs.ts";

/** Runs histories somewhere else, so that this thread can listen and draw. */
export interface RunPool<Options, Report> {
  /**
   * The report of one run. A simulator that fails itself (it throws, its thread dies) is reported as a failure like any
   * other, under the checker's name `simulator`. Rejects only with {@link PoolClosed}.
   */
  run(options: Options, onLines?: (lines: readonly TraceLine[]) => void): Promise<Report>;
  /** Ends all threads, in the middle of what they do. Idempotent. */
  close(): Promise<void>;
}

/** The pool was closed before the run was over. */
export class PoolClosed extends Error {
  override readonly name = "PoolClosed";
}

interface Job<Options, Report> {
  readonly options: Options;
  readonly onLines: ((lines: readonly TraceLine[]) => void) | undefined;
  readonly resolve: (report: Report) => void;
  readonly reject: (error: Error) => void;
}

export class ThreadPool<Options, Report> implements RunPool<Options, Report> {
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Job<Options, Report>>();
  readonly #waiting: Job<Options, Report>[] = [];
  readonly #jobs: number;
  readonly #script: URL;
  readonly #failed: (options: Options, error: Error) => Report;
  #closed = false;

  /**
   * `jobs`: threads at most; each is started when it is needed, and runs `script`, which calls `serveRuns`. `failed`: the
   * report of a run whose thread died.
   */
  constructor(jobs: number, script: URL, failed: (options: Options, error: Error) => Report) {
    this.#jobs = jobs;
    this.#script = script;
    this.#failed = failed;
  }

  run(options: Options, onLines?: (lines: readonly TraceLine[]) => void): Promise<Report> {
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
    const order: ToWorker<Options> = { options: job.options, traced: job.onLines !== undefined };
    worker.postMessage(order);
  }

  #start(): Worker {
    const worker = new Worker(this.#script);
    worker.on("message", (message: FromWorker<Report>) => this.#heard(worker, message));
    worker.on("error", (error) => this.#died(worker, error));
    worker.on("exit", (code) => this.#died(worker, new Error(`the thread ended with code ${code}`)));
    return worker;
  }

  #heard(worker: Worker, message: FromWorker<Report>): void {
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
    job.resolve(this.#failed(job.options, error));
    this.#next();
  }
}
