/**
 * What the machine did while something was measured, read from /proc: the processor time of our processes, of everybody else,
 * and what the hypervisor took. All in cores: 1 = one core, the whole time. Linux only.
 */
import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";

/** Ticks per second of the counters in /proc; fixed on Linux for user space. */
const TICKS_PER_SECOND = 100;
const TMPFS_MAGIC = 0x0102_1994;

export interface CpuSample {
  readonly atMs: number;
  /** Processor time in seconds since the start of the machine, of all processes. */
  readonly processesS: number;
  readonly stealS: number;
  /** Processor time in seconds of each process asked for. */
  readonly ofProcess: ReadonlyMap<number, number>;
}

export interface CpuUse {
  readonly ofProcess: ReadonlyMap<number, number>;
  /** Of processes that were not asked for. */
  readonly foreign: number;
  readonly steal: number;
}

export function sampleCpu(pids: readonly number[]): CpuSample {
  const ofProcess = new Map(pids.map((pid) => [pid, processSeconds(pid)]));
  const line = readFileSync("/proc/stat", "latin1").split("\n", 1)[0] ?? "";
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / TICKS_PER_SECOND);
  return { atMs: performance.now(), processesS: user + nice + system, stealS: steal, ofProcess };
}

/** What happened between two samples of the same processes. */
export function cpuUse(before: CpuSample, after: CpuSample): CpuUse {
  const seconds = (after.atMs - before.atMs) / 1_000;
  const ofProcess = new Map<number, number>();
  let own = 0;
  for (const [pid, endS] of after.ofProcess) {
    const cores = (endS - (before.ofProcess.get(pid) ?? 0)) / seconds;
    ofProcess.set(pid, cores);
    own += cores;
  }
  const all = (after.processesS - before.processesS) / seconds;
  return {
    ofProcess,
    foreign: Math.max(0, all - own),
    steal: (after.stealS - before.stealS) / seconds,
  };
}

/** User and system time of `pid` and all its threads. */
function processSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name, in brackets, may hold anything; after it come state (field 3) and the rest.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** One line for people. `directory`: where durable servers keep their data. */
export function describeMachine(directory: string): string {
  const disk =
    statfsSync(directory).type === TMPFS_MAGIC ? "in MEMORY (tmpfs): durable rows mean nothing" : "on disk";
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${availableParallelism()} cores (${model}), Linux ${release()}, Node.js ${process.versions.node}; data under ${directory}, ${disk}`;
}

export const CORES = availableParallelism();
