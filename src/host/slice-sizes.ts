/**
 * How long the slices of one snapshot should be. The first ones are short, for they are read, packed and unpacked by code
 * that is not warm yet; and no turn may be held up by more than a fraction of a millisecond.
 */

const FIRST_BYTES = 4 * 1024;
/** From slice to slice. */
const GROWTH = 1.25;

export class SliceSizes {
  readonly #bytesMax: number;
  #bytes = FIRST_BYTES;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** What the next slice should aim at. */
  next(): number {
    const bytes = this.#bytes;
    this.#bytes = Math.min(this.#bytesMax, Math.ceil(bytes * GROWTH));
    return bytes;
  }
}
