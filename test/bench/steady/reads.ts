/**
 * The reads that must stay fast: small values, linearizable ones and local ones at the same time, at an even pace far below what
 * the cluster could do. Each sort has a process of its own.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Data, Outcome, RespWork } from "../job.ts";
import { type CpuUse, cpuUse, sampleCpu } from "../machine.ts";
import { prefillWork } from "../stage.ts";
import { WorkerProcess } from "../worker-process.ts";
import type { Evidence } from "./disturbance.ts";

export const READ_SORTS = ["linearizable", "local"] as const;
export type ReadSort = (typeof READ_SORTS)[number];

export const CONNECTIONS = 32;
const WARM_UP_SECONDS = 0.5;
/** Reads go round these. */
const KEYS_READ = 100_000;

/** What one window told. */
export interface Window {
  readonly seconds: number;
  readonly reads: Readonly<Record<ReadSort, Outcome>>;
  /** What happened meanwhile. */
  readonly evidence: Evidence;
  readonly cpu: CpuUse;
}

export interface WindowParts {
  readonly perSecond: number;
  /** All processes of ours that live now. */
  readonly pids: () => readonly number[];
  readonly evidence: () => Promise<Evidence>;
  /** The window opens when this is called and closes when it resolves. */
  readonly during: () => Promise<void>;
}

export class Reads {
  readonly #workers: Readonly<Record<ReadSort, WorkerProcess>>;
  readonly #ports: readonly number[];
  readonly #stored: Data;

  private constructor(
    workers: Readonly<Record<ReadSort, WorkerProcess>>,
    ports: readonly number[],
    stored: Data,
  ) {
    this.#workers = workers;
    this.#ports = ports;
    this.#stored = stored;
  }

  /** Stores the data first. */
  static async start(ports: readonly number[], data: Data): Promise<Reads> {
    const workers: WorkerProcess[] = [];
    const start = async (sort: ReadSort) => {
      const worker = await WorkerProcess.start(`the ${sort} reads`, "./load/load-main.js");
      workers.push(worker);
      return worker;
    };
    try {
      const [linearizable, local] = [await start("linearizable"), await start("local")];
      const reads = new Reads({ linearizable, local }, ports, data);
      await linearizable.prefill(prefillWork(reads.#work("linearizable", null, data)), ports);
      return reads;
    } catch (error) {
      for (const worker of workers) worker.close();
      throw error;
    }
  }

  get pids(): readonly number[] {
    return READ_SORTS.map((sort) => this.#workers[sort].pid);
  }

  /** Linearizable reads a second when each is sent as soon as the one before is answered. */
  async fastest(seconds: number): Promise<number> {
    const held = this.#workers.linearizable.hold(this.#work("linearizable", null), this.#ports);
    await Promise.race([delay(WARM_UP_SECONDS * 1_000), held.outcome]);
    held.open();
    await Promise.race([delay(seconds * 1_000), held.outcome]);
    held.enough();
    const outcome = await held.outcome;
    return outcome.operations / outcome.seconds;
  }

  /** Half of the reads are linearizable. Rejects when any is answered wrongly or not at all. */
  async measure({ perSecond, pids, evidence, during }: WindowParts): Promise<Window> {
    const held = READ_SORTS.map((sort) =>
      this.#workers[sort].hold(this.#work(sort, perSecond / READ_SORTS.length), this.#ports),
    );
    const failed = Promise.race(held.map(({ outcome }) => outcome));
    await Promise.race([delay(WARM_UP_SECONDS * 1_000), failed]);
    const evidenceBefore = await evidence();
    const before = sampleCpu(pids());
    for (const each of held) each.open();
    await Promise.race([during(), failed]);
    for (const each of held) each.enough();
    const after = sampleCpu(pids());
    const evidenceAfter = await evidence();
    const [linearizable, local] = await Promise.all(held.map(({ outcome }) => outcome));
    if (linearizable === undefined || local === undefined) throw new Error("nothing was read");
    return {
      seconds: linearizable.seconds,
      reads: { linearizable, local },
      evidence: growth(evidenceBefore, evidenceAfter),
      cpu: cpuUse(before, after),
    };
  }

  close(): void {
    for (const sort of READ_SORTS) this.#workers[sort].close();
  }

  #work(sort: ReadSort, perSecond: number | null, data = this.#readData()): RespWork {
    return {
      type: "resp",
      command: "GET",
      connections: perSecond === null ? CONNECTIONS : CONNECTIONS / READ_SORTS.length,
      pipeline: 1,
      waitForReplica: "no",
      readOnly: sort === "local",
      mayMiss: sort === "local",
      perSecond,
      data,
    };
  }

  #readData(): Data {
    return { ...this.#stored, keys: Math.min(this.#stored.keys, KEYS_READ) };
  }
}

function growth(before: Evidence, after: Evidence): Evidence {
  return Object.fromEntries(
    Object.entries(after).map(([what, count]) => [what, count - (before[what] ?? 0)]),
  );
}
