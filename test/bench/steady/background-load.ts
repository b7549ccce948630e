/** Load in a process of its own, which disturbs and whose answers nobody measures. What it is answered wrongly is a failure all the same. */
import { setTimeout as delay } from "node:timers/promises";
import type { RespWork } from "../job.ts";
import { type HeldLoad, WorkerProcess } from "../worker-process.ts";

export class BackgroundLoad {
  readonly #worker: WorkerProcess;
  readonly #work: RespWork;
  readonly #ports: readonly number[];
  #held: HeldLoad | null = null;

  private constructor(worker: WorkerProcess, work: RespWork, ports: readonly number[]) {
    this.#worker = worker;
    this.#work = work;
    this.#ports = ports;
  }

  static async start(label: string, work: RespWork, ports: readonly number[]): Promise<BackgroundLoad> {
    return new BackgroundLoad(await WorkerProcess.start(label, "./load/load-main.js"), work, ports);
  }

  get pid(): number {
    return this.#worker.pid;
  }

  begin(): void {
    this.#held = this.#worker.hold(this.#work, this.#ports);
  }

  /** So many seconds of it; rejects when it fails. */
  async last(seconds: number): Promise<void> {
    await Promise.race([delay(seconds * 1_000), this.#held?.outcome]);
  }

  /** Resolves when everything is answered. */
  async end(): Promise<void> {
    this.#held?.open();
    this.#held?.enough();
    await this.#held?.outcome;
    this.#held = null;
  }

  close(): void {
    this.#worker.close();
  }
}
