/**
 * A network for simulated worlds: any number of addresses, with delay, loss, duplication, reordering, partitions and
 * crashes, all drawn from one seeded source. It implements the same ports as the sockets of `net/`, so what runs on it
 * is the production code. Nothing here knows what the bytes mean.
 */
import { type Address, formatAddress } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Clock, Datagrams, Streams } from "../host/ports.ts";
import { PIECE_BYTES_MAX, type StreamPipe } from "./stream-pipe.ts";
import { VirtualDatagrams } from "./virtual-datagrams.ts";
import type { VirtualProcess } from "./virtual-process.ts";
import { VirtualStreams } from "./virtual-streams.ts";

/** How the network behaves; may be changed at any time with {@link VirtualNetwork.setConditions}. */
export interface NetworkConditions {
  /** One way, in milliseconds. Default 0.5. */
  readonly delayMs: number;
  /** Added to the delay, uniform in [0, jitterMs). Default 0.5. Reorders datagrams, never streams. */
  readonly jitterMs: number;
  /** Share of datagrams that vanish, 0 .. 1. Default 0. */
  readonly lossRate: number;
  /** Share of datagrams that arrive twice, 0 .. 1. Default 0. */
  readonly duplicateRate: number;
  /** Share of datagrams that are held back by up to `reorderDelayMs` more, 0 .. 1. Default 0. */
  readonly reorderRate: number;
  /** Default 50. */
  readonly reorderDelayMs: number;
  /** Share of messages that take far longer, 0 .. 1: a heavy tail, on streams too. Default 0. */
  readonly tailRate: number;
  /** The median of what such a message takes longer; one in a hundred takes 50 times that. Default 100. */
  readonly tailDelayMs: number;
  /** What one connection carries in one direction, in bytes per millisecond. Default Infinity. */
  readonly streamBytesPerMs: number;
}

export const DEFAULT_NETWORK_CONDITIONS: NetworkConditions = Object.freeze({
  delayMs: 0.5,
  jitterMs: 0.5,
  lossRate: 0,
  duplicateRate: 0,
  reorderRate: 0,
  reorderDelayMs: 50,
  tailRate: 0,
  tailDelayMs: 100,
  streamBytesPerMs: Number.POSITIVE_INFINITY,
});

/**
 * How a machine dies. `killed`: the process ends and its kernel resets every connection.
 * `power-lost`: nothing more is heard of it, so peers keep half-open connections until the address is bound again.
 */
export type CrashManner = "killed" | "power-lost";

/**
 * How a connection ends between two living machines. `reset`: both ends learn of it. `half-open`: only the near end does;
 * the far one goes on sending into nothing and hears nothing.
 */
export type BreakManner = "reset" | "half-open";

/** First port handed out where any free one is asked for, and to the dialling end of connections. */
const EPHEMERAL_PORT_MIN = 49_152;
const EPHEMERAL_PORT_MAX = 65_535;

/** Every address of a simulated world. Nodes are told apart by the address they bind, `host:port`. */
export class VirtualNetwork {
  readonly clock: Clock;
  readonly random: Random;
  /** Every piece of every stream is handed over in this buffer and then overwritten. */
  readonly pieceBuffer = new Uint8Array(PIECE_BYTES_MAX);
  #conditions: NetworkConditions;
  readonly #datagrams = new Map<string, VirtualDatagrams>();
  readonly #streams = new Map<string, VirtualStreams>();
  /** Directions that are cut, as `from>to`. */
  readonly #cuts = new Set<string>();
  /** Directions in which streams stand still while datagrams pass, likewise. */
  readonly #stalls = new Set<string>();
  /** Addresses whose machine is off. */
  readonly #dark = new Set<string>();
  readonly #stalled = new Set<StreamPipe>();
  #ephemeralPort = EPHEMERAL_PORT_MIN;
  /** Datagrams lost, doubled and held back; messages of any kind that met the heavy tail. */
  readonly counters = { lost: 0, duplicated: 0, heldBack: 0, tail: 0 };

  /** `clock` must be the world's clock, not that of a node: the network outlives every process. */
  constructor(clock: Clock, random: Random, conditions: Partial<NetworkConditions> = {}) {
    this.clock = clock;
    this.random = random;
    this.#conditions = { ...DEFAULT_NETWORK_CONDITIONS, ...conditions };
  }

  get conditions(): NetworkConditions {
    return this.#conditions;
  }

  setConditions(change: Partial<NetworkConditions>): void {
    this.#conditions = { ...this.#conditions, ...change };
  }

  /**
   * Binds `address` for datagrams; port 0 takes any free one. What arrives runs in `process`, if one is given.
   * Throws `CREMA_ADDRESS_IN_USE`.
   */
  datagrams(address: Address, process: VirtualProcess | null = null): Datagrams {
    const local = this.#bindable(address, this.#datagrams);
    const datagrams = new VirtualDatagrams(this, local, process);
    this.#datagrams.set(formatAddress(local), datagrams);
    this.#dark.delete(formatAddress(local));
    this.#resumeStalled();
    return datagrams;
  }

  /** Binds `address` for connections, likewise. */
  streams(address: Address, process: VirtualProcess | null = null): Streams {
    const local = this.#bindable(address, this.#streams);
    const streams = new VirtualStreams(this, local, process);
    if (process !== null) process.onResume = () => this.#resumeStalled();
    this.#streams.set(formatAddress(local), streams);
    this.#dark.delete(formatAddress(local));
    this.#resumeStalled();
    return streams;
  }

  /** Cuts `from` off from `to`; the other direction as well unless `oneWay`. Streams hold their bytes until healed. */
  partition(from: Address, to: Address, oneWay = false): void {
    this.#cuts.add(direction(formatAddress(from), formatAddress(to)));
    if (!oneWay) this.#cuts.add(direction(formatAddress(to), formatAddress(from)));
  }

  /** Streams between two addresses stand still, both ways, while datagrams go on: gossip sees nothing wrong. */
  stallStreams(one: Address, other: Address): void {
    this.#stalls.add(direction(formatAddress(one), formatAddress(other)));
    this.#stalls.add(direction(formatAddress(other), formatAddress(one)));
  }

  /** Undoes the cuts and stalls between two addresses, or all of them. */
  heal(one?: Address, other?: Address): void {
    if (one === undefined || other === undefined) {
      this.#cuts.clear();
      this.#stalls.clear();
    } else {
      const ways = [direction(formatAddress(one), formatAddress(other))];
      ways.push(direction(formatAddress(other), formatAddress(one)));
      for (const way of ways) {
        this.#cuts.delete(way);
        this.#stalls.delete(way);
      }
    }
    this.#resumeStalled();
  }

  /** Ends whatever is bound to `address`, without a callback to its owner. The address can be bound again at once. */
  crash(address: Address, manner: CrashManner = "killed"): void {
    const key = formatAddress(address);
    this.#datagrams.get(key)?.crash();
    this.#datagrams.delete(key);
    if (manner === "power-lost") this.#dark.add(key);
    this.#streams.get(key)?.crash(manner);
    this.#streams.delete(key);
  }

  /** Ends every connection between two addresses, as a switch or a firewall between them does. */
  breakStreams(one: Address, other: Address, manner: BreakManner): void {
    this.#streams.get(formatAddress(one))?.break(formatAddress(other), manner);
  }

  /** One way, for one message, drawn now. */
  drawDelayMs(): number {
    const { delayMs, jitterMs, tailRate, tailDelayMs } = this.#conditions;
    const usualMs = delayMs + this.random.nextFloat() * jitterMs;
    if (tailRate === 0 || this.random.nextFloat() >= tailRate) return usualMs;
    this.counters.tail++;
    // Half of them up to the median, and then ever rarer: u^-1 of a uniform u, cut at a fiftyfold.
    return usualMs + (tailDelayMs * 0.5) / Math.max(0.01, this.random.nextFloat());
  }

  /** Whether what `from` sends reaches `to` now. */
  reaches(from: string, to: string): boolean {
    return !this.#cuts.has(direction(from, to)) && !this.#dark.has(to) && !this.#dark.has(from);
  }

  /** Whether bytes of a stream do. */
  carries(from: string, to: string): boolean {
    return this.reaches(from, to) && (this.#stalls.size === 0 || !this.#stalls.has(direction(from, to)));
  }

  datagramsAt(key: string): VirtualDatagrams | undefined {
    return this.#datagrams.get(key);
  }

  streamsAt(key: string): VirtualStreams | undefined {
    return this.#streams.get(key);
  }

  /** Frees an address that its owner closed. */
  release(owner: VirtualDatagrams | VirtualStreams): void {
    const key = formatAddress(owner.local);
    if (this.#datagrams.get(key) === owner) this.#datagrams.delete(key);
    if (this.#streams.get(key) === owner) this.#streams.delete(key);
  }

  /** `pipe` waits for the network to heal. */
  stall(pipe: StreamPipe): void {
    this.#stalled.add(pipe);
  }

  drawEphemeralPort(): number {
    const port = this.#ephemeralPort;
    this.#ephemeralPort = port === EPHEMERAL_PORT_MAX ? EPHEMERAL_PORT_MIN : port + 1;
    return port;
  }

  #resumeStalled(): void {
    const stalled = [...this.#stalled];
    this.#stalled.clear();
    for (const pipe of stalled) pipe.resume();
  }

  #bindable(address: Address, bound: ReadonlyMap<string, unknown>): Address {
    if (address.port !== 0) {
      if (!bound.has(formatAddress(address))) return address;
      throw new CremaError("CREMA_ADDRESS_IN_USE", `${formatAddress(address)} is already in use`);
    }
    for (;;) {
      const candidate = { host: address.host, port: this.drawEphemeralPort() };
      const key = formatAddress(candidate);
      if (!this.#datagrams.has(key) && !this.#streams.has(key)) return candidate;
    }
  }
}

function direction(from: string, to: string): string {
  return `${from}>${to}`;
}
