/**
 * All connections of one node: an outgoing link per peer, the incoming ones of others, and the doors through which
 * calls and bulk streams come. Requests go out on the outgoing link; answers travel back on the channel they came on.
 */
import type { Address } from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import { CremaError } from "../../base/errors.ts";
import type { NodeId } from "../../base/ids.ts";
import type { Random } from "../../base/random.ts";
import type { Identity, Purpose } from "../../wire/handshake-codec.ts";
import type { Clock, Streams, Timer } from "../ports.ts";
import { Acceptor } from "./acceptor.ts";
import type { Channel } from "./channel.ts";
import { type Dial, type DialDone, Dialler, type DialTarget } from "./dialler.ts";
import { FlushQueue } from "./flush-queue.ts";
import type { LinkContext } from "./frame-stream.ts";
import { type Objection, sameIdentity } from "./handshake.ts";
import { type LinkCounters, newLinkCounters } from "./link-counters.ts";
import { type LinkOptions, resolveLinkOptions } from "./link-options.ts";
import { type LinkWaiter, PeerLink } from "./peer-link.ts";

export interface PeerLinksConfig {
  readonly clock: Clock;
  readonly streams: Streams;
  readonly random: Random;
  /** Who this node is now. When the answer changes, call {@link PeerLinks.identityChanged}. */
  readonly identity: () => Identity;
  readonly options?: Partial<LinkOptions>;
}

/** Hears the frames of one type on every link, either direction. `body` is valid during the call only. */
export type FrameRoute = (channel: Channel, body: Uint8Array) => void;

/** The links of one node. Set the callbacks before the first peer. */
export class PeerLinks {
  readonly counters: LinkCounters = newLinkCounters();
  readonly options: LinkOptions;
  readonly clock: Clock;
  readonly #identity: () => Identity;
  /** Of the connections: delays and numbers of streams. */
  readonly random: Random;
  readonly #context: LinkContext;
  readonly #dialler: Dialler;
  readonly #acceptor: Acceptor;
  readonly #peers = new Map<NodeId, PeerLink>();
  readonly #incoming = new Map<NodeId, Channel>();
  readonly #visitors = new Set<Channel>();
  /** Asked for a sign of life, and not answered yet. */
  readonly #doubted = new Set<Channel>();
  readonly #doors = new Map<Purpose, (channel: Channel) => void>();
  readonly #routes: (FrameRoute | undefined)[] = [];
  readonly #closeListeners: ((channel: Channel) => void)[] = [];
  #keepAliveTimer: Timer | null = null;
  #lastKeepAliveMs: number;
  #closed = false;

  /** The outgoing link to `node` is established. */
  onUp: (node: NodeId, channel: Channel) => void = () => {};
  /** The outgoing link to `node` is gone; null: a goodbye was said. Dialling again is not the caller's affair. */
  onDown: (node: NodeId, error: Error | null) => void = () => {};
  /**
   * An established link, either direction, broke without a goodbye: the fastest sign that the process `remote` died.
   * A sign only: gossip and consensus decide.
   */
  onLost: (remote: Identity, error: Error) => void = () => {};
  /** A frame whose type has no route. Answers to it go back on `channel`. `body` is valid during the call only. */
  onFrame: (channel: Channel, incoming: boolean, type: number, body: Uint8Array) => void = () => {};
  /** A node of another cluster was met, whoever dialled. */
  onForeignCluster: (remote: Identity) => void = () => {};
  /** At the address of `expected` another process answers: `expected` is not there any more. */
  onReplaced: (expected: NodeId, found: Identity) => void = () => {};

  /** A reason of the owner's to refuse who dialled, such as `CREMA_REMOVED`; null: let it in. */
  objection: (remote: Identity, purpose: Purpose) => Objection | null = () => null;

  constructor(config: PeerLinksConfig) {
    this.clock = config.clock;
    this.options = resolveLinkOptions(config.options);
    this.#identity = config.identity;
    this.random = config.random;
    this.#context = {
      clock: config.clock,
      options: this.options,
      counters: this.counters,
      flushes: new FlushQueue(config.clock),
    };
    this.#dialler = new Dialler(this.#context, config.streams, config.identity, {
      onForeignCluster: (remote) => this.onForeignCluster(remote),
      onReplaced: (expected, found) => this.onReplaced(expected, found),
    });
    this.#acceptor = new Acceptor(this.#context, config.identity, {
      objection: (remote, purpose) => this.objection(remote, purpose) ?? this.#objection(purpose),
      onChannel: (channel) => this.#admit(channel),
      onForeignCluster: (remote) => this.onForeignCluster(remote),
    });
    config.streams.onConnection = (connection) => {
      if (this.#closed) connection.destroy();
      else this.#acceptor.accept(connection);
    };
    this.#lastKeepAliveMs = config.clock.nowMs();
    this.#scheduleKeepAlive();
  }

  /** Makes `node` known at `address`, or moves it there. Nothing is dialled before it is needed. */
  setPeer(node: NodeId, address: Address): void {
    if (this.#closed || node === this.#identity().node) return;
    const known = this.#peers.get(node);
    if (known !== undefined) {
      known.move(address);
      return;
    }
    const link = new PeerLink(node, address, this.#context, this.random, this.#dialler, {
      onUp: (channel) => {
        channel.onFrame = (type, body) => this.#dispatch(channel, type, body);
        this.onUp(node, channel);
      },
      onDown: (channel, error) => {
        this.#tellClosed(channel);
        this.onDown(node, error);
        this.#reportLost(channel, error);
      },
    });
    this.#peers.set(node, link);
  }

  /** Forgets `node`: says goodbye in both directions and dials it no more. */
  removePeer(node: NodeId): void {
    this.#peers.get(node)?.close();
    this.#peers.delete(node);
    this.#incoming.get(node)?.close();
  }

  /** Where `node` is dialled; null when it is no peer. */
  addressOf(node: NodeId): Address | null {
    return this.#peers.get(node)?.address ?? null;
  }

  /** The outgoing link to `node`; null while it is down (and then it is dialled) or when `node` is no peer. */
  channel(node: NodeId): Channel | null {
    return this.#peers.get(node)?.channel() ?? null;
  }

  /**
   * Somebody waits for `node` in vain: its outgoing link is asked for a sign of life, and given up when none comes soon. A
   * connection whose other end is gone without a word would else be believed until the long silence of a keep-alive.
   */
  doubt(node: NodeId): void {
    const channel = this.#peers.get(node)?.established ?? null;
    if (channel === null || !channel.isOpen || this.#doubted.has(channel)) return;
    const { doubtTimeoutMs } = this.options;
    const askedAtMs = this.clock.nowMs();
    this.#doubted.add(channel);
    channel.ping();
    this.clock.setTimer(doubtTimeoutMs, () => {
      this.#doubted.delete(channel);
      const waitedMs = this.clock.nowMs() - askedAtMs;
      // Whoever was paused meanwhile has not listened.
      const overslept = waitedMs > 1.25 * doubtTimeoutMs;
      if (channel.lastHeardMs > askedAtMs || overslept || !channel.isOpen) return;
      this.counters.linksSilent++;
      channel.destroy(silent(node, waitedMs));
    });
  }

  /** When anything last came from `node`, by a link of either direction, in monotonic milliseconds; null without one. */
  lastHeardMs(node: NodeId): number | null {
    const outgoing = this.#peers.get(node)?.established ?? null;
    const incoming = this.#incoming.get(node) ?? null;
    if (outgoing === null || incoming === null) return (outgoing ?? incoming)?.lastHeardMs ?? null;
    return Math.max(outgoing.lastHeardMs, incoming.lastHeardMs);
  }

  /** Asks `node` for a sign of life, by the outgoing link; dials it when there is none. */
  ask(node: NodeId): void {
    this.channel(node)?.ping();
  }

  /** Somebody else has heard `node` alive: a link that is wanted is dialled now. */
  heard(node: NodeId): void {
    this.#peers.get(node)?.heard();
  }

  /** Whether the outgoing link to `node` is established. Asks for nothing. */
  isUp(node: NodeId): boolean {
    return this.#peers.get(node)?.established?.isOpen ?? false;
  }

  /** Incoming channels of all purposes. */
  get connections(): number {
    return this.#incoming.size + this.#visitors.size;
  }

  /** Calls `waiter` once, when the link to `node` is up or the present attempt has failed; perhaps at once. */
  whenUp(node: NodeId, waiter: LinkWaiter): void {
    const link = this.#peers.get(node);
    if (link !== undefined) link.whenUp(waiter);
    else waiter(null, new CremaError("CREMA_UNREACHABLE", `node ${node} is no peer of this node`));
  }

  /** Dials on behalf of calls and bulk streams. */
  dial(target: DialTarget, done: DialDone): Dial {
    return this.#dialler.dial(target, done);
  }

  /** How long to wait before dialling again after `failures` attempts: exponential, drawn from the upper half. */
  backoffMs(failures: number): number {
    const { backoffMinMs, backoffMaxMs } = this.options;
    const ceilingMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures, 30));
    return ceilingMs * (0.5 + this.random.nextFloat() / 2);
  }

  /** Who serves incoming channels of `purpose`. Once per purpose; without it they are refused. */
  setDoor(purpose: "call" | "bulk", enter: (channel: Channel) => void): void {
    assert(!this.#doors.has(purpose), "one door per purpose", { purpose });
    this.#doors.set(purpose, enter);
  }

  /** Who hears frames of `type` instead of {@link PeerLinks.onFrame}. Once per type. */
  setRoute(type: number, route: FrameRoute): void {
    assert(this.#routes[type] === undefined, "one route per frame type", { type });
    this.#routes[type] = route;
  }

  /** `listener` hears of every link channel that closed, either direction, before `onDown` and `onLost`. */
  addCloseListener(listener: (channel: Channel) => void): void {
    this.#closeListeners.push(listener);
  }

  /** Whoever calls this will write at the end of this turn, and then flush; nothing leaves before that. */
  awaitWriter(): void {
    this.#context.flushes.awaitWriter();
  }

  /** Sends what was written in this turn now instead of at its end. */
  flush(): void {
    this.#context.flushes.flush();
  }

  /** The identity changed: links made under the old one are closed. */
  identityChanged(): void {
    const identity = this.#identity();
    for (const link of this.#peers.values()) this.#closeIfStale(link.established, identity);
    for (const channel of this.#incoming.values()) this.#closeIfStale(channel, identity);
  }

  /** Says goodbye to everybody. Idempotent. The streams are the caller's to close. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#keepAliveTimer?.cancel();
    this.#acceptor.close();
    for (const link of this.#peers.values()) link.close();
    this.#peers.clear();
    for (const channel of this.#incoming.values()) channel.close();
    for (const channel of this.#visitors) channel.close();
  }

  #objection(purpose: Purpose): Objection | null {
    if (purpose !== "link" && !this.#doors.has(purpose)) {
      return { code: "CREMA_NOT_READY", message: `nobody serves connections for ${purpose} here yet` };
    }
    if (this.connections < this.options.incomingMax) return null;
    return { code: "CREMA_BUSY", message: `this node holds ${this.options.incomingMax} connections already` };
  }

  #admit(channel: Channel): void {
    const { purpose } = channel.terms;
    if (purpose === "link") {
      this.#admitLink(channel);
      return;
    }
    this.#visitors.add(channel);
    channel.onRelease = () => this.#visitors.delete(channel);
    this.#doors.get(purpose)?.(channel);
  }

  #admitLink(channel: Channel): void {
    const node = channel.remote.node;
    const previous = this.#incoming.get(node);
    this.#incoming.set(node, channel);
    channel.onFrame = (type, body) => this.#dispatch(channel, type, body);
    channel.onClose = (error) => {
      const current = this.#incoming.get(node) === channel;
      if (current) this.#incoming.delete(node);
      this.#tellClosed(channel);
      if (current) this.#reportLost(channel, error);
    };
    previous?.destroy(new Error("the peer dialled anew"));
    this.#peers.get(node)?.heard();
  }

  #dispatch(channel: Channel, type: number, body: Uint8Array): void {
    const route = this.#routes[type];
    if (route !== undefined) route(channel, body);
    else this.onFrame(channel, channel.terms.incoming, type, body);
  }

  #reportLost(channel: Channel, error: Error | null): void {
    if (error === null || this.#closed) return;
    this.counters.linksLost++;
    this.onLost(channel.remote, error);
  }

  #tellClosed(channel: Channel): void {
    for (const listener of this.#closeListeners) listener(channel);
  }

  #closeIfStale(channel: Channel | null, identity: Identity): void {
    if (channel !== null && !sameIdentity(channel.terms.local, identity)) channel.close();
  }

  #scheduleKeepAlive(): void {
    this.#keepAliveTimer = this.clock.setTimer(this.options.pingIntervalMs, () => {
      this.#keepAlive();
      this.#scheduleKeepAlive();
    });
  }

  /** After a pause of this process the silence it slept through is nobody's fault. */
  #keepAlive(): void {
    const nowMs = this.clock.nowMs();
    const overslept = nowMs - this.#lastKeepAliveMs >= 2 * this.options.pingIntervalMs;
    this.#lastKeepAliveMs = nowMs;
    for (const link of this.#peers.values()) this.#keepChannelAlive(link.established, nowMs, overslept);
    for (const channel of this.#incoming.values()) this.#keepChannelAlive(channel, nowMs, overslept);
    for (const channel of this.#visitors) this.#keepChannelAlive(channel, nowMs, overslept);
  }

  #keepChannelAlive(channel: Channel | null, nowMs: number, overslept: boolean): void {
    if (channel === null) return;
    if (overslept) channel.forgiveSilence();
    const silent = channel.keepAlive(nowMs, this.options.pingIntervalMs, this.options.silenceTimeoutMs);
    if (silent) this.counters.linksSilent++;
  }
}

function silent(node: NodeId, silentMs: number): CremaError {
  return new CremaError(
    "CREMA_UNREACHABLE",
    `node ${node} gave no sign of life for ${Math.round(silentMs)} ms`,
    { retryable: true },
  );
}
