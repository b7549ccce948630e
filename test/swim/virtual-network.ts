/**
 * A network of gossiping members in virtual time: seeded delays, loss, cuts and blocks. Small on purpose;
 * the simulator of the whole system is another, bigger thing.
 */
import { type Address, formatAddress } from "../../src/base/address.ts";
import { type NodeId, nodeId, randomBootNonce, randomNodeId } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import type { MemberMeta } from "../../src/swim/member.ts";
import type { SwimPacket } from "../../src/swim/messages.ts";
import { resolveSwimOptions, type SwimOptions } from "../../src/swim/options.ts";
import type { SwimEvent } from "../../src/swim/output.ts";
import { Swim } from "../../src/swim/swim.ts";

const CHECK_EVERY_MS = 10;

interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** One process on the network. */
export interface VirtualNode {
  readonly index: number;
  readonly swim: Swim;
  readonly id: NodeId;
  readonly address: Address;
  readonly random: Random;
  readonly events: { readonly atMs: number; readonly event: SwimEvent }[];
  /** False once crashed. */
  up: boolean;
  /** While true nothing runs in this process and nothing reaches it in time. */
  paused: boolean;
  wakeAtMs: number;
}

export interface SentPacket {
  readonly atMs: number;
  readonly from: Address;
  readonly to: Address;
  readonly packet: SwimPacket;
}

export interface VirtualNetworkOptions {
  readonly seed?: number;
  readonly swim?: Partial<SwimOptions>;
  /** Part of the datagrams lost, 0..1. */
  readonly loss?: number;
  readonly delayMs?: readonly [number, number];
}

export class VirtualNetwork {
  nowMs = 0;
  loss: number;
  readonly nodes: VirtualNode[] = [];
  /** Set to see every datagram at the moment it is sent. */
  onPacket: (sent: SentPacket) => void = () => {};
  /** Whether a datagram passes; streams ask `streamPasses`. By index of the node, -1 for an unknown address. */
  passes: (from: number, to: number, packet: SwimPacket) => boolean = () => true;
  streamPasses: (from: number, to: number) => boolean = () => true;
  exchanges = 0;
  streamPings = 0;
  readonly #random: Random;
  readonly #options: SwimOptions;
  readonly #delayMs: readonly [number, number];
  readonly #byAddress = new Map<string, VirtualNode>();
  #heap: Task[] = [];
  #order = 0;

  constructor(options: VirtualNetworkOptions = {}) {
    this.#random = new Random(0, options.seed ?? 1);
    this.#options = resolveSwimOptions(options.swim);
    this.loss = options.loss ?? 0;
    this.#delayMs = options.delayMs ?? [1, 5];
  }

  get options(): SwimOptions {
    return this.#options;
  }

  /** Starts a process. Without `given` it listens at a fresh address and has a fresh id. */
  start(given: Partial<MemberMeta> = {}): VirtualNode {
    const random = this.#random.fork();
    const index = this.nodes.length;
    const meta = metaOf(random, { address: { host: "10.0.0.1", port: 1_000 + index }, ...given });
    const swim = new Swim({ meta, options: this.#options, random, nowMs: this.nowMs });
    const { id, address } = meta;
    const wakeAtMs = Number.POSITIVE_INFINITY;
    const node: VirtualNode = {
      index,
      swim,
      id,
      address,
      random,
      events: [],
      up: true,
      paused: false,
      wakeAtMs,
    };
    this.nodes.push(node);
    this.#byAddress.set(formatAddress(address), node);
    this.settle(node);
    return node;
  }

  /** `count` nodes that all join the first one, run until they agree. */
  static group(count: number, options: VirtualNetworkOptions = {}): VirtualNetwork {
    const network = new VirtualNetwork(options);
    const first = network.start();
    for (let at = 1; at < count; at++) network.join(network.start(), [first.address]);
    network.runUntil(() => network.converged(), 60_000);
    // Let the first news die down, so that tests begin in quiet.
    network.run(10_000);
    for (const node of network.nodes) node.events.length = 0;
    return network;
  }

  node(index: number): VirtualNode {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`no node ${index}`);
    return node;
  }

  join(node: VirtualNode, seeds: readonly Address[]): void {
    this.act(node, (swim) => swim.join(this.nowMs, seeds));
  }

  /** Calls into one member at the current time and carries out what it asks. */
  act<T>(node: VirtualNode, call: (swim: Swim) => T): T {
    const result = call(node.swim);
    this.settle(node);
    return result;
  }

  crash(node: VirtualNode): void {
    node.up = false;
  }

  /** The network has a new process at the address of `node`, which is gone. */
  move(node: VirtualNode, address: Address): void {
    this.#byAddress.delete(formatAddress(node.address));
    this.#byAddress.set(formatAddress(address), node);
  }

  /** Nodes of different sides cannot reach each other, by no means. */
  partition(side: (index: number) => number): void {
    this.passes = (from, to) => side(from) === side(to);
    this.streamPasses = this.passes as (from: number, to: number) => boolean;
  }

  heal(): void {
    this.passes = () => true;
    this.streamPasses = () => true;
  }

  resume(node: VirtualNode): void {
    node.paused = false;
    this.#wake(node, this.nowMs);
  }

  /** Whether all who are up see the same group, of exactly those who are up, with nobody suspected. */
  converged(nodes: readonly VirtualNode[] = this.nodes.filter((node) => node.up)): boolean {
    if (!nodes.every((node) => node.swim.livingCount === nodes.length)) return false;
    const checksum = nodes[0]?.swim.checksum();
    return nodes.every((node) => node.swim.checksum() === checksum);
  }

  run(durationMs: number): void {
    this.runUntil(() => false, durationMs);
  }

  /** Runs until `condition` holds, checked every 10 ms; false when it did not within `limitMs`. */
  runUntil(condition: () => boolean, limitMs: number): boolean {
    const endMs = this.nowMs + limitMs;
    let checkAtMs = this.nowMs;
    for (;;) {
      if (this.nowMs >= checkAtMs) {
        checkAtMs = this.nowMs + CHECK_EVERY_MS;
        if (condition()) return true;
      }
      const task = this.#heap[0];
      if (task === undefined || task.atMs > endMs) break;
      this.#pop();
      this.nowMs = task.atMs;
      task.run();
    }
    this.nowMs = endMs;
    return condition();
  }

  eventsOf(node: VirtualNode, type: SwimEvent["type"]): SwimEvent[] {
    return node.events.filter((entry) => entry.event.type === type).map((entry) => entry.event);
  }

  /** Calls `run` at `nowMs + delayMs`. */
  later(delayMs: number, run: () => void): void {
    this.#push({ atMs: this.nowMs + delayMs, order: this.#order++, run });
  }

  /** Carries out what a member asks, and makes sure that it is woken in time. */
  settle(node: VirtualNode): void {
    const output = node.swim.takeOutput();
    for (const event of output.events) node.events.push({ atMs: this.nowMs, event });
    for (const { to, packet } of output.datagrams) this.#send(node, to, packet);
    for (const { to, state } of output.exchanges) {
      this.exchanges++;
      const target = this.#reach(node, to);
      this.later(this.#delay(), () => {
        if (target === null || !target.up)
          return this.#report(node, (swim) => swim.exchangeFailed(this.nowMs, to));
        const answer = this.act(target, (swim) => swim.receiveState(this.nowMs, node.address, state));
        this.later(this.#delay(), () =>
          this.#report(node, (swim) => swim.mergeState(this.nowMs, to, answer)),
        );
      });
    }
    for (const { to, target, sequence } of output.streamPings) {
      this.streamPings++;
      const reached = this.#reach(node, to);
      const acknowledged = reached?.up === true && reached.id === target;
      this.later(this.#delay(), () =>
        this.#report(node, (swim) => swim.streamPingResult(this.nowMs, sequence, acknowledged)),
      );
    }
    this.#wake(node, node.swim.nextDeadlineMs());
  }

  #report(node: VirtualNode, call: (swim: Swim) => void): void {
    if (node.up && !node.paused) this.act(node, call);
  }

  #reach(from: VirtualNode, to: Address): VirtualNode | null {
    const target = this.#byAddress.get(formatAddress(to));
    return target?.up && !target.paused && this.streamPasses(from.index, target.index) ? target : null;
  }

  #send(from: VirtualNode, to: Address, packet: SwimPacket): void {
    this.onPacket({ atMs: this.nowMs, from: from.address, to, packet });
    const target = this.#byAddress.get(formatAddress(to));
    if (!this.passes(from.index, target?.index ?? -1, packet)) return;
    if (this.loss > 0 && this.#random.nextFloat() < this.loss) return;
    this.later(this.#delay(), () => {
      const receiver = this.#byAddress.get(formatAddress(to));
      if (receiver === undefined) return;
      this.#report(receiver, (swim) => swim.receive(this.nowMs, from.address, packet));
    });
  }

  #delay(): number {
    const [low, high] = this.#delayMs;
    return this.#random.nextBetween(low, high);
  }

  #wake(node: VirtualNode, deadlineMs: number): void {
    const atMs = Math.max(this.nowMs, deadlineMs);
    if (atMs >= node.wakeAtMs || atMs === Number.POSITIVE_INFINITY) return;
    node.wakeAtMs = atMs;
    this.#push({
      atMs,
      order: this.#order++,
      run: () => {
        if (node.wakeAtMs !== atMs) return;
        node.wakeAtMs = Number.POSITIVE_INFINITY;
        this.#report(node, (swim) => swim.advance(this.nowMs));
      },
    });
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(task);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(task, heap[parent] as Task)) break;
      heap[at] = heap[parent] as Task;
      at = parent;
    }
    heap[at] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Task;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Task, heap[child] as Task)) child++;
      if (!before(heap[child] as Task, last)) break;
      heap[at] = heap[child] as Task;
      at = child;
    }
    heap[at] = last;
  }
}

/** The node id whose number is `value`. */
export function idOf(value: number): NodeId {
  return nodeId(value.toString(16).padStart(16, "0"));
}

/** Complete metadata with the given parts. */
export function metaOf(random: Random, given: Partial<MemberMeta> = {}): MemberMeta {
  return {
    id: randomNodeId(random),
    nonce: randomBootNonce(random),
    address: { host: "10.0.0.1", port: 7_946 },
    respPort: 6_380,
    httpPort: 7_980,
    name: "",
    zone: "",
    weight: 1,
    protocolMin: 1,
    protocolMax: 1,
    clusterId: null,
    reluctant: false,
    ...given,
  };
}

function before(left: Task, right: Task): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
