/**
 * One measurement: a side works for some seconds, and the machine is watched meanwhile.
 */
import type { Duration, Outcome } from "./job.ts";
import { runRedisBenchmark } from "./load/redis-benchmark.ts";
import { CORES, type CpuSample, cpuUse, sampleCpu } from "./machine.ts";
import { type Programs, pathOf } from "./programs.ts";
import type { Side } from "./rows.ts";
import type { Performer } from "./stage.ts";

/** Shares of the machine beyond which a pair is run again. */
const FOREIGN_SHARE_MAX = 0.05;
const STEAL_SHARE_MAX = 0.02;

export interface Measurement {
  readonly outcome: Outcome;
  readonly perSecond: number;
  /** In cores, each. The load of an embedded node is the node's process itself. */
  readonly loadCores: number;
  readonly serverCores: readonly number[];
  readonly foreignCores: number;
  readonly stealCores: number;
  readonly disturbance: string | null;
}

/** What measuring needs beside the side itself. */
export interface Circumstances {
  readonly duration: Duration;
  /** All processes of this benchmark, also of the side that rests. */
  readonly pids: readonly number[];
  readonly programs: Programs;
  /** Throws when some server has ended. */
  readonly expectRunning: () => void;
}

export async function measure(
  side: Side,
  { cluster, worker }: Performer,
  { duration, pids, programs, expectRunning }: Circumstances,
): Promise<Measurement> {
  const { work } = side;
  const ports = side.oneDoor ? cluster.ports.slice(0, 1) : cluster.ports;
  const own = [process.pid, ...pids];
  let loadPid = worker.pid;
  let before: CpuSample | null = null;
  let after: CpuSample | null = null;
  const onBegin = () => {
    before = sampleCpu(own);
  };
  const onEnd = () => {
    after = sampleCpu(own);
  };
  const running =
    work.type === "redis-benchmark"
      ? runRedisBenchmark(pathOf(programs.redisBenchmark), ports[0] ?? 0, work, duration, {
          onBegin: (pid) => {
            loadPid = pid;
            own.push(pid);
            onBegin();
          },
          onStillRunning: onEnd,
        })
      : worker.measure({ type: "measure", work, ports, duration }, { onBegin, onEnd });
  const outcome = await running.catch((error: unknown) => {
    // That a server has ended says more than that its clients lost it.
    expectRunning();
    throw error;
  });
  expectRunning();
  if (before === null || after === null) throw new Error("the load marked no window");
  const { ofProcess, foreign, steal } = cpuUse(before, after);
  return {
    outcome,
    perSecond: outcome.operations / outcome.seconds,
    loadCores: ofProcess.get(loadPid) ?? 0,
    serverCores: cluster.pids.map((pid) => ofProcess.get(pid) ?? 0),
    foreignCores: foreign,
    stealCores: steal,
    disturbance: disturbanceOf(foreign, steal),
  };
}

/** Why the machine was not ours alone: others, or its hypervisor, took so many cores of it. null: it was. */
export function disturbanceOf(foreign: number, steal: number): string | null {
  if (foreign > FOREIGN_SHARE_MAX * CORES) return `others used ${foreign.toFixed(2)} cores`;
  if (steal > STEAL_SHARE_MAX * CORES) return `the hypervisor took ${steal.toFixed(2)} cores`;
  return null;
}
