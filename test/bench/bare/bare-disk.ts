/**
 * The log of a bare node: appended to one file, one sync at a time; what is given while one is under way is in the next.
 */
import type { Buffer } from "node:buffer";
import { fdatasync, openSync, writeSync } from "node:fs";

export class BareDisk {
  readonly #file: number;
  #waiting: (() => void)[] = [];
  #syncing = false;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  /** `onDurable` is called once `bytes`, and all before them, are on the disk. */
  append(bytes: Buffer, onDurable: () => void): void {
    writeSync(this.#file, bytes);
    this.#waiting.push(onDurable);
    if (!this.#syncing) this.#sync();
  }

  #sync(): void {
    const durable = this.#waiting;
    this.#waiting = [];
    this.#syncing = true;
    fdatasync(this.#file, (error) => {
      if (error !== null) throw error;
      this.#syncing = false;
      for (const tell of durable) tell();
      if (this.#waiting.length > 0 && !this.#syncing) this.#sync();
    });
  }
}
