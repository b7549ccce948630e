/**
 * Backups of single shards, for whoever asks this node: read at the shard's leader, here or one hop away.
 *
 * Why a backup holds every write acknowledged before it began: the leader first gets a read barrier, by which a quorum
 * confirms that it still leads and its machine holds everything that was committed when the barrier was asked; an
 * acknowledged write was committed. The snapshot begins in the very turn in which the barrier is granted.
 *
 * The bytes come over a bulk stream of their own, which the leader opens to the node that asked: a slow reader slows the
 * reading of the snapshot, not the links. Streams are few, so that copies of shards for newcomers always find room.
 */
import { assert } from "../base/assert.ts";
import { CremaError } from "../base/errors.ts";
import {
  type ClusterId,
  type GroupId,
  groupOfShard,
  type NodeId,
  type ShardId,
  shardId,
} from "../base/ids.ts";
import type { Background } from "../host/background.ts";
import type { Bulk } from "../host/links/bulk.ts";
import {
  BULK_CHUNK_BYTES_MAX,
  type BulkSink,
  type BulkSource,
  bulkErrorOf,
} from "../host/links/bulk-stream.ts";
import type { Calls } from "../host/links/calls.ts";
import type { Clock } from "../host/ports.ts";
import type { Identity } from "../wire/handshake-codec.ts";
import { WireError } from "../wire/wire-error.ts";
import { BackupSource } from "./backup-source.ts";
import type { BackupSink } from "./door.ts";
import type { AbortSignalLike } from "./promised-reply.ts";
import type { ShardService } from "./shard-service.ts";

const METHOD_BACKUP = "node.backup-shard";
/** Streams to readers at this node, and streams of shards led here: each of both. Half of what bulk streams may be. */
export const BACKUP_STREAMS_MAX = 2;
/** How long a leader is looked for, and a barrier waited for. */
const BEGIN_TIMEOUT_MS = 5_000;
/** For the leader to open its stream: dialling and a handshake. */
const OPEN_TIMEOUT_MS = 10_000;
const LEADER_POLL_MS = 50;

export interface BackupParts {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly background: Background;
  readonly shards: ShardService;
  readonly calls: Calls;
  readonly bulk: Bulk;
  readonly leaderOf: (group: GroupId) => NodeId | null;
  readonly shardCount: () => number;
  /** null: this node belongs to no cluster, and leads nothing. */
  readonly clusterId: () => ClusterId | null;
  /** A stream to another node broke, for the log; its reader hears of it too. */
  readonly onFailed: (shard: ShardId, node: NodeId, error: unknown) => void;
}

/** A reader here that waits for a stream from `leader`. */
interface Awaited {
  readonly leader: NodeId;
  readonly sink: BackupSink;
  opened: boolean;
  /** Ends the waiting, well or not. Only the first call counts. */
  end(error: Error | null): void;
}

export class Backups {
  readonly #parts: BackupParts;
  readonly #awaited = new Map<number, Awaited>();
  #tickets = 0;
  #reading = 0;
  #serving = 0;
  readonly counters = { sent: 0, failed: 0 };

  constructor(parts: BackupParts) {
    this.#parts = parts;
    parts.calls.handle(METHOD_BACKUP, (params, from) => this.#serve(params, from));
  }

  /**
   * Writes the section of `shard` to `sink`, slice by slice as the sink takes it. Rejects with CREMA_BUSY beyond
   * {@link BACKUP_STREAMS_MAX}, CREMA_NO_LEADER, CREMA_NOT_LEADER, CREMA_UNREACHABLE, CREMA_TIMEOUT, CREMA_ABORTED, or what
   * the sink threw; after a failure what was written is worth nothing.
   */
  async send(shard: ShardId, sink: BackupSink, signal: AbortSignalLike): Promise<void> {
    this.#checkShard(shard);
    if (this.#reading >= BACKUP_STREAMS_MAX) throw tooMany(this.#reading);
    this.#reading++;
    const counted = new CountingSink(sink);
    const deadlineMs = this.#parts.clock.nowMs() + BEGIN_TIMEOUT_MS;
    try {
      for (;;) {
        const failure = await this.#attempt(shard, counted, signal);
        if (failure === null) break;
        const mayTryAgain =
          !counted.written && this.#parts.clock.nowMs() < deadlineMs && isAboutLeader(failure);
        if (!mayTryAgain || signal.aborted) throw failure;
        await this.#pause(LEADER_POLL_MS);
      }
      this.counters.sent++;
    } catch (error) {
      this.counters.failed++;
      throw error;
    } finally {
      this.#reading--;
    }
  }

  /** The sink of a stream that this node asked for; null when `header` is not about a backup. */
  incoming(header: unknown, from: Identity): BulkSink | CremaError | null {
    if (!isBackupHeader(header)) return null;
    const awaited = this.#awaited.get(header.backup);
    if (awaited === undefined || awaited.leader !== from.node || awaited.opened) {
      return new CremaError("CREMA_ABORTED", "nobody waits for this backup any more");
    }
    awaited.opened = true;
    return {
      isImpatient: true,
      write: (chunk) => {
        if (this.#awaited.get(header.backup) !== awaited) throw aborted();
        return awaited.sink.write(chunk);
      },
      finish: () => awaited.end(null),
      abort: (error) => awaited.end(error instanceof CremaError ? error : broken(from.node, error)),
    };
  }

  /** One way to one leader; what went wrong, or null. */
  async #attempt(shard: ShardId, sink: BackupSink, signal: AbortSignalLike): Promise<Error | null> {
    const leader = this.#parts.leaderOf(groupOfShard(shard));
    try {
      if (leader === null) {
        throw new CremaError("CREMA_NO_LEADER", `shard ${shard} has no leader that is known here`, {
          retryable: true,
        });
      }
      if (leader === this.#parts.self) await this.#readHere(shard, sink, signal);
      else await this.#fetch(shard, leader, sink, signal);
      return null;
    } catch (error) {
      return error instanceof Error ? error : bulkErrorOf(error);
    }
  }

  /** Reads a shard led here straight into `sink`, slice by slice in the background. */
  async #readHere(shard: ShardId, sink: BackupSink, signal: AbortSignalLike): Promise<void> {
    const source = await this.#begin(shard);
    try {
      for (;;) {
        if (signal.aborted) throw aborted();
        const piece = source.next(BULK_CHUNK_BYTES_MAX);
        if (piece === null) return;
        await sink.write(piece);
        await new Promise<void>((resolve) => this.#parts.background.queue(resolve));
      }
    } finally {
      source.close();
    }
  }

  /** Asks `leader` for a stream and waits for its end. */
  #fetch(shard: ShardId, leader: NodeId, sink: BackupSink, signal: AbortSignalLike): Promise<void> {
    const ticket = ++this.#tickets;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => awaited.end(aborted());
      const awaited: Awaited = {
        leader,
        sink,
        opened: false,
        end: (error) => {
          if (!this.#awaited.delete(ticket)) return;
          signal.removeEventListener("abort", onAbort);
          if (error === null) resolve();
          else reject(error);
        },
      };
      this.#awaited.set(ticket, awaited);
      signal.addEventListener("abort", onAbort);
      this.#parts.calls
        .call(leader, METHOD_BACKUP, [shard, ticket], { timeoutMs: BEGIN_TIMEOUT_MS + OPEN_TIMEOUT_MS })
        .catch((error: Error) => {
          // Once the stream is here, it says itself how it ends.
          if (!awaited.opened) awaited.end(error);
        });
    });
  }

  /** Another node wants a shard that it believes is led here. Answers once that node has taken the stream. */
  async #serve(params: unknown, from: Identity): Promise<null> {
    const { shard, ticket } = readRequest(params);
    if (this.#serving >= BACKUP_STREAMS_MAX) throw tooMany(this.#serving);
    this.#serving++;
    let source: BackupSource;
    try {
      source = await this.#begin(shard);
    } catch (error) {
      this.#serving--;
      throw error;
    }
    return new Promise((resolve, reject) => {
      // The first piece is asked for when the reader's node has taken the stream: from then on it hears of failures there.
      const watched: BulkSource = {
        next: (bytesMax) => {
          resolve(null);
          return source.next(bytesMax);
        },
      };
      this.#parts.bulk
        .send(from.node, from.address, { backup: ticket }, watched)
        .catch((error: unknown) => {
          this.#parts.onFailed(shard, from.node, error);
          reject(error);
        })
        .finally(() => {
          source.close();
          this.#serving--;
        });
    });
  }

  /** A snapshot of `shard` behind a read barrier. Rejects with CREMA_NOT_LEADER or CREMA_TIMEOUT. */
  #begin(shard: ShardId): Promise<BackupSource> {
    const { shards, clock } = this.#parts;
    const group = shards.group(shard);
    const refused = new CremaError("CREMA_NOT_LEADER", `this node does not lead shard ${shard}`, {
      retryable: true,
    });
    if (group === undefined) return Promise.reject(refused);
    return new Promise((resolve, reject) => {
      let waiting = true;
      const timer = clock.setTimer(BEGIN_TIMEOUT_MS, () => {
        waiting = false;
        reject(new CremaError("CREMA_TIMEOUT", `no quorum of shard ${shard} answered`, { retryable: true }));
      });
      const settle = (act: () => void): void => {
        if (!waiting) return;
        waiting = false;
        timer.cancel();
        act();
      };
      group.read({
        granted: () =>
          settle(() => {
            const machine = shards.machine(shard);
            const clusterId = this.#parts.clusterId();
            if (machine === undefined || clusterId === null || !group.isReadyLeader) reject(refused);
            else {
              const moment = { clusterId, machineNowMs: group.machineClock.nowMs(), wallMs: clock.wallMs() };
              resolve(new BackupSource(shard, machine.cache, moment));
            }
          }),
        lost: () => settle(() => reject(refused)),
      });
    });
  }

  #checkShard(shard: ShardId): void {
    const shards = this.#parts.shardCount();
    if (shard >= shards) throw new RangeError(`a shard of this cluster is 0 .. ${shards - 1}, not ${shard}`);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.clock.setTimer(ms, resolve));
  }
}

/** Remembers whether anything was written: before that, another leader may be asked instead. */
class CountingSink implements BackupSink {
  readonly #sink: BackupSink;
  written = false;

  constructor(sink: BackupSink) {
    this.#sink = sink;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    assert(chunk.length > 0, "a backup comes in pieces that are not empty");
    this.written = true;
    return this.#sink.write(chunk);
  }
}

function isBackupHeader(header: unknown): header is { readonly backup: number } {
  return (
    typeof header === "object" && header !== null && "backup" in header && typeof header.backup === "number"
  );
}

/** Throws `WireError` when the parameters are not what `#fetch` sends. */
function readRequest(params: unknown): { readonly shard: ShardId; readonly ticket: number } {
  const [shard, ticket] = Array.isArray(params) ? (params as readonly unknown[]) : [];
  if (typeof shard !== "number" || !Number.isSafeInteger(ticket)) {
    throw new WireError("a request for a backup names a shard and a ticket", 0);
  }
  return { shard: shardId(shard), ticket: Number(ticket) };
}

/** A failure that another leader, or the same one a moment later, may not have. */
function isAboutLeader(error: Error): boolean {
  if (!(error instanceof CremaError)) return false;
  return ["CREMA_NO_LEADER", "CREMA_NOT_LEADER", "CREMA_UNREACHABLE"].includes(error.code);
}

function tooMany(streams: number): CremaError {
  return new CremaError("CREMA_BUSY", `${streams} backups are read here already`, {
    retryable: true,
    retryAfterMs: 1_000,
  });
}

function broken(leader: NodeId, cause: Error): CremaError {
  const message = `the backup from node ${leader} broke off: ${cause.message}`;
  return new CremaError("CREMA_UNREACHABLE", message, { retryable: true, cause });
}

function aborted(): CremaError {
  return new CremaError("CREMA_ABORTED", "the reader of the backup has gone");
}
