/**
 * Watches the free space of a file system. Too little of it is told before there is none: a node that still can write hands over
 * in better order.
 */
import { statfs } from "node:fs/promises";

const POLL_MS = 1_000;
/** Space is back when there is so much more than the least. */
const RECOVERED_FACTOR = 1.25;

export class FreeSpace {
  readonly #directory: string;
  readonly #bytesMin: number;
  readonly #onLow: (reason: string | null) => void;
  #low = false;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** Bytes that were free when it was looked last. */
  freeBytes = Number.POSITIVE_INFINITY;

  /** `onLow`: there is less than `bytesMin` (why), or enough again (null). */
  constructor(directory: string, bytesMin: number, onLow: (reason: string | null) => void) {
    this.#directory = directory;
    this.#bytesMin = bytesMin;
    this.#onLow = onLow;
  }

  /** Begins to watch. Rejects when the file system cannot be asked. */
  async start(): Promise<void> {
    await this.#look();
    this.#arm();
  }

  /** Whether `bytes` more would fit, beside the least that should stay free for others to be logged in. */
  async hasSpace(bytes: number): Promise<boolean> {
    await this.#look();
    return this.freeBytes >= bytes * 2 + SPARE_BYTES;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#look().then(
        () => this.#arm(),
        // A file system that is gone makes itself heard with the next write.
        () => this.#arm(),
      );
    }, POLL_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    this.freeBytes = bavail * bsize;
    if (this.#closed) return;
    const low = this.freeBytes < this.#bytesMin * (this.#low ? RECOVERED_FACTOR : 1);
    if (low === this.#low) return;
    this.#low = low;
    const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
    this.#onLow(
      low
        ? `only ${mebibytes(this.freeBytes)} are free on the disk, less than ${mebibytes(this.#bytesMin)}`
        : null,
    );
  }
}

/** What LevelDB needs to open and write at all. */
const SPARE_BYTES = 4 * 1024 * 1024;
