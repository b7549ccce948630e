/**
 * One size: a fresh cluster, all keys stored, SET measured some times, then linearizable GET.
 */
import { type CremaCluster, startCrema } from "../clusters/crema.ts";
import type { RespWork } from "../job.ts";
import { type Measurement, measure } from "../measuring.ts";
import type { Programs } from "../programs.ts";
import { prefillWork } from "../stage.ts";
import { WorkerProcess } from "../worker-process.ts";
import { growthPerKey, type KeyMemory, memoryOf, redisMemoryPerKey, untilReplicated } from "./key-memory.ts";
import { type Growing, type Shape, shapeOf, USUAL } from "./sizes.ts";

const WARM_UP_SECONDS = 1;
/** Disturbed measurements that are made again, for each of SET and GET. */
const REDO_MAX = 3;
/** With fewer keys, what a process needs anyway hides what they need. */
const KEYS_FOR_MEMORY_MIN = 100_000;

export interface ScaleRow {
  readonly growing: Growing;
  readonly size: number;
  readonly shape: Shape;
  readonly sets: readonly Measurement[];
  readonly gets: readonly Measurement[];
  /** null unless the keys grow, and are many. */
  readonly memory: KeyMemory | null;
}

export interface RowOptions {
  /** Of one measurement. */
  readonly seconds: number;
  readonly times: number;
  readonly programs: Programs;
}

export async function scaleRow(growing: Growing, size: number, options: RowOptions): Promise<ScaleRow> {
  const whole = { ...USUAL, [growing]: size };
  const shape = shapeOf(whole);
  const set: RespWork = {
    type: "resp",
    command: "SET",
    waitForReplica: "no",
    readOnly: false,
    perSecond: null,
    ...shape,
  };
  const ofMemory = growing === "keys" && size >= KEYS_FOR_MEMORY_MIN;
  const { nodes, shards } = whole;
  const worker = await WorkerProcess.start("the load", "./load/load-main.js");
  try {
    const redis = ofMemory ? await redisMemoryPerKey(options.programs.redis, worker, set) : null;
    const cluster = await startCrema({
      nodes,
      shards,
      dataDirectory: null,
      profileDirectory: null,
      collects: ofMemory,
    });
    try {
      const before = ofMemory ? await memoryOf(cluster.nodes) : [];
      await worker.prefill(prefillWork(set), cluster.ports);
      let memory: KeyMemory | null = null;
      if (ofMemory) {
        await untilReplicated(cluster.nodes, size);
        memory = { ours: growthPerKey(before, await memoryOf(cluster.nodes), size), redis };
      }
      const sets = await measureAll(set, cluster, worker, options);
      const gets = await measureAll({ ...set, command: "GET" }, cluster, worker, options);
      return { growing, size, shape, sets, gets, memory };
    } finally {
      await cluster.close();
    }
  } finally {
    worker.close();
  }
}

async function measureAll(
  work: RespWork,
  cluster: CremaCluster,
  worker: WorkerProcess,
  { seconds, times, programs }: RowOptions,
): Promise<readonly Measurement[]> {
  const performer = { cluster, worker, close: cluster.close };
  const measured: Measurement[] = [];
  for (let redone = 0; measured.length < times; ) {
    const measurement = await measure({ cluster: "crema", work, oneDoor: false }, performer, {
      duration: { warmUpSeconds: WARM_UP_SECONDS, seconds },
      pids: [...cluster.pids, worker.pid],
      programs,
      expectRunning: cluster.expectRunning,
    });
    if (measurement.disturbance !== null && redone++ < REDO_MAX) continue;
    measured.push(measurement);
  }
  return measured;
}
