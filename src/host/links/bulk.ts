/**
 * Bulk streams between nodes, each on a connection of its own so that it delays nothing else: snapshots above all.
 * Their number is bounded in both directions; one too many is told to come back later.
 */
import type { Address } from "../../base/address.ts";
import { CremaError } from "../../base/errors.ts";
import type { NodeId } from "../../base/ids.ts";
import { type BulkAdmission, BulkReceiver } from "./bulk-receiver.ts";
import { BULK_BYTES_PER_SECOND_MIN, BulkSender, type BulkSendOptions } from "./bulk-sender.ts";
import { abortChannel, type BulkSource } from "./bulk-stream.ts";
import type { Channel } from "./channel.ts";
import type { PeerLinks } from "./peer-links.ts";

/** The bulk streams of one node. */
export class Bulk {
  readonly #links: PeerLinks;
  readonly #senders = new Set<BulkSender>();
  readonly #receivers = new Set<BulkReceiver>();
  #closed = false;
  /** Asked for every incoming stream. Until it is set, every stream is refused as not ready. */
  onIncoming: BulkAdmission = () =>
    new CremaError("CREMA_NOT_READY", "this node takes no bulk streams yet", { retryable: true });

  constructor(links: PeerLinks) {
    this.#links = links;
    links.setDoor("bulk", (channel) => this.#receive(channel));
  }

  get sending(): number {
    return this.#senders.size;
  }

  get receiving(): number {
    return this.#receivers.size;
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
    const { bytesPerSecondMax, signal } = options;
    if (bytesPerSecondMax !== undefined && !(bytesPerSecondMax >= BULK_BYTES_PER_SECOND_MIN)) {
      const least = BULK_BYTES_PER_SECOND_MIN;
      return Promise.reject(
        new RangeError(`bytesPerSecondMax must be at least ${least}, got ${bytesPerSecondMax}`),
      );
    }
    if (this.#closed) return Promise.reject(new CremaError("CREMA_CLOSED", "this node is closing"));
    if (signal?.aborted) {
      return Promise.reject(new CremaError("CREMA_ABORTED", "the bulk stream was aborted by its sender"));
    }
    if (this.#senders.size >= this.#links.options.bulkOutgoingMax) {
      const message = `${this.#senders.size} bulk streams leave this node already`;
      return Promise.reject(new CremaError("CREMA_BUSY", message, { retryable: true }));
    }
    return new Promise((resolve, reject) => {
      const sender = new BulkSender(
        this.#links,
        { node, address },
        header,
        source,
        options,
        (error, result) => {
          this.#senders.delete(sender);
          if (error === null) resolve(result);
          else reject(error);
        },
      );
      this.#senders.add(sender);
      sender.start();
    });
  }

  /** Aborts every stream. Idempotent. */
  close(): void {
    this.#closed = true;
    const error = new CremaError("CREMA_CLOSED", "this node is closing", { retryable: true });
    for (const sender of [...this.#senders]) sender.abort(error);
    for (const receiver of [...this.#receivers]) receiver.abort(error);
  }

  #receive(channel: Channel): void {
    if (this.#closed || this.#receivers.size >= this.#links.options.bulkIncomingMax) {
      const message = `${this.#receivers.size} bulk streams arrive at this node already`;
      abortChannel(channel, new CremaError("CREMA_BUSY", message, { retryable: true }));
      return;
    }
    const receiver = new BulkReceiver(
      this.#links,
      channel,
      (header, from) => this.onIncoming(header, from),
      () => this.#receivers.delete(receiver),
    );
    this.#receivers.add(receiver);
  }
}
