/**
 * From a cluster into a file: one shard after the other, each as its leader streams it.
 *
 * One at a time, because a stream that broke in the middle is cut off the file and read again, and because it loads one
 * leader at a time. @see docs/decisions/0013-backup-files.md
 */
import { CremaError } from "../../src/index.ts";
import { encodeBackupEnd, encodeBackupHeader } from "../../src/wire/backup-codec.ts";
import { BackupFault, BackupReader } from "../../src/wire/backup-reader.ts";
import { CommandFailed } from "../command-failed.ts";
import { AnswerRefused, NodeUnreachable } from "../operator/answer-refused.ts";
import type { ClusterContents, ClusterHttp } from "../operator/cluster-http.ts";
import type { BackupFileWriter } from "./backup-file-writer.ts";
import { retried } from "./retries.ts";

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
  readonly #onRetry: (shard: number, error: unknown) => void;
  shardsDone = 0;
  /** Of finished shards, and of the blocks of the present one. */
  keys = 0;
  #bytes = 0;

  /** `onRetry` hears of every shard that has to be read again. */
  constructor(
    cluster: ClusterHttp,
    contents: ClusterContents,
    file: BackupFileWriter,
    onRetry: (shard: number, error: unknown) => void,
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

  /** A section that broke off is cut off the file and read again. */
  async #shard(shard: number): Promise<void> {
    const start = this.#file.length;
    const keysBefore = this.keys;
    try {
      this.#bytes += await retried(
        () => this.#section(shard),
        mayPass,
        async (error) => {
          this.#onRetry(shard, error);
          this.keys = keysBefore;
          await this.#file.rewind(start);
        },
      );
    } catch (error) {
      if (!mayPass(error)) throw error;
      throw new CommandFailed(`shard ${shard} cannot be read: ${reasonOf(error)}`, { cause: error });
    }
    this.shardsDone++;
  }

  /** Copies the section of `shard` into the file; answers the bytes of keys and values in it. */
  async #section(shard: number): Promise<number> {
    const reader = new BackupReader({ of: { shard }, deep: false });
    for await (const chunk of this.#cluster.backupShard(shard)) {
      for (const { frame, bytes } of reader.push(chunk)) {
        if (frame?.type === "begin" && frame.clusterId !== this.#contents.clusterId) {
          throw new CommandFailed(
            `the backup began in cluster ${this.#contents.clusterId}, and ${this.#cluster.address} belongs to ${frame.clusterId} now`,
          );
        }
        await this.#file.write(bytes);
        if (frame?.type === "block") this.keys += frame.entries;
      }
    }
    reader.finish();
    return reader.totals.bytes;
  }
}

/** A failure that another try may not meet: of the way, of the moment, or of bytes that were damaged on the way. */
function mayPass(error: unknown): boolean {
  if (error instanceof AnswerRefused) return error.retryable;
  if (error instanceof CremaError) {
    return error.retryable || error.code === "CREMA_CLOSED" || error.code === "CREMA_ABORTED";
  }
  return error instanceof NodeUnreachable || error instanceof BackupFault;
}

/** What went wrong, for people. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
