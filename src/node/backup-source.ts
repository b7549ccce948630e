/**
 * The section of one shard in a backup, read from a snapshot of its machine while the machine goes on applying.
 *
 * The snapshot stands still: a leader that is deposed meanwhile, a replica that is removed or overwritten by an installed
 * snapshot change nothing of it. So once begun it only ends early when its node or its reader does.
 */
import type { ClusterId, ShardId } from "../base/ids.ts";
import type { CacheMachine } from "../cache/cache-machine.ts";
import type { SnapshotEntry, SnapshotRecord } from "../cache/snapshot-record.ts";
import type { SnapshotSource } from "../cache/snapshot-source.ts";
import type { BulkSource } from "../host/links/bulk-stream.ts";
import {
  BackupEntriesWriter,
  BLOCK_BYTES_AIM,
  encodeBackupBegin,
  encodeBackupBlock,
  encodeBackupShardEnd,
} from "../wire/backup-codec.ts";

export interface BackupMoment {
  readonly clusterId: ClusterId;
  /** The leader's estimate of machine time: what has expired by now is left out, other times to live count from here. */
  readonly machineNowMs: number;
  readonly wallMs: number;
}

/** One running backup of a shard. Close it, or read it to its end: until then it costs every change a look. */
export class BackupSource implements BulkSource {
  readonly #shard: ShardId;
  readonly #snapshot: SnapshotSource;
  readonly #machineNowMs: number;
  readonly #block = new BackupEntriesWriter();
  /** The present frame, and how much of it has been handed out. */
  #frame: Uint8Array;
  #sent = 0;
  #blocks = 0;
  #entries = 0;
  #bytes = 0;
  #ended = false;

  /** Begins at this very moment: call it in the turn in which the read barrier was granted. */
  constructor(shard: ShardId, cache: CacheMachine, { clusterId, machineNowMs, wallMs }: BackupMoment) {
    this.#shard = shard;
    this.#machineNowMs = machineNowMs;
    this.#frame = encodeBackupBegin({
      clusterId,
      shard,
      appliedIndex: cache.appliedIndex,
      revision: cache.revision,
      takenAtMs: wallMs,
    });
    this.#snapshot = cache.beginSnapshot();
  }

  next(bytesMax: number): Uint8Array | null {
    if (this.#sent === this.#frame.length) {
      if (this.#ended) return null;
      this.#frame = this.#nextFrame();
      this.#sent = 0;
    }
    const piece = this.#frame.subarray(this.#sent, this.#sent + bytesMax);
    this.#sent += piece.length;
    return piece;
  }

  /** Lets go of what the snapshot pins. Idempotent. */
  close(): void {
    this.#snapshot.close();
    this.#ended = true;
  }

  #nextFrame(): Uint8Array {
    for (;;) {
      const chunk = this.#snapshot.next(BLOCK_BYTES_AIM);
      if (chunk === null) break;
      for (const record of chunk.records) this.#take(record);
      if (this.#block.count > 0) return this.#packBlock();
    }
    this.#ended = true;
    const { blocks, entries, bytes } = { blocks: this.#blocks, entries: this.#entries, bytes: this.#bytes };
    return encodeBackupShardEnd({ shard: this.#shard, blocks, entries, bytes });
  }

  #take(record: SnapshotRecord): void {
    // Sessions belong to the cluster that opened them; a restored key is written by new ones.
    if (record.type === "entry") this.#takeEntry(record);
  }

  #takeEntry({ key, value, expiresAtMs }: SnapshotEntry): void {
    const remainingMs = expiresAtMs === null ? null : Math.ceil(expiresAtMs - this.#machineNowMs);
    if (remainingMs !== null && remainingMs < 1) return;
    this.#block.add({ key, value, remainingMs });
    this.#entries++;
    this.#bytes += key.length + value.length;
  }

  #packBlock(): Uint8Array {
    const entries = this.#block.count;
    const packed = this.#block.pack();
    return encodeBackupBlock({ shard: this.#shard, sequence: this.#blocks++, entries, packed });
  }
}
