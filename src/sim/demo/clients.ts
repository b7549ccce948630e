/**
 * The clients of the story: they ask through a node of their choice, tell how it went, and remember what they were
 * promised, for the checks at the end.
 */
import { CremaError } from "../../base/errors.ts";
import type { FleetLife } from "../fleet.ts";
import type { Outcome, StoryStep } from "./story.ts";

/** What clients learned in the course of a story. */
export interface Promises {
  /** By key: the value of the last write that was acknowledged. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** By key: values of writes that ended without an answer. Each may be applied at any later time, or never. */
  readonly unanswered: ReadonlyMap<string, readonly string[]>;
  readonly writesAcknowledged: number;
  /** Linearizable ones. */
  readonly readsAnswered: number;
  /** Those of them whose answer was neither the last value acknowledged before nor that of an unanswered write. */
  readonly staleReads: number;
}

export class Clients {
  readonly #nowMs: () => number;
  readonly #tell: (step: StoryStep) => void;
  readonly #acknowledged = new Map<string, string>();
  readonly #unanswered = new Map<string, readonly string[]>();
  #writesAcknowledged = 0;
  #readsAnswered = 0;
  #staleReads = 0;

  constructor(nowMs: () => number, tell: (step: StoryStep) => void) {
    this.#nowMs = nowMs;
    this.#tell = tell;
  }

  get promises(): Promises {
    return {
      acknowledged: this.#acknowledged,
      unanswered: this.#unanswered,
      writesAcknowledged: this.#writesAcknowledged,
      readsAnswered: this.#readsAnswered,
      staleReads: this.#staleReads,
    };
  }

  async write(via: FleetLife, key: string, value: string, timeoutMs?: number): Promise<void> {
    const request = `write ${key} = "${value}" at ${via.name}`;
    const askedAtMs = this.#nowMs();
    try {
      await via.node.cache.put(key, value, timeoutMs === undefined ? {} : { timeoutMs });
    } catch (error) {
      if (this.#refused(request, error) === "unknown") {
        this.#unanswered.set(key, [...(this.#unanswered.get(key) ?? []), value]);
      }
      return;
    }
    this.#acknowledged.set(key, value);
    this.#writesAcknowledged++;
    const tookMs = (this.#nowMs() - askedAtMs).toFixed(1);
    this.#answered(request, `OK after ${tookMs} ms`, "ok");
  }

  /** Linearizable: the latest value or none at all. Answers what it was told; null: nothing. */
  async read(via: FleetLife, key: string, timeoutMs?: number): Promise<string | null> {
    const request = `linearizable read of ${key} at ${via.name}`;
    const latest = this.#acknowledged.get(key) ?? null;
    try {
      const value = await via.node.cache.consistentGet(key, timeoutMs === undefined ? {} : { timeoutMs });
      const fresh = value === latest || isAmong(value, this.#unanswered.get(key));
      this.#readsAnswered++;
      if (!fresh) this.#staleReads++;
      this.#answered(request, quoted(value), fresh ? "ok" : "old");
      return value;
    } catch (error) {
      this.#refused(request, error);
      return null;
    }
  }

  /** Of the node's own copy. */
  async readLocal(via: FleetLife, key: string): Promise<void> {
    const value = await via.node.cache.get(key);
    const isLatest = value === (this.#acknowledged.get(key) ?? null);
    const answer = isLatest ? quoted(value) : `${quoted(value)}: an old value, as a local read may be`;
    this.#answered(`local read of ${key} at ${via.name}`, answer, isLatest ? "ok" : "old");
  }

  #answered(request: string, answer: string, outcome: "ok" | "old"): void {
    this.#tell({ type: "answer", atMs: this.#nowMs(), request, answer, outcome });
  }

  #refused(request: string, error: unknown): Outcome {
    if (!(error instanceof CremaError)) throw error;
    const outcome = error.ambiguous ? "unknown" : "refused";
    this.#tell({
      type: "answer",
      atMs: this.#nowMs(),
      request,
      answer: `${error.code}: ${error.message}`,
      outcome,
    });
    return outcome;
  }
}

/** Whether `value` was written by one of `writes`. */
export function isAmong(value: string | null, writes: readonly string[] | undefined): boolean {
  return value !== null && (writes?.includes(value) ?? false);
}

function quoted(value: string | null): string {
  return value === null ? "nothing" : `"${value}"`;
}
