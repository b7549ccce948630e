/**
 * The sending end of one bulk stream. It reads its source only as fast as the connection drains, the receiver grants and
 * the node's bandwidth allows. When its connection breaks it dials again and goes on from what the receiver has taken;
 * it ends when that does not succeed within the grace period, or when the receiver does not know the stream any more.
 */
import { type Address, formatAddress } from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import { CremaError } from "../../base/errors.ts";
import type { BootNonce, NodeId } from "../../base/ids.ts";
import {
  FRAME_BULK_ABORT,
  FRAME_BULK_ACCEPTED,
  FRAME_BULK_CREDIT,
  FRAME_BULK_DATA,
  FRAME_BULK_FINISH,
  FRAME_BULK_RESULT,
} from "../../wire/frame-types.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Timer } from "../ports.ts";
import type { BandwidthLimit, SendTurn } from "./bandwidth-limit.ts";
import type { BulkCounters } from "./bulk.ts";
import {
  abortChannel,
  BULK_CHUNK_BYTES_MAX,
  BULK_WINDOW_BYTES,
  type BulkOpening,
  type BulkPosition,
  type BulkSource,
  bulkErrorOf,
  readAbort,
  readAccepted,
  readOffset,
  readValueFrame,
  sendOffset,
  sendOpening,
} from "./bulk-stream.ts";
import type { Channel } from "./channel.ts";
import type { Dial } from "./dialler.ts";
import type { PeerLinks } from "./peer-links.ts";
import { SentWindow } from "./sent-window.ts";

/** No further piece is read from the source while so much waits in the connection. */
const BUFFERED_BYTES_MAX = 2 * BULK_CHUNK_BYTES_MAX;

export interface BulkSendOptions {
  readonly signal?: AbortSignal;
}

export interface BulkTarget {
  readonly node: NodeId;
  readonly address: Address;
}

/** What the streams of a node share. */
export interface BulkShared {
  readonly links: PeerLinks;
  readonly limit: BandwidthLimit;
  readonly counters: BulkCounters;
}

/**
 * connecting -> opening (header sent) -> sending -> finishing (all sent) -> over; from the three in the middle a broken
 * connection leads to suspended, and from there a new one back to opening.
 */
type SenderState = "connecting" | "opening" | "sending" | "finishing" | "suspended" | "over";

export class BulkSender {
  readonly #links: PeerLinks;
  readonly #shared: BulkShared;
  readonly #target: BulkTarget;
  readonly #opening: Omit<BulkOpening, "resumed">;
  readonly #source: BulkSource;
  readonly #signal: AbortSignal | undefined;
  readonly #done: (error: Error | null, result: unknown) => void;
  #state: SenderState = "connecting";
  /** The life of the receiver that has accepted; null before. No other one can know the stream. */
  #boot: BootNonce | null = null;
  #dial: Dial | null = null;
  #channel: Channel | null = null;
  readonly #kept = new SentWindow(BULK_WINDOW_BYTES);
  #exhausted = false;
  /** On the present connection everything before this offset is sent or was taken before. */
  #sentBytes = 0;
  #takenBytes = 0;
  #digestedBytes = 0;
  #turn: SendTurn | null = null;
  #stallTimer: Timer | null = null;
  #lastProgressMs = 0;
  /** When everything had been sent for the first time: no cut gives the receiver more time for its result. */
  #finishingSinceMs: number | null = null;
  #redialTimer: Timer | null = null;
  #graceTimer: Timer | null = null;
  #redials = 0;
  #brokenBy: Error | null = null;
  readonly #onAbort = (): void => {
    this.abort(new CremaError("CREMA_ABORTED", "the bulk stream was aborted by its sender"));
  };

  /** `done` is called once, with an error or a result. */
  constructor(
    shared: BulkShared,
    target: BulkTarget,
    opening: Omit<BulkOpening, "resumed">,
    source: BulkSource,
    options: BulkSendOptions,
    done: (error: Error | null, result: unknown) => void,
  ) {
    this.#shared = shared;
    this.#links = shared.links;
    this.#target = target;
    this.#opening = opening;
    this.#source = source;
    this.#signal = options.signal;
    this.#done = done;
  }

  get suspended(): boolean {
    return this.#state === "suspended";
  }

  start(): void {
    this.#signal?.addEventListener("abort", this.#onAbort);
    this.#connect();
  }

  /** Gives up and tells the receiver why. No effect once the stream is over. */
  abort(error: CremaError): void {
    this.#giveUp(error, error);
  }

  #connect(): void {
    const { node, address } = this.#target;
    this.#dial = this.#links.dial({ to: address, purpose: "bulk", expected: node }, (channel, error) => {
      this.#dial = null;
      if (channel !== null) this.#open(channel);
      else if (this.#boot === null || error?.retryable === false) this.#end(error, null);
      else this.#redialLater();
    });
  }

  #open(channel: Channel): void {
    const resumed = this.#boot !== null;
    if (resumed && channel.remote.boot !== this.#boot) {
      channel.close();
      this.#end(this.#unreachable("broke, and its receiver was started anew", null), null);
      return;
    }
    this.#channel = channel;
    this.#state = "opening";
    channel.onFrame = (type, body) => this.#receive(type, body);
    channel.onDrain = () => this.#pump();
    channel.onClose = (error) => this.#lost(error);
    this.#progress();
    this.#watchForStall();
    try {
      sendOpening(channel, { ...this.#opening, resumed });
    } catch (error) {
      this.#giveUp(bulkErrorOf(error), error);
    }
  }

  /** What does not belong here ends the stream: on another connection it would come again. */
  #receive(type: number, body: Uint8Array): void {
    try {
      this.#hear(type, body);
    } catch (error) {
      if (error instanceof WireError) this.#end(this.#unreachable(`failed: ${error.message}`, error), null);
      throw error;
    }
  }

  #hear(type: number, body: Uint8Array): void {
    this.#progress();
    switch (type) {
      case FRAME_BULK_ACCEPTED:
        if (this.#state !== "opening") throw new WireError("a bulk stream is accepted once", 0);
        this.#accepted(readAccepted(body));
        break;
      case FRAME_BULK_CREDIT:
        this.#credited(readOffset(body));
        this.#pump();
        break;
      case FRAME_BULK_RESULT:
        if (this.#state !== "finishing") throw new WireError("a result before the end of the stream", 0);
        this.#end(null, readValueFrame(body));
        break;
      case FRAME_BULK_ABORT:
        this.#end(readAbort(body), null);
        break;
      default:
        throw new WireError(`frame ${type} where an answer to a bulk stream belongs`, 0);
    }
  }

  #accepted({ takenBytes, digestedBytes }: BulkPosition): void {
    if (takenBytes < this.#takenBytes || takenBytes > this.#kept.end)
      throw new WireError(`${takenBytes} bytes taken of ${this.#kept.end}`, 0);
    if (this.#boot === null) this.#boot = this.#channel?.remote.boot ?? null;
    else this.#shared.counters.resumed++;
    if (takenBytes > this.#takenBytes || this.#finishingSinceMs !== null) this.#movedOn();
    this.#takenBytes = takenBytes;
    this.#sentBytes = takenBytes;
    this.#credited(digestedBytes);
    this.#state = "sending";
    this.#pump();
  }

  #credited(digestedBytes: number): void {
    if (digestedBytes < this.#digestedBytes || digestedBytes > this.#sentBytes)
      throw new WireError(`${digestedBytes} bytes digested of ${this.#sentBytes}`, 0);
    if (digestedBytes > this.#digestedBytes) this.#movedOn();
    this.#digestedBytes = digestedBytes;
    this.#takenBytes = Math.max(this.#takenBytes, digestedBytes);
    this.#kept.release(digestedBytes);
  }

  get #grantedBytes(): number {
    return this.#digestedBytes + BULK_WINDOW_BYTES - this.#sentBytes;
  }

  /** Takes a place among the streams of this node if everything else allows a piece. */
  #pump(): void {
    const channel = this.#channel;
    if (this.#state !== "sending" || this.#turn !== null || channel === null) return;
    if (this.#grantedBytes <= 0 || channel.bufferedBytes >= BUFFERED_BYTES_MAX) return;
    this.#turn = this.#shared.limit.queue(() => {
      this.#turn = null;
      const bytes = this.#sendPiece(channel);
      this.#pump();
      return bytes;
    });
  }

  /** Answers how many bytes it sent. */
  #sendPiece(channel: Channel): number {
    if (this.#state !== "sending" || channel !== this.#channel || !channel.isOpen) return 0;
    try {
      const piece = this.#nextPiece(Math.min(this.#shared.limit.pieceBytesMax, this.#grantedBytes));
      if (piece !== null) return this.#write(channel, piece);
      this.#finish(channel);
    } catch (error) {
      this.#giveUp(bulkErrorOf(error), error);
    }
    return 0;
  }

  /** What a broken connection swallowed comes first. */
  #nextPiece(bytesMax: number): Uint8Array | null {
    if (this.#sentBytes < this.#kept.end) return this.#kept.at(this.#sentBytes, bytesMax);
    if (this.#exhausted) return null;
    const piece = this.#source.next(bytesMax);
    if (piece === null) {
      this.#exhausted = true;
      return null;
    }
    const bytes = piece.length;
    assert(bytes > 0 && bytes <= bytesMax, "a source gives 1 to bytesMax bytes", { bytes, bytesMax });
    this.#kept.push(piece);
    return piece;
  }

  #write(channel: Channel, piece: Uint8Array): number {
    const writer = channel.beginFrame(FRAME_BULK_DATA);
    if (writer === null)
      throw new CremaError("CREMA_UNREACHABLE", "the connection of the bulk stream is closing");
    writer.raw(piece);
    channel.endFrame();
    if (this.#sentBytes === this.#digestedBytes) this.#progress();
    this.#sentBytes += piece.length;
    this.#shared.counters.bytesSent += piece.length;
    return piece.length;
  }

  #finish(channel: Channel): void {
    sendOffset(channel, FRAME_BULK_FINISH, this.#sentBytes);
    this.#state = "finishing";
    this.#progress();
    this.#finishingSinceMs ??= this.#lastProgressMs;
  }

  #progress(): void {
    this.#lastProgressMs = this.#links.clock.nowMs();
  }

  /** One timer at a time, set for the earliest moment at which the stream could count as stalled. */
  #watchForStall(): void {
    const { bulkStallTimeoutMs, bulkResultTimeoutMs } = this.#links.options;
    const finishing = this.#state === "finishing";
    const limitMs = finishing ? bulkResultTimeoutMs : bulkStallTimeoutMs;
    // Waiting for bandwidth is our own affair: only what was sent and is not digested is waited for.
    const waitsForPeer = this.#state !== "sending" || this.#sentBytes > this.#digestedBytes;
    const sinceMs = finishing ? (this.#finishingSinceMs ?? 0) : this.#lastProgressMs;
    const stalledMs = this.#links.clock.nowMs() - sinceMs;
    if (waitsForPeer && stalledMs >= limitMs) {
      const where = `${this.#target.node} at ${formatAddress(this.#target.address)}`;
      const message = `the bulk stream to ${where} stalled for ${Math.round(stalledMs)} ms`;
      const error = new CremaError("CREMA_TIMEOUT", message, { retryable: true, ambiguous: this.#ambiguous });
      // A peer that does not even answer pings may be there still, behind a broken connection.
      if ((this.#channel?.lastHeardMs ?? 0) <= this.#lastProgressMs) this.#channel?.destroy(error);
      else this.abort(error);
      return;
    }
    const dueMs = stalledMs >= bulkStallTimeoutMs ? bulkStallTimeoutMs : bulkStallTimeoutMs - stalledMs;
    this.#stallTimer = this.#links.clock.setTimer(Math.max(1, dueMs), () => this.#watchForStall());
  }

  /** A receiver that closed in order wants no more; anything else may have been the network alone. */
  #lost(error: Error | null): void {
    if (this.#state === "over") return;
    this.#channel = null;
    this.#turn?.cancel();
    this.#turn = null;
    this.#stallTimer?.cancel();
    if (error === null || this.#boot === null) {
      this.#end(this.#unreachable(`broke: ${error?.message ?? "the receiver closed it"}`, error), null);
      return;
    }
    this.#brokenBy = error;
    this.#state = "suspended";
    // Going on is progress enough once everything was sent, so the time for a result is what bounds that.
    const finishingMs = this.#links.clock.nowMs() - (this.#finishingSinceMs ?? Number.POSITIVE_INFINITY);
    if (finishingMs >= this.#links.options.bulkResultTimeoutMs) {
      this.#graceEnded();
      return;
    }
    this.#graceTimer ??= this.#links.clock.setTimer(this.#links.options.bulkGraceMs, () =>
      this.#graceEnded(),
    );
    this.#redialLater();
  }

  #redialLater(): void {
    this.#state = "suspended";
    const delayMs = this.#links.backoffMs(this.#redials++);
    this.#redialTimer = this.#links.clock.setTimer(delayMs, () => this.#connect());
  }

  /** The stream is further than at the last cut: whatever breaks from now on has a grace period of its own. */
  #movedOn(): void {
    this.#graceTimer?.cancel();
    this.#graceTimer = null;
    this.#redials = 0;
  }

  #graceEnded(): void {
    const reason = this.#brokenBy?.message ?? "lost";
    const error = this.#unreachable(`broke and could not go on in time: ${reason}`, this.#brokenBy);
    this.#giveUp(error, error);
  }

  get #ambiguous(): boolean {
    return this.#finishingSinceMs !== null;
  }

  #unreachable(what: string, cause: Error | null): CremaError {
    const message = `the bulk stream to ${this.#target.node} ${what}`;
    return new CremaError("CREMA_UNREACHABLE", message, {
      retryable: true,
      ambiguous: this.#ambiguous,
      cause: cause ?? undefined,
    });
  }

  /** Ends with `failure` here and tells the receiver `told`. */
  #giveUp(told: CremaError, failure: unknown): void {
    if (this.#state === "over") return;
    if (this.#channel?.isOpen) abortChannel(this.#channel, told);
    this.#end(failure instanceof Error ? failure : told, null);
  }

  #end(error: Error | null, result: unknown): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#turn?.cancel();
    this.#stallTimer?.cancel();
    this.#graceTimer?.cancel();
    this.#redialTimer?.cancel();
    this.#dial?.cancel();
    this.#channel?.close();
    this.#done(error, result);
  }
}
