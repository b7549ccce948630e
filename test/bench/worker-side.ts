/**
 * A worker's side of the channel: takes a job, lets the load run, marks the window that counts, and answers.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { FromWorker, Job, Outcome, ToWorker, Word, Work } from "./job.ts";
import type { Load } from "./load/load.ts";
import { Tally } from "./tally.ts";

/** What was asked for at the end of the window must be answered within this. */
const DRAIN_WITHIN_MS = 15_000;
const PREFILL_WITHIN_MS = 120_000;

/** Begins load. `once`: stores every key once and ends by itself. */
export type BeginLoad = (work: Work, ports: readonly number[], tally: Tally, once: boolean) => Load;

/** Does jobs until the parent goes away. Call once, when the worker is ready for them. */
export function serveJobs(begin: BeginLoad): void {
  process.on("disconnect", () => process.exit());
  let words = new Words();
  process.on("message", (message: ToWorker) => {
    if (message.type === "open" || message.type === "enough") {
      words.say(message.type);
      return;
    }
    words = new Words();
    doJob(message, begin, words).then(
      (outcome) => tell({ type: "done", outcome }),
      (error: unknown) =>
        tell({ type: "failed", message: error instanceof Error ? error.message : String(error) }),
    );
  });
  tell({ type: "ready" });
}

/** What the parent says while a load is held. */
class Words {
  readonly heard: Readonly<Record<Word, Promise<void>>>;
  readonly #hear: Record<Word, () => void> = { open: () => {}, enough: () => {} };

  constructor() {
    const said = (word: Word) =>
      new Promise<void>((resolve) => {
        this.#hear[word] = resolve;
      });
    this.heard = { open: said("open"), enough: said("enough") };
  }

  say(word: Word): void {
    this.#hear[word]();
  }
}

async function doJob(job: Job, begin: BeginLoad, { heard }: Words): Promise<Outcome | null> {
  const tally = new Tally();
  const load = begin(job.work, job.ports, tally, job.type === "prefill");
  try {
    if (job.type === "prefill") {
      await within(PREFILL_WITHIN_MS, "all keys are stored", load.finished);
      return null;
    }
    const [warm, over] =
      job.type === "hold"
        ? [() => heard.open, () => heard.enough]
        : [() => passed(job.duration.warmUpSeconds), () => passed(job.duration.seconds)];
    await lasting(warm(), load);
    tell({ type: "window-begins" });
    tally.begin();
    await lasting(over(), load);
    tally.end({ late: job.type === "hold" });
    tell({ type: "window-ends" });
    load.stop();
    await within(DRAIN_WITHIN_MS, "everything is answered after the load has ended", load.finished);
    return tally.outcome();
  } finally {
    load.destroy();
  }
}

function passed(seconds: number): Promise<void> {
  return delay(seconds * 1_000);
}

/** Load until then; rejects at once when it fails. */
async function lasting(until: Promise<void>, load: Load): Promise<void> {
  await Promise.race([until, load.finished.then(() => tooSoon())]);
}

function tooSoon(): never {
  throw new Error("the load ended before its time");
}

async function within(limitMs: number, claim: string, promise: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = delay(limitMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`not within ${limitMs} ms: ${claim}`);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    late.catch(() => undefined);
    over.abort();
  }
}

function tell(message: FromWorker): void {
  process.send?.(message);
}
