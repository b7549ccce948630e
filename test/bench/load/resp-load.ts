/**
 * Load in the Redis protocol over plain sockets, made so that little of the machine goes to it: requests are bytes made before,
 * replies are counted where they lie, one buffer per connection takes them all.
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import type { RespWork } from "../job.ts";
import type { Tally } from "../tally.ts";
import type { Load } from "./load.ts";
import { Pace } from "./pace.ts";
import { ReplyCounter } from "./reply-counter.ts";
import { type RespBatches, request, respBatches } from "./resp-batches.ts";

const READ_BUFFER_BYTES = 16 * 1024;
/** How often a paced load looks whether something is due. */
const PACE_TICK_MS = 1;

export class RespLoad implements Load {
  readonly finished: Promise<void>;
  readonly #connections: readonly RespConnection[];
  readonly #ticker: NodeJS.Timeout | null;

  /** `once`: every batch is sent once, then the load ends by itself. */
  constructor(work: RespWork, ports: readonly number[], tally: Tally, once: boolean) {
    const batches = respBatches(work);
    const { buffers } = batches;
    let next = 0;
    const nextBatch = () => {
      if (next === buffers.length) {
        if (once) return null;
        next = 0;
      }
      return buffers[next++] as Buffer;
    };
    const prelude = work.readOnly ? Buffer.from(request("READONLY")) : null;
    const beganAtMs = performance.now();
    this.#connections = Array.from({ length: work.connections }, (_, at) => {
      const port = ports[at % ports.length] as number;
      const pace = work.perSecond === null ? null : paceOf(at, work.connections, work.perSecond, beganAtMs);
      return new RespConnection({ port, prelude, batches, nextBatch, tally, mayBeBusy: !once, pace });
    });
    this.#ticker =
      work.perSecond === null
        ? null
        : setInterval(() => {
            for (const connection of this.#connections) connection.tick();
          }, PACE_TICK_MS);
    this.finished = Promise.all(this.#connections.map(({ finished }) => finished)).then(() => undefined);
  }

  stop(): void {
    for (const connection of this.#connections) connection.stop();
  }

  destroy(): void {
    if (this.#ticker !== null) clearInterval(this.#ticker);
    for (const connection of this.#connections) connection.destroy();
  }
}

/** So that the connections take turns. */
function paceOf(at: number, connections: number, perSecond: number, beganAtMs: number): Pace {
  const distanceMs = 1_000 / perSecond;
  return new Pace(beganAtMs + at * distanceMs, connections * distanceMs);
}

interface ConnectionParts {
  readonly port: number;
  /** Sent first; its reply is awaited and must be a status. */
  readonly prelude: Buffer | null;
  readonly batches: RespBatches;
  readonly nextBatch: () => Buffer | null;
  readonly tally: Tally;
  /** Whether a refusal as busy is counted; else it is a failure, for then a key is missing. */
  readonly mayBeBusy: boolean;
  /** null: a batch is sent once the one before is answered. */
  readonly pace: Pace | null;
}

/** One connection with one batch under way. */
class RespConnection {
  readonly finished: Promise<void>;
  readonly #parts: ConnectionParts;
  readonly #socket: Socket;
  #counter: ReplyCounter;
  #inPrelude: boolean;
  /** Replies that the batch still lacks. */
  #repliesLeft = 0;
  /** Refusals that were not subtracted yet from what succeeded. */
  #errors = 0;
  #sentAtMs = 0;
  #stopping = false;
  /** Everything is answered, and nothing is due. */
  #idle = false;
  #finish: () => void = () => {};
  #fail: (error: Error) => void = () => {};

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#inPrelude = parts.prelude !== null;
    this.#counter = this.#counterOf(this.#inPrelude ? ["status"] : parts.batches.expected);
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.#socket = connect({
      host: "127.0.0.1",
      port: parts.port,
      noDelay: true,
      onread: {
        buffer: Buffer.alloc(READ_BUFFER_BYTES),
        callback: (length, chunk) => {
          this.#onReplies(chunk, length);
          return true;
        },
      },
    });
    this.#socket.once("connect", () => {
      if (parts.prelude === null) this.#proceed(true);
      else this.#socket.write(parts.prelude);
    });
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error(`port ${parts.port} hung up`)));
  }

  /** Sends no further batch. */
  stop(): void {
    this.#stopping = true;
    if (this.#idle) this.destroy();
  }

  /** Sends the batch that has become due meanwhile. */
  tick(): void {
    if (this.#idle) this.#proceed(true);
  }

  destroy(): void {
    this.#finish();
    this.#socket.destroy();
  }

  #onReplies(chunk: Uint8Array, length: number): void {
    let replies: number;
    try {
      replies = this.#counter.push(chunk, length);
    } catch (error) {
      this.#fail(error as Error);
      this.#socket.destroy();
      return;
    }
    if (this.#inPrelude) {
      if (replies === 0) return;
      this.#inPrelude = false;
      this.#counter = this.#counterOf(this.#parts.batches.expected);
      this.#proceed(true);
      return;
    }
    if (replies === 0) return;
    this.#repliesLeft -= replies;
    const { operations, expected, afterwards } = this.#parts.batches;
    // With WAIT the writes count once their batch is replicated; without, each reply as it comes.
    if (expected.length === operations) this.#count(replies);
    else if (this.#repliesLeft === 0) this.#count(operations);
    if (this.#repliesLeft === 0) this.#proceed(false);
    else if (this.#repliesLeft === 1 && afterwards !== null) this.#socket.write(afterwards);
  }

  #count(operations: number): void {
    const succeeded = operations - this.#errors;
    this.#errors = 0;
    if (succeeded > 0) this.#parts.tally.succeeded(performance.now() - this.#sentAtMs, succeeded);
  }

  /** Sends what is next, or waits for its time. */
  #proceed(wasIdle: boolean): void {
    const { pace } = this.#parts;
    const nowMs = performance.now();
    const sinceMs = pace === null || this.#stopping ? nowMs : pace.take(nowMs, wasIdle);
    this.#idle = sinceMs === null;
    if (sinceMs !== null) this.#sendBatch(sinceMs);
  }

  /** `sinceMs`: from when its replies are late. */
  #sendBatch(sinceMs: number): void {
    const batch = this.#stopping ? null : this.#parts.nextBatch();
    if (batch === null) {
      this.destroy();
      return;
    }
    this.#repliesLeft = this.#parts.batches.expected.length;
    this.#sentAtMs = sinceMs;
    this.#socket.write(batch);
  }

  #counterOf(expected: RespBatches["expected"]): ReplyCounter {
    const { mayBeBusy, tally } = this.#parts;
    const onError = (text: string) => {
      if (!mayBeBusy || !text.startsWith("BUSY ")) throw new Error(`an error reply: ${text}`);
      this.#errors++;
      tally.refusedAsBusy();
    };
    return new ReplyCounter(expected, onError, () => tally.foundNothing());
  }
}
