/**
 * The origin's half of exactly-once: this node's session with one shard. It numbers the commands and tells the shard
 * below which number it will never ask again, so that replies need not be kept for ever.
 *
 * A session is opened through the log and known by the index of that entry. When the shard has forgotten it, a first
 * attempt may go on under a new session; a retry may not, because nobody can tell any more whether it was applied.
 * @see Raft dissertation §6.3
 */

/** Commands sent and not yet answered, at most; more answer busy. Below the machine's own window. */
export const OUTSTANDING_PER_SESSION_MAX = 32_768;

/** What lies below the low-water mark is let go in pieces of so many: one by one, each answer would move all the others. */
const FORGOTTEN_AT_ONCE = 512;

export class Session {
  /** The id the shard gave; 0 while closed. */
  id = 0;
  #next = 1;
  #lowWater = 1;
  /** Which sequences from `#first` on have been answered: `#answered[i]` stands for `#first + i`. */
  #answered: boolean[] = [];
  #first = 1;

  get isOpen(): boolean {
    return this.id !== 0;
  }

  /** Every sequence below this one has been answered. */
  get lowWater(): number {
    return this.#lowWater;
  }

  get outstanding(): number {
    return this.#next - this.#lowWater;
  }

  get isFull(): boolean {
    return this.outstanding >= OUTSTANDING_PER_SESSION_MAX;
  }

  open(id: number): void {
    this.id = id;
    this.#next = 1;
    this.#lowWater = 1;
    this.#answered = [];
    this.#first = 1;
  }

  close(): void {
    this.id = 0;
  }

  /** The number of the next command. */
  take(): number {
    this.#answered.push(false);
    return this.#next++;
  }

  /** `sequence` of session `id` will never be sent again. */
  answered(id: number, sequence: number): void {
    if (id !== this.id || sequence < this.#lowWater) return;
    this.#answered[sequence - this.#first] = true;
    while (this.#answered[this.#lowWater - this.#first] === true) this.#lowWater++;
    const done = this.#lowWater - this.#first;
    if (done < FORGOTTEN_AT_ONCE) return;
    this.#answered.splice(0, done);
    this.#first = this.#lowWater;
  }
}
