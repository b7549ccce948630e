/**
 * From a cluster into a file: one shard after the other, each as its leader streams it.
 *
 * One at a time, because a stream that broke in the middle is cut off the file and read again, and because it loads one
 * leader at a time. @see docs/decisions/0013-backup-files.md
 */
import { setTimeout as delay } from "node:timers/promises";
import { CremaError } from "../../src/index.ts";
import { encodeBackupEnd, encodeBackupHeader } from "../../src/wire/backup-codec.ts";
import { BackupFault, BackupReader } from "../../src/wire/backup-reader.ts";
import { CommandFailed } from "../command-failed.ts";
import { AnswerRefused, NodeUnreachable } from "../operator/answer-refused.ts";
import type { ClusterContents, ClusterHttp } from "../operator/cluster-http.ts";
import type { BackupFileWriter } from "./backup-file-writer.ts";

/** Tries per shard, the first included. The waits between them add up to about 15 seconds, longer than elections take. */
const TRIES_MAX = 8;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 4_000;

export interface BackupTotals {
  readonly shards: number;
  readonly keys: number;
  readonly bytes: number;
}

/** One backup under way; its fields tell how far it is. */
export class BackupRun {
  readonly #cluster: ClusterHttp;
  readonly #contents: ClusterContents;
  readonly #file: BackupFileWriter;
  readonly #onRetry: (shard: number, error: Error) => void;
  shardsDone = 0;
  /** Of finished shards, and of the blocks of the present one. */
  keys = 0;
  #bytes = 0;

  /** `onRetry` hears of every shard that has to be read again. */
  constructor(
    cluster: ClusterHttp,
    contents: ClusterContents,
    file: BackupFileWriter,
    onRetry: (shard: number, error: Error) => void,
  ) {
    this.#cluster = cluster;
    this.#contents = contents;
    this.#file = file;
    this.#onRetry = onRetry;
  }

  /** Writes everything and gives the file its name. */
  async run(createdAtMs: number): Promise<BackupTotals> {
    const { shardCount } = this.#contents;
    const { clusterId } = this.#contents;
    if (clusterId === null)
      throw new CommandFailed(`${this.#cluster.address} does not belong to a cluster yet`);
    await this.#file.write(encodeBackupHeader({ clusterId, shardCount, createdAtMs }));
    for (let shard = 0; shard < shardCount; shard++) await this.#shard(shard);
    const totals = { shards: shardCount, entries: this.keys, bytes: this.#bytes };
    await this.#file.write(encodeBackupEnd(totals));
    await this.#file.commit();
    return { shards: shardCount, keys: this.keys, bytes: this.#bytes };
  }

  async #shard(shard: number): Promise<void> {
    const start = this.#file.length;
    const keysBefore = this.keys;
    for (let tries = 1; ; tries++) {
      try {
        this.#bytes += await this.#section(shard);
        this.shardsDone++;
        return;
      } catch (error) {
        if (!(error instanceof Error) || !mayPass(error)) throw error;
        if (tries === TRIES_MAX) {
          const message = `shard ${shard} could not be read in ${tries} tries: ${error.message}`;
          throw new CommandFailed(message, { cause: error });
        }
        this.#onRetry(shard, error);
        this.keys = keysBefore;
        await this.#file.rewind(start);
        await delay(Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (tries - 1)));
      }
    }
  }

  /** Copies the section of `shard` into the file; answers the bytes of keys and values in it. */
  async #section(shard: number): Promise<number> {
    const reader = new BackupReader({ of: { shard }, deep: false });
    for await (const chunk of this.#cluster.backupShard(shard)) {
      for (const { frame, bytes } of reader.push(chunk)) {
        await this.#file.write(bytes);
        if (frame?.type === "block") this.keys += frame.entries;
      }
    }
    reader.finish();
    return reader.totals.bytes;
  }
}

/** A failure that another try may not meet: of the way, of the moment, or of bytes that were damaged on the way. */
function mayPass(error: Error): boolean {
  if (error instanceof AnswerRefused) return error.retryable;
  if (error instanceof CremaError)
    return error.retryable || error.code === "CREMA_CLOSED" || error.code === "CREMA_ABORTED";
  return error instanceof NodeUnreachable || error instanceof BackupFault;
}
