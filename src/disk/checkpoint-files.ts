/**
 * The checkpoints of one node: a folder of files that are whole or not there. A file is written under another name, synced, and
 * renamed, and the folder is synced, before a record of the log may name it; files that no record names are swept away.
 */
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { GroupId } from "../base/ids.ts";
import type { CheckpointWriter, KeptCheckpoint } from "../host/ports.ts";
import type { CheckpointFile } from "../wire/store-record.ts";
import { CheckpointEncoder, checkpointDamage, readCheckpoint } from "./checkpoint-file.ts";

const UNFINISHED = ".tmp";
const SUFFIX = ".ckpt";
/** A writer wants no further slice while so much waits for the disk. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** A finished file, which a record may name. */
export class KeptFile implements KeptCheckpoint {
  readonly checkpoint: CheckpointFile;
  readonly #files: CheckpointFiles;

  constructor(files: CheckpointFiles, checkpoint: CheckpointFile) {
    this.#files = files;
    this.checkpoint = checkpoint;
  }

  discard(): void {
    this.#files.remove(this.checkpoint.file);
  }
}

export class CheckpointFiles {
  readonly #folder: string;
  readonly #onFailure: (error: Error) => void;
  #next = 1;
  /** Removals and writers under way. */
  readonly #open = new Set<Promise<unknown>>();

  /** `onFailure` hears of files that could not be removed: they are swept away at the next start. */
  constructor(folder: string, onFailure: (error: Error) => void) {
    this.#folder = folder;
    this.#onFailure = onFailure;
  }

  /** Removes every file but those `named`, and takes new names behind all there are. */
  async sweep(named: ReadonlySet<string>): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const file of await readdir(this.#folder)) {
      const number = Number(/-(\d+)\.ckpt/.exec(file)?.[1] ?? 0);
      if (number >= this.#next) this.#next = number + 1;
      if (!named.has(file)) await rm(join(this.#folder, file), { force: true });
    }
  }

  begin(group: GroupId): CheckpointWriter {
    const file = `group-${group}-${this.#next++}${SUFFIX}`;
    return new FileWriter(this.#folder, file, (bytes) => new KeptFile(this, { file, bytes }), this.#open);
  }

  /** Why a file is of no use, with its path; null when it can be read. */
  damage({ file }: CheckpointFile): string | null {
    return checkpointDamage(join(this.#folder, file));
  }

  read({ file }: CheckpointFile): Iterable<Uint8Array> {
    return readCheckpoint(join(this.#folder, file));
  }

  remove(file: string): void {
    this.#track(rm(join(this.#folder, file), { force: true }).catch(this.#onFailure));
  }

  /** Waits for what is under way. */
  async idle(): Promise<void> {
    while (this.#open.size > 0) await Promise.allSettled([...this.#open]);
  }

  #track(work: Promise<unknown>): void {
    this.#open.add(work);
    void work.finally(() => this.#open.delete(work));
  }
}

/** Writes one file, slice by slice, in a chain of its own. */
class FileWriter implements CheckpointWriter {
  readonly #folder: string;
  readonly #file: string;
  readonly #keptOf: (bytes: number) => KeptFile;
  readonly #open: Set<Promise<unknown>>;
  #encoder: Promise<{ readonly encoder: CheckpointEncoder; close(): Promise<void> }>;
  #tail: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #ended = false;
  #abandoned = false;

  constructor(
    folder: string,
    file: string,
    keptOf: (bytes: number) => KeptFile,
    open: Set<Promise<unknown>>,
  ) {
    this.#folder = folder;
    this.#file = file;
    this.#keptOf = keptOf;
    this.#open = open;
    this.#encoder = this.#create();
    this.#chain(async () => void (await this.#encoder));
  }

  write(slice: Uint8Array): void | Promise<void> {
    this.#waitingBytes += slice.length;
    const written = this.#chain(async () => {
      if (this.#abandoned) return;
      await (await this.#encoder).encoder.write(slice);
      this.#waitingBytes -= slice.length;
    });
    return this.#waitingBytes > WAITING_BYTES_MAX ? written : undefined;
  }

  finish(done: (error: Error | null, kept: KeptCheckpoint | null) => void): void {
    this.#ended = true;
    const finished = this.#chain(() => this.#finish());
    finished.then(
      () => void this.#encoder.then(({ encoder }) => done(null, this.#keptOf(encoder.bytes))),
      (error: unknown) => {
        this.#dispose();
        done(error instanceof Error ? error : new Error(String(error)), null);
      },
    );
  }

  abandon(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#abandoned = true;
    this.#dispose();
  }

  async #create(): Promise<{ readonly encoder: CheckpointEncoder; close(): Promise<void> }> {
    const file = await open(join(this.#folder, this.#file + UNFINISHED), "w");
    return { encoder: new CheckpointEncoder(file), close: () => file.close() };
  }

  async #finish(): Promise<void> {
    const { encoder, close } = await this.#encoder;
    await encoder.finish();
    await close();
    const path = join(this.#folder, this.#file);
    await rename(path + UNFINISHED, path);
    await syncFolder(this.#folder);
  }

  /** Closes and removes the unfinished file, whatever became of it; what will not go is swept at the next start. */
  #dispose(): void {
    const path = join(this.#folder, this.#file + UNFINISHED);
    const work = this.#tail
      .catch(() => {})
      .then(async () => (await this.#encoder).close())
      .catch(() => {})
      .then(() => rm(path, { force: true }))
      .catch(() => {});
    this.#track(work);
  }

  /** One after the other; after a failure nothing more. */
  #chain(step: () => Promise<void>): Promise<void> {
    const work = this.#tail.then(step);
    this.#tail = work;
    this.#track(work);
    return work;
  }

  #track(work: Promise<unknown>): void {
    this.#open.add(work);
    // Whoever waits for it hears of a failure; here it only ends.
    work.then(
      () => this.#open.delete(work),
      () => this.#open.delete(work),
    );
  }
}

/** A renamed file is found after a crash only when its folder is synced, too. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
