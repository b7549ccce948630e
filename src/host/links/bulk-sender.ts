/**
 * The sending end of one bulk stream. It reads its source only as fast as the connection drains and the receiver
 * grants, one piece per turn of the event loop, so that a snapshot never delays a heartbeat.
 */
import { type Address, formatAddress } from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import { CremaError } from "../../base/errors.ts";
import type { NodeId } from "../../base/ids.ts";
import { ByteReader } from "../../wire/byte-reader.ts";
import {
  FRAME_BULK_ABORT,
  FRAME_BULK_ACCEPTED,
  FRAME_BULK_CREDIT,
  FRAME_BULK_DATA,
  FRAME_BULK_FINISH,
  FRAME_BULK_OPEN,
  FRAME_BULK_RESULT,
} from "../../wire/frame-types.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Timer } from "../ports.ts";
import {
  abortChannel,
  BULK_CHUNK_BYTES_MAX,
  BULK_WINDOW_BYTES,
  type BulkSource,
  bulkErrorOf,
  readAbort,
  readValueFrame,
  sendValueFrame,
} from "./bulk-stream.ts";
import type { Channel } from "./channel.ts";
import type { Dial } from "./dialler.ts";
import type { PeerLinks } from "./peer-links.ts";

/** No further piece is read from the source while so much waits in the connection. */
const BUFFERED_BYTES_MAX = 2 * BULK_CHUNK_BYTES_MAX;
/** With a bandwidth limit, pieces are cut so that about so many leave in a second. */
const PIECES_PER_SECOND = 10;
const PIECE_BYTES_MIN = 1_024;
/** Slower than a smallest piece per second would look like a stall. */
export const BULK_BYTES_PER_SECOND_MIN = PIECE_BYTES_MIN;

export interface BulkSendOptions {
  /** Bandwidth of this stream, in bytes per second. Default: as fast as it goes. Limit: >= 1,024. */
  readonly bytesPerSecondMax?: number;
  readonly signal?: AbortSignal;
}

export interface BulkTarget {
  readonly node: NodeId;
  readonly address: Address;
}

/** connecting -> opening (header sent) -> sending -> finishing (all sent) -> over. */
type SenderState = "connecting" | "opening" | "sending" | "finishing" | "over";

export class BulkSender {
  readonly #links: PeerLinks;
  readonly #target: BulkTarget;
  readonly #header: unknown;
  readonly #source: BulkSource;
  readonly #bytesPerSecondMax: number;
  readonly #signal: AbortSignal | undefined;
  readonly #done: (error: Error | null, result: unknown) => void;
  #state: SenderState = "connecting";
  #dial: Dial | null = null;
  #channel: Channel | null = null;
  #grantedBytes = BULK_WINDOW_BYTES;
  #nextPieceAtMs = 0;
  #pumpScheduled = false;
  #paceTimer: Timer | null = null;
  #stallTimer: Timer | null = null;
  #lastProgressMs = 0;
  readonly #onAbort = (): void => {
    this.abort(new CremaError("CREMA_ABORTED", "the bulk stream was aborted by its sender"));
  };

  /** `done` is called once, with an error or a result. */
  constructor(
    links: PeerLinks,
    target: BulkTarget,
    header: unknown,
    source: BulkSource,
    options: BulkSendOptions,
    done: (error: Error | null, result: unknown) => void,
  ) {
    this.#links = links;
    this.#target = target;
    this.#header = header;
    this.#source = source;
    this.#bytesPerSecondMax = options.bytesPerSecondMax ?? Number.POSITIVE_INFINITY;
    this.#signal = options.signal;
    this.#done = done;
  }

  start(): void {
    this.#signal?.addEventListener("abort", this.#onAbort);
    const { node, address } = this.#target;
    this.#dial = this.#links.dial({ to: address, purpose: "bulk", expected: node }, (channel, error) => {
      this.#dial = null;
      if (channel === null) this.#end(error, null);
      else this.#open(channel);
    });
  }

  /** Gives up and tells the receiver why. No effect once the stream is over. */
  abort(error: CremaError): void {
    this.#giveUp(error, error);
  }

  #open(channel: Channel): void {
    this.#channel = channel;
    this.#state = "opening";
    channel.onFrame = (type, body) => this.#receive(type, body);
    channel.onDrain = () => this.#pump();
    channel.onClose = (error) => this.#lost(error);
    this.#progress();
    this.#watchForStall();
    try {
      sendValueFrame(channel, FRAME_BULK_OPEN, this.#header);
    } catch (error) {
      this.#giveUp(bulkErrorOf(error), error);
    }
  }

  #receive(type: number, body: Uint8Array): void {
    this.#progress();
    switch (type) {
      case FRAME_BULK_ACCEPTED:
        if (this.#state !== "opening") throw new WireError("a bulk stream is accepted once", 0);
        this.#state = "sending";
        this.#pump();
        break;
      case FRAME_BULK_CREDIT:
        this.#grantedBytes = Math.min(BULK_WINDOW_BYTES, this.#grantedBytes + new ByteReader(body).varint());
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

  /** Sends a piece if everything allows, and comes back for the next one in another turn. */
  #pump(): void {
    const channel = this.#channel;
    if (this.#state !== "sending" || this.#pumpScheduled || channel === null) return;
    if (this.#grantedBytes <= 0 || channel.bufferedBytes >= BUFFERED_BYTES_MAX) return;
    const waitMs = this.#nextPieceAtMs - this.#links.clock.nowMs();
    this.#pumpScheduled = true;
    if (waitMs > 0) this.#paceTimer = this.#links.clock.setTimer(waitMs, () => this.#sendPiece(channel));
    else this.#links.clock.defer(() => this.#sendPiece(channel));
  }

  #sendPiece(channel: Channel): void {
    this.#pumpScheduled = false;
    if (this.#state !== "sending") return;
    try {
      const bytesMax = Math.min(this.#pieceBytesMax(), this.#grantedBytes);
      const piece = this.#source.next(bytesMax);
      if (piece === null) this.#finish(channel);
      else this.#write(channel, piece, bytesMax);
    } catch (error) {
      this.#giveUp(bulkErrorOf(error), error);
      return;
    }
    this.#pump();
  }

  #write(channel: Channel, piece: Uint8Array, bytesMax: number): void {
    assert(piece.length > 0 && piece.length <= bytesMax, "a source gives 1 to bytesMax bytes", {
      bytes: piece.length,
      bytesMax,
    });
    const writer = channel.beginFrame(FRAME_BULK_DATA);
    if (writer === null)
      throw new CremaError("CREMA_UNREACHABLE", "the connection of the bulk stream is closing");
    writer.raw(piece);
    channel.endFrame();
    if (this.#grantedBytes === BULK_WINDOW_BYTES) this.#progress();
    this.#grantedBytes -= piece.length;
    const nowMs = this.#links.clock.nowMs();
    this.#nextPieceAtMs =
      Math.max(nowMs, this.#nextPieceAtMs) + (piece.length * 1_000) / this.#bytesPerSecondMax;
  }

  #finish(channel: Channel): void {
    channel.send(FRAME_BULK_FINISH);
    this.#state = "finishing";
    this.#progress();
  }

  #pieceBytesMax(): number {
    const paced = Math.floor(this.#bytesPerSecondMax / PIECES_PER_SECOND);
    return Math.min(BULK_CHUNK_BYTES_MAX, Math.max(PIECE_BYTES_MIN, paced));
  }

  #progress(): void {
    this.#lastProgressMs = this.#links.clock.nowMs();
  }

  /** One timer at a time, set for the earliest moment at which the stream could count as stalled. */
  #watchForStall(): void {
    const { bulkStallTimeoutMs, bulkResultTimeoutMs } = this.#links.options;
    const limitMs = this.#state === "finishing" ? bulkResultTimeoutMs : bulkStallTimeoutMs;
    const waitsForPeer = this.#state !== "sending" || this.#grantedBytes < BULK_WINDOW_BYTES;
    const stalledMs = this.#links.clock.nowMs() - this.#lastProgressMs;
    if (waitsForPeer && stalledMs >= limitMs) {
      const where = `${this.#target.node} at ${formatAddress(this.#target.address)}`;
      this.abort(
        new CremaError(
          "CREMA_TIMEOUT",
          `the bulk stream to ${where} stalled for ${Math.round(stalledMs)} ms`,
          {
            retryable: true,
            ambiguous: this.#state === "finishing",
          },
        ),
      );
      return;
    }
    const dueMs = stalledMs >= bulkStallTimeoutMs ? bulkStallTimeoutMs : bulkStallTimeoutMs - stalledMs;
    this.#stallTimer = this.#links.clock.setTimer(Math.max(1, dueMs), () => this.#watchForStall());
  }

  #lost(error: Error | null): void {
    const message = `the bulk stream to ${this.#target.node} broke: ${error?.message ?? "the receiver closed it"}`;
    this.#end(
      new CremaError("CREMA_UNREACHABLE", message, {
        retryable: true,
        ambiguous: this.#state === "finishing",
        cause: error ?? undefined,
      }),
      null,
    );
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
    this.#stallTimer?.cancel();
    this.#paceTimer?.cancel();
    this.#dial?.cancel();
    this.#channel?.close();
    this.#done(error, result);
  }
}
