/**
 * A limit for everything that the streams of one node send together: a token bucket, and a queue in which every stream
 * that wants to send has one place. Whoever has sent a piece queues again behind the others, and pieces are of one size,
 * so the streams share the bandwidth equally. Limit or not, a piece is a step of the node's background work, so that bulk
 * never delays a heartbeat, nor a request for long.
 */
import type { Background } from "../background.ts";
import type { Clock, Timer } from "../ports.ts";
import { BULK_CHUNK_BYTES_MAX } from "./bulk-stream.ts";

/** Pieces are cut so that about so many leave in a second; the bucket holds as much as one of them. */
const PIECES_PER_SECOND = 10;
const PIECE_BYTES_MIN = 1_024;
/** With fewer a smallest piece per second would look like a stall. */
export const BULK_BYTES_PER_SECOND_MIN = PIECE_BYTES_MIN;

/** A place in the queue. `cancel` is idempotent. */
export interface SendTurn {
  cancel(): void;
}

/** Sends at most {@link BandwidthLimit.pieceBytesMax} bytes and answers how many. Must not throw. */
export type SendPiece = () => number;

export class BandwidthLimit {
  readonly #clock: Clock;
  readonly #background: Background;
  #bytesPerSecondMax = Number.POSITIVE_INFINITY;
  readonly #queue = new Set<SendPiece>();
  /** What may be sent now. A piece may overdraw it; then nothing is sent until it is above zero again. */
  #tokenBytes = 0;
  #filledAtMs: number;
  #scheduled = false;
  #timer: Timer | null = null;

  constructor(clock: Clock, background: Background) {
    this.#clock = clock;
    this.#background = background;
    this.#filledAtMs = clock.nowMs();
  }

  /** Bytes per second of all streams together, >= 1,024; infinite = no limit. Throws `RangeError`. */
  set bytesPerSecondMax(value: number) {
    if (!(value >= BULK_BYTES_PER_SECOND_MIN)) {
      throw new RangeError(`bytesPerSecondMax must be at least ${BULK_BYTES_PER_SECOND_MIN}, got ${value}`);
    }
    this.#bytesPerSecondMax = value;
  }

  get pieceBytesMax(): number {
    const paced = Math.floor(this.#bytesPerSecondMax / PIECES_PER_SECOND);
    return Math.min(BULK_CHUNK_BYTES_MAX, Math.max(PIECE_BYTES_MIN, paced));
  }

  /** Calls `send` once, in its turn, never from within this call. */
  queue(send: SendPiece): SendTurn {
    this.#queue.add(send);
    this.#schedule();
    return { cancel: () => this.#queue.delete(send) };
  }

  close(): void {
    this.#queue.clear();
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.size === 0) return;
    this.#scheduled = true;
    this.#fill();
    if (this.#tokenBytes > 0) {
      this.#background.queue(() => this.#serve());
      return;
    }
    // A little more than what is owed, so that rounding cannot make a timer come in vain.
    const waitMs = ((1 - this.#tokenBytes) * 1_000) / this.#bytesPerSecondMax;
    this.#timer = this.#clock.setTimer(waitMs, () => this.#serve());
  }

  #serve(): void {
    this.#scheduled = false;
    this.#fill();
    const first = this.#queue.values().next();
    if (first.done) return;
    if (this.#tokenBytes > 0) {
      this.#queue.delete(first.value);
      this.#tokenBytes -= first.value();
    }
    this.#schedule();
  }

  #fill(): void {
    const nowMs = this.#clock.nowMs();
    const gained = ((nowMs - this.#filledAtMs) * this.#bytesPerSecondMax) / 1_000;
    this.#filledAtMs = nowMs;
    if (this.#bytesPerSecondMax === Number.POSITIVE_INFINITY) this.#tokenBytes = this.pieceBytesMax;
    else this.#tokenBytes = Math.min(this.pieceBytesMax, this.#tokenBytes + gained);
  }
}
