/**
 * The checkpoints of one node stand in line: each reads a whole machine and writes it to the disk, so that many at once would
 * take turns and bandwidth from everything else.
 */

/** One after the other, in the order of asking. */
export class CheckpointLine {
  readonly #waiting: ((leave: () => void) => void)[] = [];
  #busy = false;

  /** Calls `begin` when it is its turn, perhaps at once. The line moves on when `leave` is called. */
  enter(begin: (leave: () => void) => void): void {
    this.#waiting.push(begin);
    this.#next();
  }

  #next(): void {
    if (this.#busy) return;
    const begin = this.#waiting.shift();
    if (begin === undefined) return;
    this.#busy = true;
    let left = false;
    begin(() => {
      if (left) return;
      left = true;
      this.#busy = false;
      this.#next();
    });
  }
}
