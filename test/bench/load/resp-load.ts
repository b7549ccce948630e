/**
 * Load in the Redis protocol over plain sockets, made so that little of the machine goes to it: requests are bytes made before,
 * replies are counted where they lie, one buffer per connection takes them all.
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import type { RespWork } from "../job.ts";
import type { Tally } from "../tally.ts";
import type { Load } from "./load.ts";
import { ReplyCounter } from "./reply-counter.ts";
import { type RespBatches, request, respBatches } from "./resp-batches.ts";

const READ_BUFFER_BYTES = 16 * 1024;

export class RespLoad implements Load {
  readonly finished: Promise<void>;
  readonly #connections: readonly RespConnection[];

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
    this.#connections = Array.from({ length: work.connections }, (_, at) => {
      const port = ports[at % ports.length] as number;
      return new RespConnection({ port, prelude, batches, nextBatch, tally, mayBeBusy: !once });
    });
    this.finished = Promise.all(this.#connections.map(({ finished }) => finished)).then(() => undefined);
  }

  stop(): void {
    for (const connection of this.#connections) connection.stop();
  }

  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
  }
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
      if (parts.prelude === null) this.#sendBatch();
      else this.#socket.write(parts.prelude);
    });
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error(`port ${parts.port} hung up`)));
  }

  /** Sends no further batch. */
  stop(): void {
    this.#stopping = true;
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
      this.#sendBatch();
      return;
    }
    if (replies === 0) return;
    this.#repliesLeft -= replies;
    const { operations, expected } = this.#parts.batches;
    // With WAIT the writes count once their batch is replicated; without, each reply as it comes.
    if (expected.length === operations) this.#count(replies);
    else if (this.#repliesLeft === 0) this.#count(operations);
    if (this.#repliesLeft === 0) this.#sendBatch();
  }

  #count(operations: number): void {
    const succeeded = operations - this.#errors;
    this.#errors = 0;
    if (succeeded > 0) this.#parts.tally.succeeded(performance.now() - this.#sentAtMs, succeeded);
  }

  #sendBatch(): void {
    const batch = this.#stopping ? null : this.#parts.nextBatch();
    if (batch === null) {
      this.destroy();
      return;
    }
    this.#repliesLeft = this.#parts.batches.expected.length;
    this.#sentAtMs = performance.now();
    this.#socket.write(batch);
  }

  #counterOf(expected: RespBatches["expected"]): ReplyCounter {
    return new ReplyCounter(expected, (text) => {
      if (!this.#parts.mayBeBusy || !text.startsWith("BUSY ")) throw new Error(`an error reply: ${text}`);
      this.#errors++;
      this.#parts.tally.refusedAsBusy();
    });
  }
}
