/**
 * The requests of one connection in the order they came. Answers may come in any order; they leave in this one.
 *
 * Pipelined requests run side by side, as long as nobody can tell. The request door decides writes of one shard in the
 * order they were asked, and answers a read only after the writes asked before it. What is left is done here: a write
 * waits while an earlier read of the same key is unanswered, lest that read see it, and a request about the whole key
 * space waits for everything before it. So a pipeline behaves as if each request had waited for the one before.
 */
import { VALUE_BYTES_MAX } from "../base/limits.ts";
import { forEachKey } from "./command-spec.ts";
import type { Request, RequestOwner } from "./request.ts";

/** What the connection does for its queue. */
export interface RequestHandler {
  /** Begins `request`; it may settle before this returns. Never throws. */
  start(request: Request): void;
  /** Writes the answer of `request`. */
  deliver(request: Request): void;
  /** Whether answers must wait for the socket to drain. */
  readonly outputFull: boolean;
  /** The answers that wait are more than the connection may hold. Closes it. */
  overflow(): void;
}

export interface RequestQueueLimits {
  /** Requests running at once. */
  readonly runningRequestsMax: number;
  /** Bytes of answers that wait to be written. */
  readonly outputBytesMax: number;
}

/**
 * An ordered line of requests. Not bounded by itself: the connection stops reading at its limits.
 *
 * How many run at once depends on how large answers have lately been: so many that, were all of them as large, half of
 * the allowance for answers would hold them. A new connection is presumed to ask for the largest values.
 */
export class RequestQueue implements RequestOwner {
  readonly #handler: RequestHandler;
  readonly #limits: RequestQueueLimits;
  /** The oldest request whose answer is not written. */
  #head: Request | null = null;
  #tail: Request | null = null;
  /** The oldest request that has not started. */
  #cursor: Request | null = null;
  #size = 0;
  /** Started and not yet written. */
  #running = 0;
  /** The request that nothing may run beside. */
  #alone: Request | null = null;
  /** The youngest unanswered read of each key. Older ones of the same key are in front of it in the line. */
  readonly #readers = new Map<string, Request>();
  #advancing = false;
  /** Bytes of answers that are there and not written. */
  #answerBytes = 0;
  /** The largest recent answer; every smaller one lowers it by 1/128. */
  #answerBytesPeak = VALUE_BYTES_MAX;

  constructor(handler: RequestHandler, limits: RequestQueueLimits) {
    this.#handler = handler;
    this.#limits = limits;
  }

  /** Requests whose answers are not written yet. */
  get size(): number {
    return this.#size;
  }

  /** Takes the next request; it starts now or when nothing in front of it forbids. */
  push(request: Request): void {
    this.#size++;
    if (this.#tail === null) this.#head = request;
    else this.#tail.next = request;
    this.#tail = request;
    this.#cursor ??= request;
    this.advance();
  }

  settled(request: Request): void {
    const bytes = request.answerBytes;
    this.#answerBytesPeak = Math.max(bytes, this.#answerBytesPeak - this.#answerBytesPeak / 128);
    this.#answerBytes += bytes;
    if (this.#answerBytes > this.#limits.outputBytesMax) this.#handler.overflow();
    if (request === this.#head) this.advance();
  }

  /** Writes what can be written and starts what may start. Called again when the output has drained. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    do this.#deliverSettled();
    while (this.#startNext());
    this.#advancing = false;
  }

  /** Forgets the requests that have not started. */
  dropWaiting(): void {
    const from = this.#cursor;
    if (from === null) return;
    let last = this.#head === from ? null : this.#head;
    let kept = 0;
    for (let at = last; at !== null && at !== from; at = at.next) {
      last = at;
      kept++;
    }
    if (last === null) this.#head = null;
    else last.next = null;
    this.#tail = last;
    this.#cursor = null;
    this.#size = kept;
  }

  #deliverSettled(): void {
    while (this.#head?.settled && this.#head !== this.#cursor && !this.#handler.outputFull) {
      const request = this.#head;
      this.#head = request.next;
      if (this.#head === null) this.#tail = null;
      this.#size--;
      this.#running--;
      this.#answerBytes -= request.answerBytes;
      if (request === this.#alone) this.#alone = null;
      this.#release(request);
      this.#handler.deliver(request);
    }
  }

  /** Starts the next request if it may start; whether it did. */
  #startNext(): boolean {
    const request = this.#cursor;
    if (request === null || this.#alone !== null || !this.#hasRoom()) return false;
    const order = request.entry.spec.order;
    if (order === "alone") {
      if (request !== this.#head) return false;
      this.#alone = request;
    } else if (order === "keys" && this.#mustWait(request)) {
      return false;
    }
    this.#cursor = request.next;
    this.#running++;
    this.#handler.start(request);
    if (order === "keys" && !request.settled && !request.entry.writes) this.#hold(request);
    return true;
  }

  #hasRoom(): boolean {
    if (this.#running === 0) return true;
    const { runningRequestsMax, outputBytesMax } = this.#limits;
    return this.#running < runningRequestsMax && this.#running * this.#answerBytesPeak * 2 < outputBytesMax;
  }

  /** Whether `request` writes a key that a request before it still reads. */
  #mustWait(request: Request): boolean {
    const { spec, writes } = request.entry;
    if (!writes || this.#readers.size === 0) return false;
    if (spec.lastKey === 1) return this.#readers.has(request.arg(1));
    let found = false;
    forEachKey(spec, request.args, (key) => {
      found ||= this.#readers.has(key);
    });
    return found;
  }

  #hold(request: Request): void {
    const { spec } = request.entry;
    if (spec.lastKey === 1) this.#readers.set(request.arg(1), request);
    else forEachKey(spec, request.args, (key) => this.#readers.set(key, request));
  }

  #release(request: Request): void {
    if (this.#readers.size === 0 || request.entry.spec.order !== "keys" || request.entry.writes) return;
    forEachKey(request.entry.spec, request.args, (key) => {
      if (this.#readers.get(key) === request) this.#readers.delete(key);
    });
  }
}
