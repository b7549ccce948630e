/**
 * What the founding tells people: each thing once, and again only when it has changed.
 */
import { type Address, formatAddress } from "../base/address.ts";
import type { FoundingAction, FoundingResponder } from "./founding-messages.ts";

/** A founding that goes well is over before this: what it waits for meanwhile is not worth a line. */
const QUIET_MS = 1_000;

export class FoundingReports {
  readonly #emit: (report: FoundingAction) => void;
  readonly #startedMs: number;
  readonly #unreachable = new Set<string>();
  #waiting: string | null = null;
  #mismatch = "";

  constructor(nowMs: number, emit: (report: FoundingAction) => void) {
    this.#emit = emit;
    this.#startedMs = nowMs;
  }

  /** No address behind `seed` answers. */
  unreachable(seed: Address, reason: string): void {
    const text = formatAddress(seed);
    if (this.#unreachable.has(text)) return;
    this.#unreachable.add(text);
    const message = `seed ${text} cannot be reached: ${reason}`;
    this.#emit({ type: "report", level: "warn", code: "seed-unreachable", seed, message });
  }

  reachable(seeds: readonly Address[]): void {
    for (const seed of seeds) {
      const text = formatAddress(seed);
      if (!this.#unreachable.delete(text)) continue;
      this.#emit({
        type: "report",
        level: "info",
        code: "seed-reachable",
        seed,
        message: `seed ${text} answers`,
      });
    }
  }

  /** What stands between this node and a cluster. */
  waiting(message: string): void {
    if (message === this.#waiting) return;
    this.#waiting = message;
    this.#emit({ type: "report", level: "info", code: "waiting", message });
  }

  /** As {@link waiting}, but quiet while a founding may simply be under way. */
  waitingAt(nowMs: number, obstacle: () => string | null): void {
    if (nowMs - this.#startedMs < QUIET_MS) return;
    const message = obstacle();
    if (message !== null) this.waiting(`waiting: ${message}`);
  }

  /** Nodes at seed addresses that would found by another list than `own`. */
  mismatches(others: readonly FoundingResponder[], own: readonly string[]): void {
    const lists = others.map(
      ({ identity, seeds }) => `${formatAddress(identity.address)} has [${seeds.join(", ")}]`,
    );
    const text = lists.sort().join("; ");
    if (text === this.#mismatch) return;
    this.#mismatch = text;
    if (text === "") {
      this.#emit({ type: "report", level: "info", message: "all seeds have the same seed list now" });
      return;
    }
    const message =
      `CREMA_SEED_MISMATCH: nothing is founded while seed lists differ: this node has [${own.join(", ")}], ${text}. ` +
      "Give every founding node the same list";
    this.#emit({ type: "report", level: "warn", code: "seed-mismatch", message });
  }
}
