/**
 * Notices a store that confirms nothing: a disk that stalls. Its node hears others and is heard, so nobody misses it as a leader,
 * yet what it leads stands still. Time is counted in ticks that ran, not by the clock: after a pause of the whole process the
 * confirmations are read before so many ticks have passed.
 */
export class WriteWatch {
  readonly #stallTicks: number;
  readonly #calmTicks: number;
  readonly #onChange: (stalled: boolean) => void;
  #given = 0;
  #confirmed = 0;
  /** How many writes had been given at each tick since the oldest that waits, oldest first. */
  #marks: number[] = [];
  #calm = 0;
  #stalled = false;

  /**
   * `stallTicks`: how long the oldest write may wait. `calmTicks`: for how long none may have waited that long before the disk is
   * believed again, so that one that stalls now and then does not make leaderships go to and fro.
   */
  constructor(stallTicks: number, calmTicks: number, onChange: (stalled: boolean) => void) {
    this.#stallTicks = stallTicks;
    this.#calmTicks = calmTicks;
    this.#onChange = onChange;
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  given(): void {
    this.#given++;
  }

  /** In the order in which they were given. */
  confirmed(): void {
    this.#confirmed++;
  }

  tick(): void {
    const marks = this.#marks;
    while (marks.length > 0 && (marks[0] as number) <= this.#confirmed) marks.shift();
    const isLate = marks.length >= this.#stallTicks;
    if (this.#given > this.#confirmed && !isLate) marks.push(this.#given);
    this.#calm = isLate ? 0 : this.#calm + 1;
    if (this.#stalled ? this.#calm < this.#calmTicks : !isLate) return;
    this.#stalled = !this.#stalled;
    this.#onChange(this.#stalled);
  }
}
