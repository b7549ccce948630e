/**
 * A handshaken connection: frames between two nodes that know each other. Pings, pongs and the goodbye are dealt with
 * here; every other frame goes to the owner.
 */
import { CremaError } from "../../base/errors.ts";
import type { ByteWriter } from "../../wire/byte-writer.ts";
import { FRAME_GOODBYE, FRAME_PING, FRAME_PONG } from "../../wire/frame-types.ts";
import type { Identity, Purpose } from "../../wire/handshake-codec.ts";
import type { FrameStream } from "./frame-stream.ts";

/** What the handshake agreed on. */
export interface ChannelTerms {
  readonly purpose: Purpose;
  /** The other end dialled. */
  readonly incoming: boolean;
  /** The version of the link protocol that both ends speak. */
  readonly protocol: number;
  /** Who this node was when it shook hands. */
  readonly local: Identity;
  readonly remote: Identity;
}

/** One handshaken connection. Its owner sets the callbacks right after it gets the channel. */
export class Channel {
  readonly terms: ChannelTerms;
  readonly remote: Identity;
  readonly #frames: FrameStream;
  #farewell = false;
  /** `body` is a view that is valid during the call only. A `WireError` thrown from here closes the channel. */
  onFrame: (type: number, body: Uint8Array) => void = () => {};
  /** Nothing waits to be sent any more. */
  onDrain: () => void = () => {};
  /** Called once. Null: this end or the other said goodbye. An error: the other end may be dead. */
  onClose: (error: Error | null) => void = () => {};

  /** For the registry that counts channels; called right before `onClose`. */
  onRelease: () => void = () => {};

  constructor(frames: FrameStream, terms: ChannelTerms) {
    this.#frames = frames;
    this.terms = terms;
    this.remote = terms.remote;
    frames.trust();
    frames.onFrame = (type, body) => this.#receive(type, body);
    frames.onDrain = () => this.onDrain();
    frames.onClose = (error) => this.#closed(error);
  }

  get isOpen(): boolean {
    return this.#frames.isOpen;
  }

  /** The remote end is this very process. */
  get isSelf(): boolean {
    const { local, remote } = this.terms;
    return local.node === remote.node && local.boot === remote.boot;
  }

  /** Bytes written and not yet handed to the network. */
  get bufferedBytes(): number {
    return this.#frames.bufferedBytes;
  }

  /** A pen for a frame's body; null when the frame cannot be sent. @see FrameStream.beginFrame */
  beginFrame(type: number, light = false): ByteWriter | null {
    return this.#frames.beginFrame(type, light);
  }

  /** The frame leaves with all others of this turn. */
  endFrame(): void {
    this.#frames.endFrame();
  }

  /** Takes back the frame that was begun. */
  cancelFrame(): void {
    this.#frames.cancelFrame();
  }

  /** A frame without a body; false when it cannot be sent. */
  send(type: number): boolean {
    if (this.#frames.beginFrame(type) === null) return false;
    this.#frames.endFrame();
    return true;
  }

  flush(): void {
    this.#frames.flush();
  }

  /** Tells the other end that this is on purpose, sends what is written, and closes. Idempotent. */
  close(): void {
    if (!this.#frames.isOpen) return;
    this.#farewell = true;
    this.send(FRAME_GOODBYE);
    this.#frames.end();
  }

  /** Closes at once; `onClose` will report `error`. Idempotent. */
  destroy(error: Error): void {
    this.#frames.destroy(error);
  }

  /**
   * Keeps a quiet channel honest, called every ping interval: closes it after `silenceTimeoutMs` without a byte (and
   * answers true); one that was idle for `pingIntervalMs` in either direction is pinged by its keeper: the dialling end
   * of a link, the accepting end of a call or bulk stream.
   */
  keepAlive(nowMs: number, pingIntervalMs: number, silenceTimeoutMs: number): boolean {
    const silentMs = nowMs - this.#frames.lastHeardMs;
    if (silentMs >= silenceTimeoutMs) {
      this.destroy(
        new CremaError(
          "CREMA_UNREACHABLE",
          `node ${this.remote.node} was silent for ${Math.round(silentMs)} ms`,
          {
            retryable: true,
          },
        ),
      );
      return true;
    }
    const idle = silentMs >= pingIntervalMs || nowMs - this.#frames.lastSentMs >= pingIntervalMs;
    const keeper = this.terms.incoming !== (this.terms.purpose === "link");
    if (keeper && idle) this.send(FRAME_PING);
    return false;
  }

  /** When the last byte came, in monotonic milliseconds. */
  get lastHeardMs(): number {
    return this.#frames.lastHeardMs;
  }

  /** Asks the other end for a sign of life. */
  ping(): void {
    this.send(FRAME_PING);
  }

  /** Forgets silence up to now: this process did not listen. */
  forgiveSilence(): void {
    this.#frames.forgiveSilence();
  }

  #receive(type: number, body: Uint8Array): void {
    switch (type) {
      case FRAME_PING:
        this.send(FRAME_PONG);
        return;
      case FRAME_PONG:
        return;
      case FRAME_GOODBYE:
        this.#farewell = true;
        return;
      default:
        this.onFrame(type, body);
    }
  }

  #closed(error: Error | null): void {
    this.onRelease();
    if (this.#farewell) this.onClose(null);
    else this.onClose(error ?? new Error(`node ${this.remote.node} closed the connection without goodbye`));
  }
}
