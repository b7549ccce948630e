/**
 * The window of append requests on their way to one follower: how many, and how many bytes. A full window stops the
 * pipeline until the follower answers, so that a slow one costs bounded memory.
 */

/** A queue of (last index, bytes) in a ring that grows on demand up to its capacity. */
export class Inflights {
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  #indexes: number[] = [];
  #sizes: number[] = [];
  #head = 0;
  #count = 0;
  #bytes = 0;

  constructor(messagesMax: number, bytesMax: number) {
    this.#messagesMax = messagesMax;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The byte limit may be overshot by the one request that reached it. */
  get full(): boolean {
    return this.#count >= this.#messagesMax || this.#bytes >= this.#bytesMax;
  }

  /** A request whose last entry is `lastIndex` left. Indexes rise. Must not be called when full. */
  add(lastIndex: number, bytes: number): void {
    if (this.#count === this.#indexes.length) this.#grow();
    const at = (this.#head + this.#count) % this.#indexes.length;
    this.#indexes[at] = lastIndex;
    this.#sizes[at] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Everything up to `index` has been acknowledged. */
  freeTo(index: number): void {
    while (this.#count > 0 && (this.#indexes[this.#head] as number) <= index) {
      this.#bytes -= this.#sizes[this.#head] as number;
      this.#head = (this.#head + 1) % this.#indexes.length;
      this.#count--;
    }
  }

  clear(): void {
    this.#head = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const size = Math.min(this.#messagesMax, Math.max(4, this.#indexes.length * 2));
    const indexes = new Array<number>(size).fill(0);
    const sizes = new Array<number>(size).fill(0);
    for (let item = 0; item < this.#count; item++) {
      const at = (this.#head + item) % this.#indexes.length;
      indexes[item] = this.#indexes[at] as number;
      sizes[item] = this.#sizes[at] as number;
    }
    this.#indexes = indexes;
    this.#sizes = sizes;
    this.#head = 0;
  }
}
