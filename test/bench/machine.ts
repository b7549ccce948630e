/**
 * What the machine did while something was measured, read from /proc: the processor time of our processes, of everybody else,
 * and what the hypervisor took. All in cores: 1 = one core, the whole time. Linux only.
 */
import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";

/** Ticks per second of the counters in /proc; fixed on Linux for user space. */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/PID/stat, counted from the one after the name. */
const USER_AND_SYSTEM = [11, 12] as const;
const OF_ENDED_CHILDREN = [13, 14] as const;
const TMPFS_MAGIC = 0x0102_1994;

export interface CpuSample {
  readonly atMs: number;
  /** Processor time in seconds since the start of the machine, of all processes. */
  readonly processesS: number;
  readonly stealS: number;
  /** Processor time in seconds of each process asked for. */
  readonly ofProcess: ReadonlyMap<number, number>;
  /** Processor time in seconds of all child processes of ours that have ended. */
  readonly endedS: number;
}

export interface CpuUse {
  readonly ofProcess: ReadonlyMap<number, number>;
  /** Of all that were asked for, and of child processes of ours that ended meanwhile. */
  readonly own: number;
  /** Of processes that were not asked for. */
  readonly foreign: number;
  readonly steal: number;
}

export function sampleCpu(pids: readonly number[]): CpuSample {
  const ofProcess = new Map(pids.map((pid) => [pid, secondsIn(pid, USER_AND_SYSTEM)]));
  const line = readFileSync("/proc/stat", "latin1").split("\n", 1)[0] ?? "";
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / TICKS_PER_SECOND);
  const endedS = secondsIn(process.pid, OF_ENDED_CHILDREN);
  return { atMs: performance.now(), processesS: user + nice + system, stealS: steal, ofProcess, endedS };
}

/** What happened between two samples of the same processes; those that ended in between are told of as ours, and not by themselves. */
export function cpuUse(before: CpuSample, after: CpuSample): CpuUse {
  const seconds = (after.atMs - before.atMs) / 1_000;
  const ofProcess = new Map<number, number>();
  for (const [pid, endS] of after.ofProcess)
    ofProcess.set(pid, (endS - (before.ofProcess.get(pid) ?? 0)) / seconds);
  const own = (ownSeconds(after) - ownSeconds(before)) / seconds;
  const all = (after.processesS - before.processesS) / seconds;
  return {
    ofProcess,
    own,
    foreign: Math.max(0, all - own),
    steal: (after.stealS - before.stealS) / seconds,
  };
}

function ownSeconds({ ofProcess, endedS }: CpuSample): number {
  return [...ofProcess.values()].reduce((sum, each) => sum + each, endedS);
}

/** Sums two fields of what the system tells of `pid` and all its threads. */
function secondsIn(pid: number, [one, other]: readonly [number, number]): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name, in brackets, may hold anything; after it come state and the rest.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[one]) + Number(fields[other])) / TICKS_PER_SECOND;
}

/** One line for people. `directory`: where durable servers keep their data. */
export function describeMachine(directory: string): string {
  const disk =
    statfsSync(directory).type === TMPFS_MAGIC ? "in MEMORY (tmpfs): durable rows mean nothing" : "on disk";
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${availableParallelism()} cores (${model}), Linux ${release()}, Node.js ${process.versions.node}; data under ${directory}, ${disk}`;
}

export const CORES = availableParallelism();
