/**
 * The load that comes with Redis, to check our own by: where both find the same, neither is what limits the row.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { type Duration, KEY_COUNT, type Outcome, type RedisBenchmarkWork, valueText } from "../job.ts";

/** It is told a number of requests, not a time: a short run tells how many make so many seconds. */
const CALIBRATION_REQUESTS = 50_000;
const SAMPLE_INTERVAL_MS = 100;

export interface RedisBenchmarkHooks {
  /** It runs now, in this process. */
  readonly onBegin: (pid: number) => void;
  /** It still runs. The last of these calls marks the end of the window: afterwards its processor time is gone. */
  readonly onStillRunning: () => void;
}

interface Result {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function runRedisBenchmark(
  program: string,
  port: number,
  work: RedisBenchmarkWork,
  { seconds }: Duration,
  hooks: RedisBenchmarkHooks,
): Promise<Outcome> {
  const nothing = () => {};
  const { perSecond } = await benchmark(program, port, work, CALIBRATION_REQUESTS, {
    onBegin: nothing,
    onStillRunning: nothing,
  });
  const requests = Math.ceil(perSecond * seconds);
  const result = await benchmark(program, port, work, requests, hooks);
  const { p50Ms, p99Ms } = result;
  return {
    operations: requests,
    seconds: requests / result.perSecond,
    p50Ms,
    p99Ms,
    tail: null,
    busy: 0,
    missing: 0,
  };
}

async function benchmark(
  program: string,
  port: number,
  { command, connections, pipeline }: RedisBenchmarkWork,
  requests: number,
  hooks: RedisBenchmarkHooks,
): Promise<Result> {
  const flags = { p: port, c: connections, P: pipeline, n: requests, r: KEY_COUNT };
  // It puts a random number of twelve digits below -r there, which makes our keys.
  const asked = [command, "key:__rand_int__", ...(command === "SET" ? [valueText(0)] : [])];
  const argv = [
    ...Object.entries(flags).flatMap(([name, value]) => [`-${name}`, String(value)]),
    "--csv",
    ...asked,
  ];
  const child = spawn(program, argv, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  await once(child, "spawn");
  hooks.onBegin(child.pid ?? 0);
  const sampler = setInterval(hooks.onStillRunning, SAMPLE_INTERVAL_MS);
  child.once("exit", () => clearInterval(sampler));
  try {
    const [code] = await exited;
    const [lines, errors] = await output;
    if (code !== 0 || errors !== "") throw new Error(`redis-benchmark: ${errors || lines}`);
    return resultOf(lines);
  } finally {
    clearInterval(sampler);
    child.kill("SIGKILL");
  }
}

/** From the table that it prints with `--csv`. */
function resultOf(csv: string): Result {
  const [heading = [], cells = []] = csv
    .trim()
    .split("\n")
    .slice(-2)
    .map((line) => line.split('","').map((cell) => cell.replaceAll('"', "")));
  const cell = (title: string) => {
    const value = Number(cells[heading.indexOf(title)]);
    if (!(value > 0)) throw new Error(`redis-benchmark says nothing of ${title}: ${csv}`);
    return value;
  };
  return { perSecond: cell("rps"), p50Ms: cell("p50_latency_ms"), p99Ms: cell("p99_latency_ms") };
}
