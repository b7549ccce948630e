/**
 * The outgoing link to one peer: dialled when somebody needs it, kept while it works, dialled again with growing
 * patience when it fails. Never more than one connection at a time.
 */
import { type Address, sameAddress } from "../../base/address.ts";
import { CremaError } from "../../base/errors.ts";
import type { NodeId } from "../../base/ids.ts";
import type { Random } from "../../base/random.ts";
import type { Timer } from "../ports.ts";
import type { Channel } from "./channel.ts";
import type { Dial, Dialler } from "./dialler.ts";
import type { LinkContext } from "./frame-stream.ts";

/** A dial that took so long has lost a packet: machines of one region answer within milliseconds. */
const STALE_DIAL_MS = 300;

/** Told when a channel is there, or when an attempt failed; called once. */
export type LinkWaiter = (channel: Channel | null, error: CremaError | null) => void;

export interface PeerLinkEvents {
  /** Set the channel's `onFrame` before returning. */
  onUp(channel: Channel): void;
  /** An established channel is gone; null when a goodbye was said. */
  onDown(channel: Channel, error: Error | null): void;
}

/**
 * idle: nobody asked since the last attempt. waiting: until the backoff is over. The others speak for themselves.
 */
type LinkState =
  | { readonly type: "idle" }
  | { readonly type: "dialling"; readonly dial: Dial; readonly sinceMs: number }
  | { readonly type: "up"; readonly channel: Channel; readonly sinceMs: number }
  | { readonly type: "waiting"; readonly timer: Timer; readonly error: CremaError };

export class PeerLink {
  readonly node: NodeId;
  readonly #context: LinkContext;
  readonly #random: Random;
  readonly #dialler: Dialler;
  readonly #events: PeerLinkEvents;
  #address: Address;
  #state: LinkState = { type: "idle" };
  /** Failures in a row. */
  #failures = 0;
  /** Somebody asked while the link was waiting. */
  #wanted = false;
  #waiters: LinkWaiter[] = [];
  #closed = false;

  constructor(
    node: NodeId,
    address: Address,
    context: LinkContext,
    random: Random,
    dialler: Dialler,
    events: PeerLinkEvents,
  ) {
    this.node = node;
    this.#address = address;
    this.#context = context;
    this.#random = random;
    this.#dialler = dialler;
    this.#events = events;
  }

  get address(): Address {
    return this.#address;
  }

  /** The channel; null while there is none, and then it is asked for. */
  channel(): Channel | null {
    if (this.#state.type === "up" && this.#state.channel.isOpen) return this.#state.channel;
    this.#want();
    return null;
  }

  /** The established channel, without asking for one. */
  get established(): Channel | null {
    return this.#state.type === "up" ? this.#state.channel : null;
  }

  /**
   * Calls `waiter` at once when the link is up, or is known to be down until the backoff is over; otherwise when the
   * dial that is under way ends.
   */
  whenUp(waiter: LinkWaiter): void {
    const channel = this.channel();
    if (channel !== null) waiter(channel, null);
    else if (this.#state.type === "waiting") waiter(null, this.#state.error);
    else this.#waiters.push(waiter);
  }

  /** The peer moved. An established link is kept; an attempt at the old address is not. */
  move(address: Address): void {
    if (sameAddress(address, this.#address)) return;
    this.#address = address;
    this.#failures = 0;
    if (this.#state.type === "dialling") {
      this.#state.dial.cancel();
      this.#dial();
    } else if (this.#state.type === "waiting") {
      this.#state.timer.cancel();
      this.#dial();
    }
  }

  /**
   * The peer has dialled us, or gossip has heard it: it lives and there is a way, so whoever waits for it need not be patient any
   * more. A dial that began long ago was begun when there was none, and would wait for the next time the network repeats its packet.
   */
  heard(): void {
    const state = this.#state;
    if (state.type === "waiting") {
      state.timer.cancel();
      this.#state = { type: "idle" };
      if (this.#wanted && !this.#closed) this.#dial();
    } else if (state.type === "dialling" && this.#context.clock.nowMs() - state.sinceMs >= STALE_DIAL_MS) {
      state.dial.cancel();
      this.#dial();
    }
  }

  /** Says goodbye and never dials again. */
  close(): void {
    this.#closed = true;
    const state = this.#state;
    this.#state = { type: "idle" };
    if (state.type === "dialling") state.dial.cancel();
    if (state.type === "waiting") state.timer.cancel();
    if (state.type === "up") state.channel.close();
    this.#answer(null, new CremaError("CREMA_UNREACHABLE", `node ${this.node} is no peer any more`));
  }

  #want(): void {
    if (this.#state.type === "idle" && !this.#closed) this.#dial();
    else this.#wanted = true;
  }

  #dial(): void {
    this.#wanted = false;
    const target = { to: this.#address, purpose: "link", expected: this.node } as const;
    const dial = this.#dialler.dial(target, (channel, error) => {
      if (channel !== null) this.#up(channel);
      else this.#retryLater(error);
    });
    this.#state = { type: "dialling", dial, sinceMs: this.#context.clock.nowMs() };
  }

  #up(channel: Channel): void {
    this.#state = { type: "up", channel, sinceMs: this.#context.clock.nowMs() };
    channel.onClose = (error) => this.#down(channel, error);
    this.#events.onUp(channel);
    this.#answer(channel, null);
  }

  #down(channel: Channel, error: Error | null): void {
    const state = this.#state;
    if (state.type === "up" && state.channel === channel) {
      if (this.#context.clock.nowMs() - state.sinceMs >= this.#context.options.backoffMaxMs)
        this.#failures = 0;
      this.#wanted ||= error !== null;
      this.#retryLater(
        new CremaError(
          "CREMA_UNREACHABLE",
          `the link to ${this.node} broke: ${error?.message ?? "goodbye"}`,
          {
            retryable: true,
            cause: error ?? undefined,
          },
        ),
      );
    }
    this.#events.onDown(channel, error);
  }

  #retryLater(error: CremaError | null): void {
    const reason = error ?? new CremaError("CREMA_UNREACHABLE", `node ${this.node} is unreachable`);
    const timer = this.#context.clock.setTimer(this.#backoffMs(), () => {
      this.#state = { type: "idle" };
      if (this.#wanted) this.#dial();
    });
    this.#failures++;
    this.#state = { type: "waiting", timer, error: reason };
    this.#answer(null, reason);
  }

  /** min(max, min * 2^failures), drawn from its upper half. */
  #backoffMs(): number {
    const { backoffMinMs, backoffMaxMs } = this.#context.options;
    const ceilingMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failures, 30));
    return ceilingMs * (0.5 + this.#random.nextFloat() / 2);
  }

  #answer(channel: Channel | null, error: CremaError | null): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter(channel, error);
  }
}
