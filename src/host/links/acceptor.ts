/**
 * The accepting end of the handshake. Anybody can connect: until the hello is judged a connection gets little memory,
 * little time, and one of few places, and whatever it sends harms nobody else.
 */
import { ByteReader } from "../../wire/byte-reader.ts";
import { FRAME_HELLO, FRAME_REFUSAL, FRAME_WELCOME } from "../../wire/frame-types.ts";
import {
  HANDSHAKE_FRAME_BYTES_MAX,
  type Hello,
  type Identity,
  NO_PROOF,
  type Purpose,
  readHello,
  writeRefusal,
  writeWelcome,
} from "../../wire/handshake-codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Connection, Timer } from "../ports.ts";
import { Channel } from "./channel.ts";
import { FrameStream, type LinkContext } from "./frame-stream.ts";
import { isForeign, judgeHello, type Objection } from "./handshake.ts";

export interface AcceptorEvents {
  /** May refuse a hello that the rules allow (too many channels, nobody serves this purpose). Null: let it in. */
  objection(remote: Identity, purpose: Purpose): Objection | null;
  /** A handshaken channel; set its callbacks before returning. */
  onChannel(channel: Channel): void;
  /** A node of another cluster dialled. */
  onForeignCluster(remote: Identity): void;
}

/** Turns incoming connections into channels. */
export class Acceptor {
  readonly #context: LinkContext;
  readonly #identity: () => Identity;
  readonly #events: AcceptorEvents;
  readonly #handshaking = new Set<FrameStream>();

  constructor(context: LinkContext, identity: () => Identity, events: AcceptorEvents) {
    this.#context = context;
    this.#identity = identity;
    this.#events = events;
  }

  /** Connections in their handshake. */
  get handshaking(): number {
    return this.#handshaking.size;
  }

  accept(connection: Connection): void {
    const { clock, options, counters } = this.#context;
    if (this.#handshaking.size >= options.handshakesMax) {
      counters.handshakesOverflowed++;
      connection.destroy();
      return;
    }
    const frames = new FrameStream(this.#context, connection, HANDSHAKE_FRAME_BYTES_MAX);
    this.#handshaking.add(frames);
    const deadline = clock.setTimer(options.handshakeTimeoutMs, () => {
      counters.handshakesTimedOut++;
      frames.destroy(new Error("no hello in time"));
    });
    frames.onClose = () => this.#settle(frames, deadline);
    frames.onFrame = (type, body) => {
      if (type !== FRAME_HELLO) throw new WireError(`frame ${type} where a hello belongs`, 0);
      const hello = readHello(new ByteReader(body));
      this.#settle(frames, deadline);
      this.#answer(frames, hello);
    };
  }

  close(): void {
    for (const frames of this.#handshaking) frames.destroy(null);
  }

  #settle(frames: FrameStream, deadline: Timer): void {
    deadline.cancel();
    this.#handshaking.delete(frames);
  }

  #answer(frames: FrameStream, hello: Hello): void {
    const local = this.#identity();
    if (isForeign(hello.identity, local)) this.#events.onForeignCluster(hello.identity);
    const verdict = judgeHello(hello, local);
    if (verdict.type === "refuse") {
      this.#refuse(frames, local, verdict.objection);
      return;
    }
    const objection = this.#events.objection(hello.identity, hello.purpose);
    if (objection === null) this.#welcome(frames, local, hello, verdict.protocol);
    else this.#refuse(frames, local, objection);
  }

  #welcome(frames: FrameStream, local: Identity, hello: Hello, protocol: number): void {
    const writer = frames.beginFrame(FRAME_WELCOME);
    if (writer === null) return;
    writeWelcome(writer, { protocol, identity: local, proof: NO_PROOF });
    frames.endFrame();
    const { purpose, identity: remote } = hello;
    this.#events.onChannel(new Channel(frames, { purpose, incoming: true, protocol, local, remote }));
  }

  #refuse(frames: FrameStream, local: Identity, objection: Objection): void {
    this.#context.counters.handshakesRefused++;
    const writer = frames.beginFrame(FRAME_REFUSAL);
    if (writer !== null) {
      writeRefusal(writer, { ...objection, identity: local });
      frames.endFrame();
    }
    frames.end();
  }
}
