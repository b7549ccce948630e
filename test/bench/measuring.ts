/**
 * One measurement: a side works for some seconds, and the machine is watched meanwhile.
 */
import type { Duration, Outcome } from "./job.ts";
import { CORES, type CpuSample, cpuUse, sampleCpu } from "./machine.ts";
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

/** `pids`: all processes of this benchmark, also of the side that rests. */
export async function measure(
  side: Side,
  { cluster, worker }: Performer,
  duration: Duration,
  pids: readonly number[],
): Promise<Measurement> {
  const ports = side.oneDoor ? cluster.ports.slice(0, 1) : cluster.ports;
  const own = [process.pid, ...pids];
  let before: CpuSample | null = null;
  let after: CpuSample | null = null;
  const outcome = await worker
    .measure(
      { type: "measure", work: side.work, ports, duration },
      {
        onBegin: () => {
          before = sampleCpu(own);
        },
        onEnd: () => {
          after = sampleCpu(own);
        },
      },
    )
    .catch((error: unknown) => {
      cluster.expectRunning();
      throw error;
    });
  cluster.expectRunning();
  if (before === null || after === null) throw new Error("the load marked no window");
  const { ofProcess, foreign, steal } = cpuUse(before, after);
  return {
    outcome,
    perSecond: outcome.operations / outcome.seconds,
    loadCores: ofProcess.get(worker.pid) ?? 0,
    serverCores: cluster.pids.map((pid) => ofProcess.get(pid) ?? 0),
    foreignCores: foreign,
    stealCores: steal,
    disturbance: disturbanceOf(foreign, steal),
  };
}

function disturbanceOf(foreign: number, steal: number): string | null {
  if (foreign > FOREIGN_SHARE_MAX * CORES) return `others used ${foreign.toFixed(2)} cores`;
  if (steal > STEAL_SHARE_MAX * CORES) return `the hypervisor took ${steal.toFixed(2)} cores`;
  return null;
}
