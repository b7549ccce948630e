/**
 * A large buffer that is not needed just now. Whoever assembles large things makes a new buffer for each, and V8 counts what lies outside of its heap: every 64 MiB
 * of it begin a collection of all garbage, which takes longer than all that is done with the values. So the last one is used again, but is held so loosely that the
 * next collection takes it: what has passed once costs no memory for ever.
 */
import type { Buffer } from "node:buffer";

export class SpareBuffer {
  #spare: WeakRef<Buffer> | null = null;

  /** `buffer` is free. The caller, and everybody it was shown to, must have forgotten it. */
  give(buffer: Buffer): void {
    this.#spare = new WeakRef(buffer);
  }

  /** A buffer of at least `bytes`, with anything in it, that is the caller's; null when there is none. */
  take(bytes: number): Buffer | null {
    if (this.#spare === null) return null;
    const buffer = this.#spare.deref();
    if (buffer === undefined || buffer.length < bytes) return null;
    this.#spare = null;
    return buffer;
  }
}
