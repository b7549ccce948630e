/**
 * The cache machine behind the face a Raft group drives: bytes in, replies out, snapshots as checked bytes.
 */
import type { LogIndex } from "../base/ids.ts";
import { CacheMachine } from "../cache/cache-machine.ts";
import type { Change } from "../cache/change.ts";
import type { HeatMeter } from "../cache/heat.ts";
import type { Reply } from "../cache/reply.ts";
import type { SnapshotSink, SnapshotSource, StateMachine } from "../host/state-machine.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { decodeBatch } from "../wire/command-codec.ts";
import { decodeSnapshotChunk, encodeSnapshotChunk } from "../wire/snapshot-codec.ts";

const SLICE_BYTES_USUAL = 72 * 1024;
/** The buffer of a longer slice is not used for the next ones. */
const SLICE_BYTES_KEPT = 128 * 1024;

export class ShardMachine implements StateMachine<Reply> {
  /** Replaced whole when a snapshot is installed: never keep a reference across turns. */
  cache: CacheMachine;
  /** Called for every change in order of revision, during apply. */
  onChange: ((change: Change) => void) | null = null;
  /** The state was replaced by a snapshot: revisions may have jumped. */
  onReplaced: (() => void) | null = null;
  /** The replica may hold more or less than before: an entry was applied, or a snapshot has replaced it. */
  onHolding: (() => void) | null = null;
  /** Commands applied here since the start. */
  commandsApplied = 0;
  readonly #meter: HeatMeter | null;

  /** `meter`: how the use of keys is noted; null when nobody wants to know. */
  constructor(meter: HeatMeter | null = null) {
    this.#meter = meter;
    this.cache = new CacheMachine({}, meter);
    this.#listen();
  }

  get timeMs(): number {
    return this.cache.machineTimeMs;
  }

  get sizeBytes(): number {
    return this.cache.accountedBytes;
  }

  apply(index: LogIndex, data: Uint8Array): readonly Reply[] {
    const batch = decodeBatch(data);
    this.commandsApplied += batch.commands.length;
    const replies = this.cache.apply(index, batch.stampMs, batch.commands);
    if (this.onHolding !== null) this.onHolding();
    return replies;
  }

  beginSnapshot(): SnapshotSource {
    const source = this.cache.beginSnapshot();
    const writer = new ByteWriter(SLICE_BYTES_USUAL);
    return {
      next: (maxBytes) => {
        const chunk = source.next(maxBytes);
        if (chunk === null) return null;
        encodeSnapshotChunk(writer, chunk);
        return writer.length > SLICE_BYTES_KEPT ? writer.take() : writer.view();
      },
      close: () => source.close(),
    };
  }

  beginRestore(): SnapshotSink {
    const restored = new CacheMachine({}, this.#meter);
    const sink = restored.beginRestore();
    return {
      write: (slice) => sink.write(decodeSnapshotChunk(slice)),
      finish: () => sink.finish(),
      install: () => {
        this.cache = restored;
        this.#listen();
        this.onReplaced?.();
        this.onHolding?.();
      },
    };
  }

  #listen(): void {
    this.cache.onChange = (change) => this.onChange?.(change);
  }
}
