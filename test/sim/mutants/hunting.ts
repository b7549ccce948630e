/**
 * One hunt: seeds of one tree in a process of its own, until a run reports a failure or the seeds are used up.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { SeedLine } from "./seed-line.ts";
import type { WorldOptions } from "./worlds.ts";

/** A seed that takes longer hangs: no seed that ends takes a tenth of it. */
const SEED_LIMIT_MS = 180_000;
const STDERR_CHARACTERS_MAX = 4_000;

export interface Hunt {
  /** null: nothing was found in all the seeds. */
  readonly caught: SeedLine | null;
  readonly seeds: number;
  readonly virtualMs: number;
  readonly wallMs: number;
  /** What ended the process when it did not end by itself; the hunt proves nothing then. */
  readonly broken: string | null;
}

export async function hunt(program: string, options: WorldOptions, seeds: number): Promise<Hunt> {
  const beganMs = performance.now();
  const child = spawn(process.execPath, [program, JSON.stringify(options), String(seeds)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-STDERR_CHARACTERS_MAX);
  });
  const ended = new Promise<string | null>((resolve) => {
    child.on("error", (error) => resolve(String(error)));
    child.on("close", (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${code}`)));
  });
  const hang = (): void => void child.kill("SIGKILL");
  let watchdog = setTimeout(hang, SEED_LIMIT_MS);
  const lines: SeedLine[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    clearTimeout(watchdog);
    watchdog = setTimeout(hang, SEED_LIMIT_MS);
    lines.push(JSON.parse(text) as SeedLine);
  }
  const how = await ended;
  clearTimeout(watchdog);
  const caught = lines.find(({ checker }) => checker !== null) ?? null;
  return {
    caught,
    seeds: lines.length,
    virtualMs: lines.reduce((sum, line) => sum + line.virtualMs, 0),
    wallMs: performance.now() - beganMs,
    broken: how === null || caught !== null ? null : `${how} in seed ${lines.length + 1}\n${errors}`,
  };
}
