/**
 * What a thread that runs seeds does: it takes orders from a `ThreadPool`, one after the other, and sends back what the run
 * says and what came of it. Virtual time never gives the real event loop a chance, so nothing else may live on that thread.
 */
import { parentPort } from "node:worker_threads";
import type { TraceListener } from "../../src/sim/trace.ts";

/** Lines that cross the border between threads together. */
const LINES_PER_MESSAGE = 200;

export interface TraceLine {
  readonly atMs: number;
  readonly who: string;
  readonly text: string;
}

export interface ToWorker<Options> {
  readonly options: Options;
  readonly traced: boolean;
}

export type FromWorker<Report> =
  | { readonly type: "lines"; readonly lines: readonly TraceLine[] }
  | { readonly type: "report"; readonly report: Report };

/** `failed`: the report of a run that the simulator itself did not survive. */
export function serveRuns<Options, Report>(
  run: (options: Options, hooks: { readonly onLine?: TraceListener }) => Promise<Report>,
  failed: (options: Options, error: unknown) => Report,
): void {
  const port = parentPort;
  port?.on("message", async ({ options, traced }: ToWorker<Options>) => {
    const send = (message: FromWorker<Report>): void => port.postMessage(message);
    let lines: TraceLine[] = [];
    const flush = (): void => {
      if (lines.length > 0) send({ type: "lines", lines });
      lines = [];
    };
    const onLine = (atMs: number, who: string, text: string): void => {
      lines.push({ atMs, who, text });
      if (lines.length >= LINES_PER_MESSAGE) flush();
    };
    const report = await run(options, traced ? { onLine } : {}).catch((error: unknown) =>
      failed(options, error),
    );
    flush();
    send({ type: "report", report });
  });
}
