/**
 * The receiving end of one bulk stream: hands the pieces to a sink in order, grants more as the sink digests them, and
 * answers the sink's result. The sink hears `finish` or `abort`, exactly one of them, exactly once.
 */
import { CremaError } from "../../base/errors.ts";
import {
  FRAME_BULK_ABORT,
  FRAME_BULK_ACCEPTED,
  FRAME_BULK_CREDIT,
  FRAME_BULK_DATA,
  FRAME_BULK_FINISH,
  FRAME_BULK_OPEN,
  FRAME_BULK_RESULT,
} from "../../wire/frame-types.ts";
import type { Identity } from "../../wire/handshake-codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Timer } from "../ports.ts";
import {
  abortChannel,
  BULK_WINDOW_BYTES,
  type BulkSink,
  bulkErrorOf,
  readAbort,
  readValueFrame,
  sendValueFrame,
} from "./bulk-stream.ts";
import type { Channel } from "./channel.ts";
import type { PeerLinks } from "./peer-links.ts";

/** Decides about an incoming stream: where it goes, or why it does not. */
export type BulkAdmission = (header: unknown, from: Identity) => BulkSink | CremaError;

/** opening (header expected) -> receiving -> finishing (all received) -> over. */
type ReceiverState = "opening" | "receiving" | "finishing" | "over";

export class BulkReceiver {
  readonly #links: PeerLinks;
  readonly #channel: Channel;
  readonly #admit: BulkAdmission;
  readonly #done: () => void;
  #state: ReceiverState = "opening";
  #sink: BulkSink | null = null;
  /** Received and not granted again. */
  #undigestedBytes = 0;
  /** Writes whose promise is not kept yet. */
  #pendingWrites = 0;
  #finishWanted = false;
  #lastProgressMs: number;
  #stallTimer: Timer | null = null;

  /** `done` is called once, when the stream is over. */
  constructor(links: PeerLinks, channel: Channel, admit: BulkAdmission, done: () => void) {
    this.#links = links;
    this.#channel = channel;
    this.#admit = admit;
    this.#done = done;
    this.#lastProgressMs = links.clock.nowMs();
    channel.onFrame = (type, body) => this.#receive(type, body);
    channel.onClose = (error) =>
      this.#end(error ?? new CremaError("CREMA_UNREACHABLE", "the sender closed the bulk stream"));
    this.#watchForStall();
  }

  /** Gives up and tells the sender why. No effect once the stream is over. */
  abort(error: CremaError): void {
    if (this.#state === "over") return;
    if (this.#channel.isOpen) abortChannel(this.#channel, error);
    this.#end(error);
  }

  #receive(type: number, body: Uint8Array): void {
    if (this.#state === "over") return;
    this.#lastProgressMs = this.#links.clock.nowMs();
    if (type === FRAME_BULK_ABORT) {
      const reason = readAbort(body);
      this.#channel.close();
      this.#end(reason);
    } else if (type === FRAME_BULK_OPEN && this.#state === "opening") this.#open(body);
    else if (type === FRAME_BULK_DATA && this.#state === "receiving") this.#write(body);
    else if (type === FRAME_BULK_FINISH && this.#state === "receiving") this.#finishing();
    else throw new WireError(`frame ${type} does not belong here in a bulk stream`, 0);
  }

  #open(body: Uint8Array): void {
    const header = readValueFrame(body);
    const answer = this.#admit(header, this.#channel.remote);
    if (answer instanceof CremaError) {
      this.abort(answer);
      return;
    }
    this.#sink = answer;
    this.#state = "receiving";
    this.#channel.send(FRAME_BULK_ACCEPTED);
  }

  #write(chunk: Uint8Array): void {
    const bytes = chunk.length;
    this.#undigestedBytes += bytes;
    if (this.#undigestedBytes > BULK_WINDOW_BYTES) throw new WireError("more bytes than were granted", 0);
    let kept: void | Promise<void>;
    try {
      kept = this.#sink?.write(chunk);
    } catch (error) {
      this.abort(bulkErrorOf(error));
      return;
    }
    if (!(kept instanceof Promise)) {
      this.#grant(bytes);
      return;
    }
    this.#pendingWrites++;
    kept.then(
      () => this.#digested(bytes),
      (error: unknown) => this.abort(bulkErrorOf(error)),
    );
  }

  #digested(bytes: number): void {
    this.#pendingWrites--;
    if (this.#state === "over") return;
    this.#lastProgressMs = this.#links.clock.nowMs();
    this.#grant(bytes);
    if (this.#finishWanted && this.#pendingWrites === 0) void this.#finish();
  }

  #grant(bytes: number): void {
    this.#undigestedBytes -= bytes;
    const writer = this.#channel.beginFrame(FRAME_BULK_CREDIT);
    if (writer === null) return;
    writer.varint(bytes);
    this.#channel.endFrame();
  }

  #finishing(): void {
    this.#state = "finishing";
    this.#stallTimer?.cancel();
    this.#finishWanted = true;
    if (this.#pendingWrites === 0) void this.#finish();
  }

  async #finish(): Promise<void> {
    this.#finishWanted = false;
    const sink = this.#sink;
    this.#sink = null;
    try {
      const result = await sink?.finish();
      if (this.#state !== "over") sendValueFrame(this.#channel, FRAME_BULK_RESULT, result);
    } catch (error) {
      this.abort(bulkErrorOf(error));
      return;
    }
    this.#end(null);
  }

  /** While the sink is busy the sender waits for us, not we for it. */
  #watchForStall(): void {
    const { bulkStallTimeoutMs } = this.#links.options;
    const silentMs = this.#links.clock.nowMs() - this.#lastProgressMs;
    if (silentMs >= bulkStallTimeoutMs && this.#pendingWrites === 0) {
      const message = `the bulk stream from ${this.#channel.remote.node} stalled for ${Math.round(silentMs)} ms`;
      this.abort(new CremaError("CREMA_TIMEOUT", message, { retryable: true }));
      return;
    }
    const dueMs = this.#pendingWrites > 0 ? bulkStallTimeoutMs : bulkStallTimeoutMs - silentMs;
    this.#stallTimer = this.#links.clock.setTimer(Math.max(1, dueMs), () => this.#watchForStall());
  }

  /** `error` null: finished. The channel is left for the sender to close, so that it gets the result first. */
  #end(error: Error | null): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#stallTimer?.cancel();
    const sink = this.#sink;
    this.#sink = null;
    if (error !== null) sink?.abort(error);
    this.#done();
  }
}
