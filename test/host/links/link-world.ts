/**
 * A few nodes that have links and nothing else, on a virtual network.
 */

import { expect } from "vitest";
import type { Address } from "../../../src/base/address.ts";
import {
  type BootNonce,
  bootNonce,
  type ClusterId,
  clusterId,
  type NodeId,
  nodeId,
} from "../../../src/base/ids.ts";
import { Random } from "../../../src/base/random.ts";
import { Background } from "../../../src/host/background.ts";
import { Bulk } from "../../../src/host/links/bulk.ts";
import { Calls } from "../../../src/host/links/calls.ts";
import type { Channel } from "../../../src/host/links/channel.ts";
import type { LinkOptions } from "../../../src/host/links/link-options.ts";
import { PeerLinks } from "../../../src/host/links/peer-links.ts";
import type { Connection, Streams } from "../../../src/host/ports.ts";
import { VirtualClock } from "../../../src/sim/virtual-clock.ts";
import {
  type CrashManner,
  type NetworkConditions,
  VirtualNetwork,
} from "../../../src/sim/virtual-network.ts";
import type { VirtualProcess } from "../../../src/sim/virtual-process.ts";

export const CLUSTER = clusterId("00000000000000c1");
export const OTHER_CLUSTER = clusterId("00000000000000c2");

/** Node id number `at`: easy to read in a failure. */
export function idOf(at: number): NodeId {
  return nodeId(at.toString(16).padStart(16, "0"));
}

export function nonceOf(at: number): BootNonce {
  return bootNonce(at.toString(16).padStart(16, "b"));
}

export interface NodeSettings {
  readonly id?: NodeId;
  readonly boot?: BootNonce;
  readonly cluster?: ClusterId | null;
  readonly options?: Partial<LinkOptions>;
}

export class LinkNode {
  readonly address: Address;
  readonly clock: VirtualProcess;
  readonly streams: CountedStreams;
  readonly links: PeerLinks;
  readonly calls: Calls;
  readonly bulk: Bulk;
  id: NodeId;
  boot: BootNonce;
  cluster: ClusterId | null;
  /** What the callbacks said, in order. */
  readonly events: string[] = [];
  readonly frames: { readonly type: number; readonly incoming: boolean; readonly text: string }[] = [];

  constructor(world: LinkWorld, at: number, settings: NodeSettings) {
    this.address = { host: `10.0.0.${at}`, port: 7946 };
    this.id = settings.id ?? idOf(at);
    this.boot = settings.boot ?? nonceOf(at);
    this.cluster = settings.cluster === undefined ? CLUSTER : settings.cluster;
    this.clock = world.clock.process();
    this.streams = new CountedStreams(world.network.streams(this.address, this.clock));
    this.links = new PeerLinks({
      clock: this.clock,
      streams: this.streams,
      random: new Random(at, 1),
      identity: () => ({ node: this.id, boot: this.boot, clusterId: this.cluster, address: this.address }),
      ...(settings.options === undefined ? {} : { options: settings.options }),
    });
    this.calls = new Calls(this.links);
    this.bulk = new Bulk(this.links, new Background(this.links.clock));
    this.links.onUp = (node) => this.events.push(`up ${short(node)}`);
    this.links.onDown = (node, error) =>
      this.events.push(`down ${short(node)}${error === null ? " goodbye" : ""}`);
    this.links.onLost = (remote) => this.events.push(`lost ${short(remote.node)}`);
    this.links.onForeignCluster = (remote) => this.events.push(`foreign ${remote.address.host}`);
    this.links.onReplaced = (expected, found) =>
      this.events.push(`replaced ${short(expected)} by ${short(found.node)}`);
    this.links.onFrame = (_channel, incoming, type, body) => {
      this.frames.push({ type, incoming, text: Buffer.from(body).toString("latin1") });
    };
  }
}

export class LinkWorld {
  readonly clock = new VirtualClock();
  readonly network: VirtualNetwork;

  constructor(conditions: Partial<NetworkConditions> = {}, seed = 1) {
    this.network = new VirtualNetwork(this.clock, new Random(99, seed), conditions);
  }

  node(at: number, settings: NodeSettings = {}): LinkNode {
    return new LinkNode(this, at, settings);
  }

  /** Everybody in `nodes` knows everybody. */
  introduce(...nodes: readonly LinkNode[]): void {
    for (const one of nodes) for (const other of nodes) one.links.setPeer(other.id, other.address);
  }

  /** The established channel of `from` to `to`. */
  async link(from: LinkNode, to: LinkNode): Promise<Channel> {
    await this.until(() => from.links.channel(to.id) !== null);
    const channel = from.links.channel(to.id);
    if (channel === null) throw new Error("no channel");
    return channel;
  }

  async until(predicate: () => boolean, limitMs = 60_000): Promise<void> {
    expect(await this.clock.runUntil(predicate, limitMs)).toBe(true);
  }

  /** Lets time pass until `promise` settles. */
  async settled<T>(promise: Promise<T>, limitMs = 300_000): Promise<T> {
    let done = false;
    const finish = (): void => {
      done = true;
    };
    promise.then(finish, finish);
    await this.until(() => done, limitMs);
    return promise;
  }

  crash(node: LinkNode, manner: CrashManner = "killed"): void {
    node.clock.halt();
    this.network.crash(node.address, manner);
  }
}

/** Writes `text` as a frame; false when the channel refuses it. */
export function sendText(channel: Channel, type: number, text: string): boolean {
  const writer = channel.beginFrame(type);
  if (writer === null) return false;
  writer.raw(Buffer.from(text, "latin1"));
  channel.endFrame();
  return true;
}

/** Streams that note every write and every dial. */
export class CountedStreams implements Streams {
  readonly writes: number[] = [];
  readonly dials: number[] = [];
  readonly #inner: Streams;

  constructor(inner: Streams) {
    this.#inner = inner;
  }

  get local(): Address {
    return this.#inner.local;
  }

  get onConnection(): (connection: Connection) => void {
    return this.#inner.onConnection;
  }

  set onConnection(callback: (connection: Connection) => void) {
    this.#inner.onConnection = callback;
  }

  connect(to: Address, timeoutMs: number): Connection {
    const connection = this.#inner.connect(to, timeoutMs);
    this.dials.push(timeoutMs);
    const write = connection.write.bind(connection);
    connection.write = (bytes) => {
      this.writes.push(bytes.length);
      return write(bytes);
    };
    return connection;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

function short(node: NodeId): string {
  return node.replace(/^0+/, "");
}
