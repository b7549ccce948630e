/**
 * Work of a node that nobody waits for from one moment to the next: snapshots that are sent or taken in, checkpoints,
 * backups. It is done in small steps, in what the requests leave of the node's time: after the steps of a turn as much
 * time passes as several turns like that one took. A turn that came late because others needed the thread, or the
 * processor, counts with all it took, so the busier a node is the longer its background rests.
 *
 * It never comes to a stand: the longer turns are, the more steps one of them may hold, and a rest is bounded.
 */
import type { Clock } from "./ports.ts";

/** So many turns pass without a step after one that had any. */
const REST_TURNS = 3;
const REST_MS_MAX = 25;
/** What steps may take of a turn, as a share of the one before. The first step of a turn is always done. */
const SHARE_OF_TURN = 0.1;
/** A timer is not worth less: shorter rests are saved up. */
const REST_MS_MIN = 1;

export class Background {
  readonly #clock: Clock;
  readonly #queue = new Set<() => void>();
  /** A turn or the end of a rest is awaited. */
  #underWay = false;
  /** When the steps of the last turn that had any began; null: they are accounted for. */
  #beganAtMs: number | null = null;
  /** How long that turn took. */
  #turnMs = 0;
  #restDueMs = 0;
  #hurries = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on there are no rests: this node has little time left, and what it holds must be elsewhere by then. */
  hurry(): void {
    this.#hurries = true;
  }

  /**
   * Calls `step` once, in its turn, never from within this call. A step takes a fraction of a millisecond, and queues the one
   * that follows it; it must not throw.
   */
  queue(step: () => void): void {
    this.#queue.add(step);
    this.#awaitTurn();
  }

  #awaitTurn(): void {
    if (this.#underWay) return;
    this.#underWay = true;
    this.#clock.defer(() => this.#turn());
  }

  /** The turn of the last steps is over: how long it took tells how long to rest. */
  #turn(): void {
    this.#underWay = false;
    if (this.#beganAtMs !== null) {
      this.#turnMs = this.#clock.nowMs() - this.#beganAtMs;
      this.#beganAtMs = null;
      this.#restDueMs = Math.min(REST_MS_MAX, this.#restDueMs + this.#turnMs * REST_TURNS);
    }
    if (this.#restDueMs >= REST_MS_MIN && !this.#hurries) this.#rest();
    else this.#work();
  }

  #rest(): void {
    this.#underWay = true;
    this.#clock.setTimer(this.#restDueMs, () => {
      this.#underWay = false;
      this.#restDueMs = 0;
      this.#work();
    });
  }

  #work(): void {
    if (this.#queue.size === 0) return;
    const beganAtMs = this.#clock.nowMs();
    const untilMs = beganAtMs + this.#turnMs * SHARE_OF_TURN;
    this.#beganAtMs = beganAtMs;
    do {
      const [step] = this.#queue;
      if (step === undefined) break;
      this.#queue.delete(step);
      step();
    } while (this.#clock.nowMs() < untilMs);
    this.#awaitTurn();
  }
}
