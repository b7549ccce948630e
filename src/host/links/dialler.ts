/**
 * The dialling end of the handshake: connect, say hello, judge the answer, and hand over a channel or the reason why
 * there is none. Every attempt ends, by success, failure or a deadline.
 */
import { type Address, formatAddress } from "../../base/address.ts";
import { CremaError } from "../../base/errors.ts";
import type { NodeId } from "../../base/ids.ts";
import { ByteReader } from "../../wire/byte-reader.ts";
import { FRAME_HELLO, FRAME_REFUSAL, FRAME_WELCOME } from "../../wire/frame-types.ts";
import {
  HANDSHAKE_FRAME_BYTES_MAX,
  type Identity,
  NO_PROOF,
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  type Purpose,
  readRefusal,
  readWelcome,
  writeHello,
} from "../../wire/handshake-codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Streams, Timer } from "../ports.ts";
import { Channel } from "./channel.ts";
import { FrameStream, type LinkContext } from "./frame-stream.ts";
import { errorOfObjection, errorOfRefusal, isForeign, judgeWelcome, sameIdentity } from "./handshake.ts";

export interface DialTarget {
  readonly to: Address;
  readonly purpose: Purpose;
  /** Who must answer; null: whoever is there. */
  readonly expected: NodeId | null;
}

/** What became of a dial; called once, never from within `dial`. Exactly one of the two is set. */
export type DialDone = (channel: Channel | null, error: CremaError | null) => void;

/** A dial under way. `cancel` ends it without a report; idempotent, no effect once reported. */
export interface Dial {
  cancel(): void;
}

/** What a dial may find out besides its outcome. */
export interface DialEvents {
  /** A node of another cluster answered. */
  onForeignCluster(remote: Identity): void;
  /** Another node answered at the address of `expected`: that process is gone from there. */
  onReplaced(expected: NodeId, found: Identity): void;
}

/** Dials other nodes in the name of `identity()`, which is asked for each attempt. */
export class Dialler {
  readonly #context: LinkContext;
  readonly #streams: Streams;
  readonly #identity: () => Identity;
  readonly #events: DialEvents;

  constructor(context: LinkContext, streams: Streams, identity: () => Identity, events: DialEvents) {
    this.#context = context;
    this.#streams = streams;
    this.#identity = identity;
    this.#events = events;
  }

  /** Never throws. */
  dial(target: DialTarget, done: DialDone): Dial {
    this.#context.counters.dials++;
    return new Attempt(this.#context, this.#streams, this.#identity, this.#events, target, done);
  }
}

class Attempt implements Dial {
  readonly #context: LinkContext;
  readonly #identity: () => Identity;
  readonly #events: DialEvents;
  readonly #target: DialTarget;
  readonly #done: DialDone;
  readonly #frames: FrameStream;
  readonly #local: Identity;
  #deadline: Timer | null = null;
  #over = false;

  constructor(
    context: LinkContext,
    streams: Streams,
    identity: () => Identity,
    events: DialEvents,
    target: DialTarget,
    done: DialDone,
  ) {
    this.#context = context;
    this.#identity = identity;
    this.#events = events;
    this.#target = target;
    this.#done = done;
    this.#local = identity();
    const connection = streams.connect(target.to, context.options.connectTimeoutMs);
    this.#frames = new FrameStream(context, connection, HANDSHAKE_FRAME_BYTES_MAX);
    connection.onOpen = () => this.#sayHello();
    this.#frames.onFrame = (type, body) => this.#hear(type, body);
    this.#frames.onClose = (error) =>
      this.#fail(this.#unreachable(error?.message ?? "closed during handshake", error));
  }

  cancel(): void {
    if (this.#over) return;
    this.#finish();
    this.#frames.destroy(null);
  }

  #sayHello(): void {
    this.#deadline = this.#context.clock.setTimer(this.#context.options.handshakeTimeoutMs, () => {
      this.#context.counters.handshakesTimedOut++;
      this.#frames.destroy(new Error("no answer to the handshake"));
    });
    const writer = this.#frames.beginFrame(FRAME_HELLO);
    if (writer === null) return;
    writeHello(writer, {
      protocolMin: PROTOCOL_MIN,
      protocolMax: PROTOCOL_MAX,
      purpose: this.#target.purpose,
      identity: this.#local,
      proof: NO_PROOF,
      expected: this.#target.expected,
    });
    this.#frames.endFrame();
  }

  #hear(type: number, body: Uint8Array): void {
    if (type === FRAME_WELCOME) this.#welcomed(body);
    else if (type === FRAME_REFUSAL) this.#refused(body);
    else throw new WireError(`frame ${type} where a welcome belongs`, 0);
  }

  #welcomed(body: Uint8Array): void {
    const welcome = readWelcome(new ByteReader(body));
    if (!sameIdentity(this.#local, this.#identity())) {
      this.#giveUp(this.#unreachable("this node changed its identity meanwhile", null));
      return;
    }
    const { purpose, expected } = this.#target;
    const objection = judgeWelcome(welcome, this.#local, purpose, expected);
    if (objection !== null) {
      this.#context.counters.handshakesRefused++;
      if (expected !== null && welcome.identity.node !== expected) {
        this.#events.onReplaced(expected, welcome.identity);
      }
      this.#tellForeign(welcome.identity);
      this.#giveUp(errorOfObjection(objection));
      return;
    }
    this.#finish();
    const channel = new Channel(this.#frames, {
      purpose,
      incoming: false,
      protocol: welcome.protocol,
      local: this.#local,
      remote: welcome.identity,
    });
    this.#done(channel, null);
  }

  #refused(body: Uint8Array): void {
    const refusal = readRefusal(new ByteReader(body));
    this.#context.counters.handshakesRefused++;
    const { expected } = this.#target;
    if (expected !== null && refusal.identity.node !== expected) {
      this.#events.onReplaced(expected, refusal.identity);
    }
    this.#tellForeign(refusal.identity);
    this.#giveUp(errorOfRefusal(refusal));
  }

  #tellForeign(remote: Identity): void {
    if (isForeign(remote, this.#local)) this.#events.onForeignCluster(remote);
  }

  #giveUp(error: CremaError): void {
    this.#frames.destroy(null);
    this.#fail(error);
  }

  #fail(error: CremaError): void {
    if (this.#over) return;
    this.#context.counters.dialsFailed++;
    this.#finish();
    this.#done(null, error);
  }

  #finish(): void {
    this.#over = true;
    this.#deadline?.cancel();
  }

  #unreachable(reason: string, cause: Error | null): CremaError {
    const message = `cannot reach ${formatAddress(this.#target.to)}: ${reason}`;
    return new CremaError("CREMA_UNREACHABLE", message, { retryable: true, cause: cause ?? undefined });
  }
}
