/**
 * Values by log index, the newest so many of them: what checkers remember of a log that grows as long as a run goes on.
 * Below the tail nothing is known any more, and whoever asks must take that for "cannot be judged".
 */

/** How far back checkers remember a log: more than any replica keeps of its own (10,000 entries, four times that during a snapshot). */
const INDEXES_KEPT_MAX = 65_536;

export class IndexTail<Value> {
  readonly #keptMax: number;
  #first = 0;
  #values: (Value | undefined)[] = [];

  constructor(keptMax = INDEXES_KEPT_MAX) {
    this.#keptMax = keptMax;
  }

  /** The lowest index that can be known. */
  get first(): number {
    return this.#first;
  }

  /** The highest index ever set; below {@link first} when there is none. */
  get last(): number {
    return this.#first + this.#values.length - 1;
  }

  get(index: number): Value | undefined {
    return this.#values[index - this.#first];
  }

  /** No effect below the tail. */
  set(index: number, value: Value): void {
    if (index < this.#first) return;
    if (index > this.last + this.#keptMax) {
      this.#first = index;
      this.#values = [];
    }
    while (this.last < index) this.#values.push(undefined);
    this.#values[index - this.#first] = value;
    // Cut by half, so that the copying is rare.
    if (this.#values.length <= this.#keptMax * 2) return;
    this.#first += this.#values.length - this.#keptMax;
    this.#values = this.#values.slice(-this.#keptMax);
  }
}
