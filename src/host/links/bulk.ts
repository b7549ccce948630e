/**
 * Bulk streams between nodes, each on a connection of its own so that it delays nothing else: snapshots above all.
 * Their number is bounded in both directions, those that wait for a new connection included; one too many takes the
 * place of one that waits, or is told to come back later.
 */
import type { Address } from "../../base/address.ts";
import { CremaError } from "../../base/errors.ts";
import type { NodeId } from "../../base/ids.ts";
import { FRAME_BULK_OPEN } from "../../wire/frame-types.ts";
import type { Identity } from "../../wire/handshake-codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Background } from "../background.ts";
import { BandwidthLimit } from "./bandwidth-limit.ts";
import { BulkReceiver } from "./bulk-receiver.ts";
import { BulkSender, type BulkSendOptions, type BulkShared } from "./bulk-sender.ts";
import {
  abortChannel,
  type BulkOpening,
  type BulkSink,
  type BulkSource,
  readOpening,
} from "./bulk-stream.ts";
import type { Channel } from "./channel.ts";
import type { PeerLinks } from "./peer-links.ts";

/** Decides about an incoming stream: where it goes, or why it does not. */
export type BulkAdmission = (header: unknown, from: Identity) => BulkSink | CremaError;

/** What happened in the bulk streams of a node. Each number only grows. */
export interface BulkCounters {
  /** Of pieces, those that had to be sent again included. */
  bytesSent: number;
  bytesReceived: number;
  /** Streams of this node that went on over another connection, each time. */
  resumed: number;
}

/** Connections that have not said yet which stream they bring, for each stream that may arrive. */
const UNOPENED_PER_STREAM = 2;

/** The bulk streams of one node. */
export class Bulk {
  readonly counters: BulkCounters = { bytesSent: 0, bytesReceived: 0, resumed: 0 };
  readonly #links: PeerLinks;
  readonly #limit: BandwidthLimit;
  readonly #shared: BulkShared;
  readonly #senders = new Map<string, BulkSender>();
  /** By sender, its life, and its number of the stream. Oldest first. */
  readonly #receivers = new Map<string, BulkReceiver>();
  readonly #unopened = new Set<Channel>();
  #closed = false;
  /** Asked for every incoming stream. Until it is set, every stream is refused as not ready. */
  onIncoming: BulkAdmission = () =>
    new CremaError("CREMA_NOT_READY", "this node takes no bulk streams yet", { retryable: true });

  constructor(links: PeerLinks, background: Background) {
    this.#links = links;
    this.#limit = new BandwidthLimit(links.clock, background);
    this.#shared = { links, limit: this.#limit, counters: this.counters };
    links.setDoor("bulk", (channel) => this.#receive(channel));
  }

  /** What all streams of this node send together, in bytes per second, >= 1,024. Default: no limit. */
  set bytesPerSecondMax(value: number) {
    this.#limit.bytesPerSecondMax = value;
  }

  get sending(): number {
    return this.#senders.size;
  }

  get receiving(): number {
    return this.#receivers.size;
  }

  /** Streams, either direction, that wait for a new connection. */
  get suspended(): number {
    let suspended = 0;
    for (const sender of this.#senders.values()) if (sender.suspended) suspended++;
    for (const receiver of this.#receivers.values()) if (receiver.suspended) suspended++;
    return suspended;
  }

  /**
   * Streams `source` to `node` at `address` and answers what the receiving sink's `finish` returned. `header` tells the
   * receiver what it is about. Fails with what the receiver refused or aborted with, what the source threw,
   * `CREMA_BUSY` at the limit, `CREMA_TIMEOUT` after a stall, `CREMA_UNREACHABLE`, `CREMA_ABORTED`, `CREMA_CLOSED`.
   */
  send(
    node: NodeId,
    address: Address,
    header: unknown,
    source: BulkSource,
    options: BulkSendOptions = {},
  ): Promise<unknown> {
    if (this.#closed) return Promise.reject(new CremaError("CREMA_CLOSED", "this node is closing"));
    if (options.signal?.aborted) {
      return Promise.reject(new CremaError("CREMA_ABORTED", "the bulk stream was aborted by its sender"));
    }
    if (!madeRoom(this.#senders, this.#links.options.bulkOutgoingMax)) {
      const message = `${this.#senders.size} bulk streams leave this node already`;
      return Promise.reject(new CremaError("CREMA_BUSY", message, { retryable: true }));
    }
    const opening = { ...this.#newNumber(), header };
    const key = numberOf(opening);
    return new Promise((resolve, reject) => {
      const target = { node, address };
      const sender = new BulkSender(this.#shared, target, opening, source, options, (error, result) => {
        this.#senders.delete(key);
        if (error === null) resolve(result);
        else reject(error);
      });
      this.#senders.set(key, sender);
      sender.start();
    });
  }

  /** Aborts every stream. Idempotent. */
  close(): void {
    this.#closed = true;
    const error = new CremaError("CREMA_CLOSED", "this node is closing", { retryable: true });
    for (const sender of [...this.#senders.values()]) sender.abort(error);
    for (const receiver of [...this.#receivers.values()]) receiver.abort(error);
    for (const channel of [...this.#unopened]) abortChannel(channel, error);
    this.#limit.close();
  }

  #newNumber(): Pick<BulkOpening, "streamHigh" | "streamLow"> {
    for (;;) {
      const number = { streamHigh: this.#links.random.nextU32(), streamLow: this.#links.random.nextU32() };
      if (!this.#senders.has(numberOf(number))) return number;
    }
  }

  /** Waits for the opening, which tells whether this is a new stream at all. */
  #receive(channel: Channel): void {
    const { clock, options } = this.#links;
    if (this.#closed || this.#unopened.size >= options.bulkIncomingMax * UNOPENED_PER_STREAM) {
      abortChannel(channel, busy(this.#unopened.size));
      return;
    }
    this.#unopened.add(channel);
    const { bulkStallTimeoutMs } = options;
    const deadline = clock.setTimer(bulkStallTimeoutMs, () => {
      const message = `the bulk stream from ${channel.remote.node} stalled for ${bulkStallTimeoutMs} ms`;
      abortChannel(channel, new CremaError("CREMA_TIMEOUT", message, { retryable: true }));
    });
    const settle = (): void => {
      deadline.cancel();
      this.#unopened.delete(channel);
    };
    channel.onClose = settle;
    channel.onFrame = (type, body) => {
      if (type !== FRAME_BULK_OPEN) throw new WireError(`frame ${type} where a bulk stream opens`, 0);
      const opening = readOpening(body);
      settle();
      this.#open(channel, opening);
    };
  }

  #open(channel: Channel, opening: BulkOpening): void {
    const { node, boot } = channel.remote;
    const key = `${node}/${boot}/${numberOf(opening)}`;
    const known = this.#receivers.get(key);
    if (opening.resumed) {
      if (known !== undefined) known.attach(channel);
      else abortChannel(channel, unknownStream());
      return;
    }
    // A sender gives no number twice while it uses it, so this one is of a stream that it has left.
    known?.abort(new CremaError("CREMA_UNREACHABLE", "the sender began another bulk stream of this number"));
    const answer = this.#admit(opening.header, channel.remote);
    if (answer instanceof CremaError) {
      abortChannel(channel, answer);
      return;
    }
    const receiver = new BulkReceiver(this.#shared, node, answer, () => {
      if (this.#receivers.get(key) === receiver) this.#receivers.delete(key);
    });
    this.#receivers.set(key, receiver);
    receiver.attach(channel);
  }

  #admit(header: unknown, from: Identity): BulkSink | CremaError {
    if (!madeRoom(this.#receivers, this.#links.options.bulkIncomingMax)) return busy(this.#receivers.size);
    return this.onIncoming(header, from);
  }
}

function numberOf({ streamHigh, streamLow }: Pick<BulkOpening, "streamHigh" | "streamLow">): string {
  return `${streamHigh}.${streamLow}`;
}

/** Whether one more fits below `most`, if need be in the place of the oldest that waits for a connection. */
function madeRoom(streams: ReadonlyMap<string, BulkSender | BulkReceiver>, most: number): boolean {
  if (streams.size < most) return true;
  for (const stream of streams.values()) {
    if (!stream.suspended) continue;
    stream.abort(new CremaError("CREMA_BUSY", "a suspended bulk stream made room", { retryable: true }));
    return true;
  }
  return false;
}

function busy(count: number): CremaError {
  return new CremaError("CREMA_BUSY", `${count} bulk streams arrive at this node already`, {
    retryable: true,
  });
}

function unknownStream(): CremaError {
  return new CremaError("CREMA_UNREACHABLE", "the receiver does not know this bulk stream any more", {
    retryable: true,
  });
}
