/**
 * The thread that runs seeds, one after the other, as it is told by a `WorkerPool`. Virtual time never gives the real
 * event loop a chance, so nothing else may live on this thread.
 */
import { parentPort } from "node:worker_threads";
import type { RunOptions } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import { runSeed } from "../../src/sim/run-seed.ts";
import { simulatorFailed } from "./simulator-failed.ts";

/** Lines that cross the border between threads together. */
const LINES_PER_MESSAGE = 200;

export interface TraceLine {
  readonly atMs: number;
  readonly who: string;
  readonly text: string;
}

export interface ToWorker {
  readonly options: RunOptions;
  readonly traced: boolean;
}

export type FromWorker =
  | { readonly type: "lines"; readonly lines: readonly TraceLine[] }
  | { readonly type: "report"; readonly report: RunReport };

const port = parentPort;
port?.on("message", async ({ options, traced }: ToWorker) => {
  const send = (message: FromWorker): void => port.postMessage(message);
  let lines: TraceLine[] = [];
  const flush = (): void => {
    if (lines.length > 0) send({ type: "lines", lines });
    lines = [];
  };
  const onLine = (atMs: number, who: string, text: string): void => {
    lines.push({ atMs, who, text });
    if (lines.length >= LINES_PER_MESSAGE) flush();
  };
  const report = await runSeed(options, traced ? { onLine } : {}).catch((error: unknown) =>
    simulatorFailed(options, error),
  );
  flush();
  send({ type: "report", report });
});
