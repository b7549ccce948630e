/**
 * The receiving end of one bulk stream: hands the pieces to a sink in order, grants more as the sink digests them, and
 * answers the sink's result. The sink hears `finish` or `abort`, exactly one of them, exactly once, over however many
 * connections the stream comes. Without a connection the sink goes on digesting, and the result is kept until the sender
 * has it or the grace period is over.
 */
import { CremaError } from "../../base/errors.ts";
import {
  FRAME_BULK_ABORT,
  FRAME_BULK_CREDIT,
  FRAME_BULK_DATA,
  FRAME_BULK_FINISH,
  FRAME_BULK_RESULT,
} from "../../wire/frame-types.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Timer } from "../ports.ts";
import type { BulkShared } from "./bulk-sender.ts";
import {
  abortChannel,
  BULK_WINDOW_BYTES,
  type BulkSink,
  bulkErrorOf,
  readAbort,
  readOffset,
  sendAccepted,
  sendOffset,
  sendValueFrame,
} from "./bulk-stream.ts";
import type { Channel } from "./channel.ts";

/** receiving -> finishing (all received) -> finished (the result is known) -> over. */
type ReceiverState = "receiving" | "finishing" | "finished" | "over";

export class BulkReceiver {
  readonly #shared: BulkShared;
  readonly #from: string;
  readonly #done: () => void;
  #state: ReceiverState = "receiving";
  #sink: BulkSink | null;
  #channel: Channel | null = null;
  /** Given to the sink. Only ever grows, by whole frames: what is sent next begins here. */
  #takenBytes = 0;
  #digestedBytes = 0;
  /** Writes whose promise is not kept yet. */
  #pendingWrites = 0;
  #result: unknown = null;
  #lastProgressMs = 0;
  #stallTimer: Timer | null = null;
  #graceTimer: Timer | null = null;

  /** `done` is called once, when the stream is over. */
  constructor(shared: BulkShared, from: string, sink: BulkSink, done: () => void) {
    this.#shared = shared;
    this.#from = from;
    this.#sink = sink;
    this.#done = done;
  }

  get suspended(): boolean {
    return this.#channel === null;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** The stream comes over `channel` from now on. One that seems to be open still is a corpse: its sender has left it. */
  attach(channel: Channel): void {
    const left = this.#channel;
    this.#channel = channel;
    left?.destroy(new Error("the bulk stream goes on over another connection"));
    if (this.#state !== "finished") this.#graceTimer?.cancel();
    channel.onFrame = (type, body) => this.#receive(channel, type, body);
    channel.onClose = (error) => this.#lost(channel, error);
    this.#progress();
    sendAccepted(channel, { takenBytes: this.#takenBytes, digestedBytes: this.#digestedBytes });
    if (this.#state === "receiving") this.#watchForStall();
  }

  /** Gives up and tells the sender why. No effect once the stream is over. */
  abort(error: CremaError): void {
    if (this.#state === "over") return;
    if (this.#channel?.isOpen) abortChannel(this.#channel, error);
    this.#end(error);
  }

  /** What does not belong here ends the stream: on another connection it would come again. */
  #receive(channel: Channel, type: number, body: Uint8Array): void {
    if (this.#state === "over" || channel !== this.#channel) return;
    try {
      this.#hear(channel, type, body);
    } catch (error) {
      if (error instanceof WireError) this.#end(error);
      throw error;
    }
  }

  #hear(channel: Channel, type: number, body: Uint8Array): void {
    this.#progress();
    if (type === FRAME_BULK_ABORT) {
      const reason = readAbort(body);
      channel.close();
      this.#end(reason);
    } else if (type === FRAME_BULK_DATA && this.#state === "receiving") this.#write(body);
    else if (type === FRAME_BULK_FINISH) this.#finishing(readOffset(body));
    else throw new WireError(`frame ${type} does not belong here in a bulk stream`, 0);
  }

  #write(chunk: Uint8Array): void {
    const bytes = chunk.length;
    this.#takenBytes += bytes;
    this.#shared.counters.bytesReceived += bytes;
    if (this.#takenBytes - this.#digestedBytes > BULK_WINDOW_BYTES)
      throw new WireError("more bytes than were granted", 0);
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
    this.#progress();
    this.#grant(bytes);
    if (this.#state === "finishing" && this.#pendingWrites === 0) void this.#finish();
  }

  #grant(bytes: number): void {
    this.#digestedBytes += bytes;
    if (this.#channel !== null) sendOffset(this.#channel, FRAME_BULK_CREDIT, this.#digestedBytes);
  }

  /** Told again on every connection on which no result came. The sink hears of it the first time only. */
  #finishing(endBytes: number): void {
    if (endBytes !== this.#takenBytes) throw new WireError(`an end at ${endBytes} of ${this.#takenBytes}`, 0);
    if (this.#state === "finished") this.#answer();
    if (this.#state !== "receiving") return;
    this.#state = "finishing";
    this.#stallTimer?.cancel();
    if (this.#pendingWrites === 0) void this.#finish();
  }

  async #finish(): Promise<void> {
    const sink = this.#sink;
    this.#sink = null;
    try {
      const result = await sink?.finish();
      if (this.#state !== "finishing") return;
      this.#result = result;
      this.#state = "finished";
      this.#graceAgain();
      this.#answer();
    } catch (error) {
      this.abort(bulkErrorOf(error));
    }
  }

  #answer(): void {
    if (this.#channel === null) return;
    try {
      sendValueFrame(this.#channel, FRAME_BULK_RESULT, this.#result);
    } catch (error) {
      this.abort(bulkErrorOf(error));
    }
  }

  /** A goodbye means that the sender has its result or wants none; anything else may have been the network alone. */
  #lost(channel: Channel, error: Error | null): void {
    if (channel !== this.#channel || this.#state === "over") return;
    this.#channel = null;
    this.#stallTimer?.cancel();
    if (error === null) this.#end(new CremaError("CREMA_UNREACHABLE", "the sender closed the bulk stream"));
    else if (this.#state !== "finished") this.#graceAgain(error);
  }

  /** The sender has this long to come back, or to fetch its result. */
  #graceAgain(error?: Error): void {
    const { clock, options } = this.#shared.links;
    this.#graceTimer?.cancel();
    const reason = new CremaError("CREMA_UNREACHABLE", `the bulk stream from ${this.#from} broke for good`, {
      retryable: true,
      cause: error,
    });
    const graceMs = this.#sink?.isImpatient === true ? 0 : options.bulkGraceMs;
    this.#graceTimer = clock.setTimer(graceMs, () => this.abort(reason));
  }

  #progress(): void {
    this.#lastProgressMs = this.#shared.links.clock.nowMs();
  }

  /** While the sink is busy the sender waits for us, not we for it. */
  #watchForStall(): void {
    this.#stallTimer?.cancel();
    const { clock, options } = this.#shared.links;
    const { bulkStallTimeoutMs } = options;
    const silentMs = clock.nowMs() - this.#lastProgressMs;
    if (silentMs >= bulkStallTimeoutMs && this.#pendingWrites === 0) {
      const message = `the bulk stream from ${this.#from} stalled for ${Math.round(silentMs)} ms`;
      const error = new CremaError("CREMA_TIMEOUT", message, { retryable: true });
      // A peer that does not even answer pings may be there still, behind a broken connection.
      if ((this.#channel?.lastHeardMs ?? 0) <= this.#lastProgressMs) this.#channel?.destroy(error);
      else this.abort(error);
      return;
    }
    const dueMs = this.#pendingWrites > 0 ? bulkStallTimeoutMs : bulkStallTimeoutMs - silentMs;
    this.#stallTimer = clock.setTimer(Math.max(1, dueMs), () => this.#watchForStall());
  }

  /** The channel is left for the sender to close, so that it gets what was told first. */
  #end(error: Error): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#stallTimer?.cancel();
    this.#graceTimer?.cancel();
    const sink = this.#sink;
    this.#sink = null;
    sink?.abort(error);
    this.#done();
  }
}
