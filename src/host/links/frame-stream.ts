/**
 * Frames over one connection, handshaken or not: cutting what comes in, gathering what goes out into one write per
 * turn, and the bound on what may wait. What the frames mean is not known here.
 */
import { assert } from "../../base/assert.ts";
import { FRAME_BYTES_MAX } from "../../base/limits.ts";
import { ByteWriter } from "../../wire/byte-writer.ts";
import { beginFrame, endFrame, FrameReader } from "../../wire/frame.ts";
import { FRAME_CALL, FRAME_RAFT, FRAME_REQUESTS, FRAME_WATCH } from "../../wire/frame-types.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Clock, Connection, Timer } from "../ports.ts";
import type { FlushQueue } from "./flush-queue.ts";
import type { LinkCounters } from "./link-counters.ts";
import type { LinkOptions } from "./link-options.ts";

/** First allocation of the outgoing writer, and the size below which copying beats handing a buffer over. */
const WRITER_BYTES = 4 * 1024;
/** A buffer of more is not kept for the next frames; one of less is while they are large, too: a node may have a thousand links. */
const REUSED_BYTES_MAX = 128 * 1024;
/** How long an orderly close may take before it is cut short. */
const LINGER_MS = 5_000;

/** What all connections of one node share. */
export interface LinkContext {
  readonly clock: Clock;
  readonly options: LinkOptions;
  readonly counters: LinkCounters;
  readonly flushes: FlushQueue;
}

/** One connection as frames. Its owner sets the callbacks right after construction. */
export class FrameStream {
  readonly #context: LinkContext;
  readonly #connection: Connection;
  readonly #reader: FrameReader;
  readonly #writer = new ByteWriter(WRITER_BYTES, true);
  #frameStart = -1;
  #queued = false;
  #state: "open" | "ending" | "closed" = "open";
  #closeReported = false;
  #linger: Timer | null = null;
  #lastHeardMs: number;
  #lastSentMs: number;
  /** `body` is a view that is valid during the call only. A `WireError` thrown from here closes the connection. */
  onFrame: (type: number, body: Uint8Array) => void = () => {};
  /** Nothing waits any more. */
  onDrain: () => void = () => {};
  /** Called once, never from within a call to this object. */
  onClose: (error: Error | null) => void = () => {};

  constructor(context: LinkContext, connection: Connection, frameBytesMax: number) {
    this.#context = context;
    this.#connection = connection;
    this.#lastHeardMs = context.clock.nowMs();
    this.#lastSentMs = this.#lastHeardMs;
    this.#reader = new FrameReader((type, body) => {
      context.counters.framesReceived++;
      this.onFrame(type, body);
    }, frameBytesMax);
    connection.onData = (bytes) => this.#receive(bytes);
    connection.onDrain = () => this.onDrain();
    connection.onClose = (error) => this.#closed(error);
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Bytes that are written here and not yet handed to the network. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes + this.#writer.length;
  }

  /** When bytes last came, in monotonic milliseconds. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** When a frame last left. */
  get lastSentMs(): number {
    return this.#lastSentMs;
  }

  /** Forgives silence up to now: it was ours, not the peer's. */
  forgiveSilence(): void {
    this.#lastHeardMs = this.#context.clock.nowMs();
  }

  /** From now on frames may have their full size. */
  trust(): void {
    this.#reader.limit(FRAME_BYTES_MAX);
  }

  /**
   * A pen for the body of a frame of `type`, to be followed by {@link FrameStream.endFrame} in the same turn. Null when
   * the frame cannot be sent: the connection is closed, or too much waits (counted as dropped or refused by its type). One that is
   * `light` will be short, whatever its type.
   */
  beginFrame(type: number, light = false): ByteWriter | null {
    if (this.#state !== "open") return null;
    assert(this.#frameStart < 0, "one frame is written at a time", { type });
    if (this.bufferedBytes >= this.#admitBelowBytes(type, light)) {
      if (type === FRAME_RAFT || type === FRAME_WATCH) this.#context.counters.framesDropped++;
      else this.#context.counters.framesRefused++;
      return null;
    }
    this.#frameStart = beginFrame(this.#writer, type);
    return this.#writer;
  }

  /** The frame is complete; it leaves at the end of this turn. */
  endFrame(): void {
    const start = this.#frameStart;
    assert(start >= 0, "a frame was begun");
    this.#frameStart = -1;
    endFrame(this.#writer, start);
    this.#context.counters.framesSent++;
    if (this.#queued) return;
    this.#queued = true;
    this.#context.flushes.add(this);
  }

  /** Takes back the frame that was begun. */
  cancelFrame(): void {
    assert(this.#frameStart >= 0, "a frame was begun");
    this.#writer.reset(this.#frameStart);
    this.#frameStart = -1;
  }

  /** Hands everything written in this turn to the connection, in one write; large entries as they are, between what else was written. */
  flush(): void {
    this.#queued = false;
    const bytes = this.#writer.length;
    if (bytes === 0 || this.#state === "closed") return;
    assert(this.#frameStart < 0, "no frame is flushed half written");
    this.#context.counters.writes++;
    this.#context.counters.bytesSent += bytes;
    this.#lastSentMs = this.#context.clock.nowMs();
    if (this.#writer.isBorrowing) {
      for (const piece of this.#writer.takePieces()) this.#connection.write(piece);
    } else if (bytes <= WRITER_BYTES) {
      this.#connection.write(this.#writer.copy());
      this.#startOver(this.#writer.roomBytes <= WRITER_BYTES);
    } else {
      const isFree = this.#connection.write(this.#writer.view());
      this.#startOver(isFree && bytes <= REUSED_BYTES_MAX);
    }
  }

  /** What was written has left: the next frames are written into the same bytes, or into new ones. */
  #startOver(inPlace: boolean): void {
    if (inPlace) this.#writer.reset();
    else this.#writer.take();
  }

  /** Sends what is written, then closes. Nothing more is delivered. Idempotent. */
  end(): void {
    if (this.#state !== "open") return;
    this.flush();
    this.#state = "ending";
    this.#reader.stop();
    this.#connection.end();
    this.#linger = this.#context.clock.setTimer(LINGER_MS, () => this.#connection.destroy());
  }

  /** Closes at once; `onClose` will report `error`. Idempotent. */
  destroy(error: Error | null): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#reader.stop();
    this.#connection.onClose = () => this.#report(error);
    this.#connection.destroy();
  }

  /** Raft's entries, requests, calls and change streams stop at the limit; answers, pings, what is light and the rest at twice the limit. */
  #admitBelowBytes(type: number, light: boolean): number {
    const limit = this.#context.options.outgoingBytesMax;
    const sheds =
      type === FRAME_RAFT || type === FRAME_REQUESTS || type === FRAME_CALL || type === FRAME_WATCH;
    return sheds && !light ? limit : limit * 2;
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#lastHeardMs = this.#context.clock.nowMs();
    this.#context.counters.bytesReceived += bytes.length;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#context.counters.malformed++;
      this.destroy(error);
    }
  }

  #closed(error: Error | null): void {
    this.#state = "closed";
    this.#reader.stop();
    this.#report(error);
  }

  #report(error: Error | null): void {
    if (this.#closeReported) return;
    this.#closeReported = true;
    this.#linger?.cancel();
    this.onClose(error);
  }
}
