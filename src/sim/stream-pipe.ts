/**
 * One direction of a virtual connection: what goes in comes out in order and complete, later, and cut at other places.
 * Sizes are drawn so that tiny pieces and large ones both occur, and pieces run over the borders of writes. Every piece
 * is delivered in one buffer that is overwritten right after the call, as a real adapter may do: who keeps a view loses.
 */
import { assert } from "../base/assert.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

/** Most bytes handed over in one call. */
export const PIECE_BYTES_MAX = 64 * 1024;
const TINY_PIECE_BYTES_MAX = 16;
/** Written and not delivered. A sender that gets here ignores `bufferedBytes`. */
const BUFFERED_BYTES_MAX = 512 * 1024 * 1024;

/** What the far end hears. */
export interface PipeSink {
  /** Its process is paused: what is on its way waits. */
  readonly stalled: boolean;
  /** The connection is established. */
  opened(): void;
  /** `bytes` are overwritten after the call. */
  received(bytes: Uint8Array): void;
  /** The near end sends no more. */
  finished(): void;
  /** The connection is gone. */
  reset(reason: string): void;
}

type Segment =
  | { readonly type: "open"; readonly readyAtMs: number }
  | { readonly type: "data"; readonly readyAtMs: number; readonly bytes: Uint8Array; taken: number }
  | { readonly type: "finish"; readonly readyAtMs: number }
  | { readonly type: "reset"; readonly readyAtMs: number; readonly reason: string };

/** From `from` to `to`, both `host:port` of the nodes that own the ends. */
export class StreamPipe {
  readonly #network: VirtualNetwork;
  readonly #from: string;
  readonly #to: string;
  readonly #sink: PipeSink;
  readonly #onDrain: () => void;
  #segments: Segment[] = [];
  #head = 0;
  #bufferedBytes = 0;
  /** Nothing overtakes what was sent before. */
  #lastReadyAtMs = 0;
  #busyUntilMs = 0;
  #waiting = false;
  #closed = false;

  /** `onDrain` is called when everything written has been delivered. */
  constructor(network: VirtualNetwork, from: string, to: string, sink: PipeSink, onDrain: () => void) {
    this.#network = network;
    this.#from = from;
    this.#to = to;
    this.#sink = sink;
    this.#onDrain = onDrain;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  open(): void {
    this.#push({ type: "open", readyAtMs: this.#drawReadyAtMs() });
  }

  /** Takes what comes while nothing waits, as a kernel does: true, and the caller may change `bytes`. What comes behind it stays the caller's. */
  write(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    const taken = this.#bufferedBytes === 0;
    this.#bufferedBytes += bytes.length;
    assert(this.#bufferedBytes <= BUFFERED_BYTES_MAX, "senders obey bufferedBytes", { to: this.#to });
    const own = taken ? new Uint8Array(bytes) : bytes;
    this.#push({ type: "data", readyAtMs: this.#drawReadyAtMs(), bytes: own, taken: 0 });
    return taken;
  }

  /** After everything written so far. */
  finish(): void {
    this.#push({ type: "finish", readyAtMs: this.#drawReadyAtMs() });
  }

  /** Instead of every byte not yet delivered; that the connection was established is still heard. */
  reset(reason: string): void {
    const first = this.#segments[this.#head];
    this.#clear();
    if (first?.type === "open") this.#segments.push(first);
    this.#push({ type: "reset", readyAtMs: this.#drawReadyAtMs(), reason });
  }

  /** Delivers nothing more. */
  close(): void {
    this.#clear();
    this.#closed = true;
  }

  /** The network healed: go on. */
  resume(): void {
    this.#waiting = false;
    this.#wait();
  }

  #clear(): void {
    this.#segments = [];
    this.#head = 0;
    this.#bufferedBytes = 0;
  }

  #drawReadyAtMs(): number {
    const readyAtMs = this.#network.clock.nowMs() + this.#network.drawDelayMs();
    this.#lastReadyAtMs = Math.max(this.#lastReadyAtMs, readyAtMs);
    return this.#lastReadyAtMs;
  }

  #push(segment: Segment): void {
    if (this.#closed) return;
    this.#segments.push(segment);
    this.#wait();
  }

  #wait(): void {
    const first = this.#segments[this.#head];
    if (this.#waiting || first === undefined) return;
    this.#waiting = true;
    const dueMs = Math.max(first.readyAtMs, this.#busyUntilMs);
    this.#network.clock.setTimer(dueMs - this.#network.clock.nowMs(), () => this.#deliver());
  }

  #deliver(): void {
    if (this.#sink.stalled || !this.#network.carries(this.#from, this.#to)) {
      this.#network.stall(this);
      return;
    }
    this.#waiting = false;
    const first = this.#segments[this.#head];
    if (first === undefined) return;
    switch (first.type) {
      case "data":
        this.#deliverPiece();
        break;
      case "open":
        this.#head++;
        this.#sink.opened();
        break;
      case "finish":
        this.#head++;
        this.#sink.finished();
        break;
      case "reset":
        this.close();
        this.#sink.reset(first.reason);
        break;
    }
    this.#wait();
  }

  #deliverPiece(): void {
    const length = this.#fillPiece(this.#drawPieceBytes());
    this.#bufferedBytes -= length;
    this.#busyUntilMs = this.#network.clock.nowMs() + length / this.#network.conditions.streamBytesPerMs;
    const piece = this.#network.pieceBuffer.subarray(0, length);
    const drained = this.#bufferedBytes === 0;
    this.#sink.received(piece);
    piece.fill(0xdd);
    if (drained && !this.#closed) this.#onDrain();
  }

  /** Mostly large, often tiny, sometimes anything between. */
  #drawPieceBytes(): number {
    const random = this.#network.random;
    switch (random.nextBelow(8)) {
      case 0:
        return random.nextBetween(1, TINY_PIECE_BYTES_MAX);
      case 1:
        return random.nextBetween(1, PIECE_BYTES_MAX);
      default:
        return PIECE_BYTES_MAX;
    }
  }

  /** Gathers up to `wanted` bytes that are due from the data at the head; answers how many. */
  #fillPiece(wanted: number): number {
    const nowMs = this.#network.clock.nowMs();
    let filled = 0;
    while (filled < wanted) {
      const segment = this.#segments[this.#head];
      if (segment?.type !== "data" || segment.readyAtMs > nowMs) break;
      const part = segment.bytes.subarray(segment.taken, segment.taken + wanted - filled);
      this.#network.pieceBuffer.set(part, filled);
      filled += part.length;
      segment.taken += part.length;
      if (segment.taken === segment.bytes.length) this.#head++;
    }
    this.#compact();
    return filled;
  }

  #compact(): void {
    if (this.#head < 64 || this.#head * 2 < this.#segments.length) return;
    this.#segments = this.#segments.slice(this.#head);
    this.#head = 0;
  }
}
