/**
 * Watching a prefix over all shards. Each shard is followed through this node's replica where there is one, else through
 * a replica elsewhere (WATCH frames over the link); when the source goes away another takes over at the next revision.
 *
 * Invariant: per shard a watcher gets every matching change after its starting revision, in order of revision, once; or
 * the watch ends with CREMA_WATCH_LAGGED.
 */
import { CremaError } from "../base/errors.ts";
import { type NodeId, type ShardId, shardId } from "../base/ids.ts";
import type { Change } from "../cache/change.ts";
import type { Channel } from "../host/links/channel.ts";
import type { Clock, Timer } from "../host/ports.ts";
import { binaryFromText, textFromBinary } from "../wire/binary-text.ts";
import { ByteReader } from "../wire/byte-reader.ts";
import type { ByteWriter } from "../wire/byte-writer.ts";
import { FRAME_WATCH } from "../wire/frame-types.ts";
import { readShardId } from "../wire/id-codec.ts";
import { WireError } from "../wire/wire-error.ts";
import type { AbortSignalLike } from "./promised-reply.ts";
import type { ShardService } from "./shard-service.ts";
import { type WatchChange, WatchQueue } from "./watch-queue.ts";

/** How often a shard without a source is tried again. */
const RETRY_MS = 200;
/** Watches served to other nodes over one link. */
const SERVED_PER_CHANNEL_MAX = 10_000;
const CHANGE_TYPES = ["put", "delete", "expire", "evict", "clear"] as const;
const OP_SUBSCRIBE = 1;
const OP_CANCEL = 2;
const OP_CHANGE = 3;
const OP_STARTED = 4;
const OP_ENDED = 5;

export interface WatchOptions {
  /** Per shard: the last revision already seen. Shards that are not named start with what comes next. */
  readonly from?: Readonly<Record<number, number>>;
  readonly signal?: AbortSignalLike;
}

export interface WatchSurroundings {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly shards: ShardService;
  shardCount(): number;
  /** Nodes that hold a replica, the likeliest first. */
  replicas(shard: ShardId): readonly NodeId[];
  channel(node: NodeId): Channel | null;
}

/** One shard of one watch. */
interface Follower {
  readonly id: number;
  readonly queue: WatchQueue;
  readonly prefix: string;
  readonly shard: ShardId;
  /** Revision up to which everything was delivered; null until the starting point is known. */
  seen: number | null;
  source: "local" | Channel | null;
  tries: number;
}

interface Served {
  readonly prefix: string;
  readonly shard: ShardId;
}

export class Watches {
  readonly #node: WatchSurroundings;
  readonly #followers = new Map<number, Follower>();
  readonly #served = new Map<Channel, Map<number, Served>>();
  #nextId = 1;
  #retryTimer: Timer | null = null;
  #closed = false;

  constructor(node: WatchSurroundings) {
    this.#node = node;
  }

  /** Watches open on this node. */
  get open(): number {
    return new Set([...this.#followers.values()].map((follower) => follower.queue)).size;
  }

  watch(prefix: string, options: WatchOptions = {}): AsyncIterableIterator<WatchChange> {
    const followers: Follower[] = [];
    const onAbort = (): void => void queue.return();
    const queue = new WatchQueue(() => {
      options.signal?.removeEventListener("abort", onAbort);
      for (const follower of followers) this.#drop(follower);
    });
    if (options.signal?.aborted || this.#closed) {
      void queue.return();
      return queue;
    }
    options.signal?.addEventListener("abort", onAbort);
    for (let shard = 0; shard < this.#node.shardCount(); shard++) {
      const follower: Follower = {
        id: this.#nextId++,
        queue,
        prefix: binaryFromText(prefix),
        shard: shardId(shard),
        seen: options.from?.[shard] ?? null,
        source: null,
        tries: 0,
      };
      followers.push(follower);
      this.#followers.set(follower.id, follower);
    }
    for (const follower of followers) this.#connect(follower);
    return queue;
  }

  /** A change was applied on this node's replica of `shard`. */
  onLocalChange(shard: ShardId, change: Change): void {
    for (const follower of this.#followers.values()) {
      if (follower.shard === shard && follower.source === "local") this.#deliver(follower, change);
    }
    for (const [channel, watches] of this.#served) {
      for (const [id, served] of watches) {
        if (served.shard === shard) this.#sendChange(channel, id, served, change);
      }
    }
  }

  /** This node's replica of `shard` went away or was replaced by a snapshot: everybody looks for the next change anew. */
  onReplicaChanged(shard: ShardId): void {
    for (const follower of this.#followers.values()) {
      if (follower.shard !== shard || follower.source !== "local") continue;
      follower.source = null;
      this.#connect(follower);
    }
    for (const [channel, watches] of this.#served) {
      for (const [id, served] of watches) {
        if (served.shard === shard) this.#endServed(channel, id, false);
      }
    }
  }

  channelClosed(channel: Channel): void {
    this.#served.delete(channel);
    for (const follower of this.#followers.values()) {
      if (follower.source !== channel) continue;
      follower.source = null;
      this.#connect(follower);
    }
  }

  /** A WATCH frame from a peer. Throws `WireError` on damage. */
  onFrame(channel: Channel, body: Uint8Array): void {
    const reader = new ByteReader(body);
    const operation = reader.u8();
    const id = reader.varint();
    switch (operation) {
      case OP_SUBSCRIBE:
        this.#serve(channel, id, reader);
        break;
      case OP_CANCEL:
        this.#served.get(channel)?.delete(id);
        break;
      case OP_STARTED:
      case OP_CHANGE:
      case OP_ENDED:
        this.#fromSource(channel, operation, id, reader);
        break;
      default:
        throw new WireError("unknown watch operation", 0);
    }
  }

  close(): void {
    this.#closed = true;
    this.#retryTimer?.cancel();
    for (const follower of [...this.#followers.values()]) {
      follower.queue.fail(new CremaError("CREMA_CLOSED", "the node closed while it was watched"));
    }
  }

  #connect(follower: Follower): void {
    const machine = this.#node.shards.machine(follower.shard);
    if (machine !== undefined && this.#node.shards.canReadLocally(follower.shard)) {
      const missed = follower.seen === null ? [] : machine.cache.changesSince(follower.seen);
      if (missed === "compacted") {
        follower.queue.fail(lagged(follower));
        return;
      }
      follower.source = "local";
      if (follower.seen === null) follower.seen = machine.cache.revision;
      for (const change of missed) this.#deliver(follower, change);
      return;
    }
    const replicas = this.#node.replicas(follower.shard).filter((node) => node !== this.#node.self);
    const node = replicas[follower.tries++ % Math.max(1, replicas.length)];
    const channel = node === undefined ? null : this.#node.channel(node);
    const writer = channel?.beginFrame(FRAME_WATCH) ?? null;
    if (channel === null || writer === null) {
      this.#armRetry();
      return;
    }
    writer.u8(OP_SUBSCRIBE);
    writer.varint(follower.id);
    writer.varint(follower.shard);
    writer.latin1(follower.prefix);
    writer.varint(follower.seen === null ? 0 : follower.seen + 1);
    channel.endFrame();
    follower.source = channel;
  }

  #fromSource(channel: Channel, operation: number, id: number, reader: ByteReader): void {
    const follower = this.#followers.get(id);
    if (follower === undefined || follower.source !== channel) return;
    if (operation === OP_STARTED) {
      follower.seen ??= reader.varint();
      follower.tries = 0;
    } else if (operation === OP_CHANGE) {
      this.#deliver(follower, readChange(reader));
    } else {
      follower.source = null;
      if (reader.bool()) follower.queue.fail(lagged(follower));
      else this.#armRetry();
    }
  }

  #deliver(follower: Follower, change: Change): void {
    if (follower.seen !== null && change.revision <= follower.seen) return;
    follower.seen = change.revision;
    if (change.type !== "clear" && !change.key.startsWith(follower.prefix)) return;
    follower.queue.push({
      shard: follower.shard,
      revision: change.revision,
      type: change.type,
      key: textFromBinary(change.key),
      value: change.value === null ? null : textFromBinary(change.value),
    });
  }

  #drop(follower: Follower): void {
    this.#followers.delete(follower.id);
    if (follower.source === null || follower.source === "local") return;
    const writer = follower.source.beginFrame(FRAME_WATCH);
    if (writer === null) return; // a congested link: the source ends it when it cannot send
    writer.u8(OP_CANCEL);
    writer.varint(follower.id);
    follower.source.endFrame();
  }

  #armRetry(): void {
    if (this.#retryTimer !== null || this.#closed) return;
    this.#retryTimer = this.#node.clock.setTimer(RETRY_MS, () => {
      this.#retryTimer = null;
      for (const follower of [...this.#followers.values()]) {
        if (follower.source === null) this.#connect(follower);
      }
    });
  }

  #serve(channel: Channel, id: number, reader: ByteReader): void {
    const served: Served = { shard: readShardId(reader), prefix: reader.latin1() };
    const next = reader.varint();
    const machine = this.#node.shards.machine(served.shard);
    let watches = this.#served.get(channel);
    if (watches === undefined) {
      watches = new Map();
      this.#served.set(channel, watches);
    }
    if (
      machine === undefined ||
      !this.#node.shards.canReadLocally(served.shard) ||
      watches.size >= SERVED_PER_CHANNEL_MAX
    ) {
      this.#endServed(channel, id, false);
      return;
    }
    const missed = next === 0 ? [] : machine.cache.changesSince(next - 1);
    if (missed === "compacted") {
      this.#endServed(channel, id, true);
      return;
    }
    const writer = channel.beginFrame(FRAME_WATCH);
    if (writer === null) {
      this.#endServed(channel, id, false);
      return;
    }
    writer.u8(OP_STARTED);
    writer.varint(id);
    writer.varint(next === 0 ? machine.cache.revision : next - 1);
    channel.endFrame();
    watches.set(id, served);
    for (const change of missed) this.#sendChange(channel, id, served, change);
  }

  #sendChange(channel: Channel, id: number, served: Served, change: Change): void {
    if (change.type !== "clear" && !change.key.startsWith(served.prefix)) return;
    const writer = channel.beginFrame(FRAME_WATCH);
    if (writer === null) {
      channel.destroy(new CremaError("CREMA_BUSY", "the peer does not take its watched changes"));
      return;
    }
    writer.u8(OP_CHANGE);
    writer.varint(id);
    writeChange(writer, change);
    channel.endFrame();
  }

  /** Tells a watcher elsewhere that this source ends; `compacted`: what it asked for is gone for good. */
  #endServed(channel: Channel, id: number, compacted: boolean): void {
    this.#served.get(channel)?.delete(id);
    const writer = channel.beginFrame(FRAME_WATCH);
    if (writer === null) {
      channel.destroy(new CremaError("CREMA_BUSY", "the peer does not take its watched changes"));
      return;
    }
    writer.u8(OP_ENDED);
    writer.varint(id);
    writer.bool(compacted);
    channel.endFrame();
  }
}

function lagged(follower: Follower): CremaError {
  return new CremaError(
    "CREMA_WATCH_LAGGED",
    `shard ${follower.shard} no longer has the changes after revision ${follower.seen}`,
    { retryable: true },
  );
}

function writeChange(writer: ByteWriter, change: Change): void {
  writer.varint(change.revision);
  writer.u8(CHANGE_TYPES.indexOf(change.type));
  writer.latin1(change.key);
  writer.bool(change.value !== null);
  if (change.value !== null) writer.latin1(change.value);
}

function readChange(reader: ByteReader): Change {
  const revision = reader.varint();
  const type = CHANGE_TYPES[reader.u8()];
  if (type === undefined) throw new WireError("unknown kind of change", reader.offset);
  const key = reader.latin1();
  return { revision, type, key, value: reader.bool() ? reader.latin1() : null };
}
