/**
 * What the process that hunts tells the one that waits for it: plain data, one line of JSON per seed.
 */

export interface SeedLine {
  readonly seed: number;
  /** null: nothing was found. */
  readonly checker: string | null;
  readonly message: string;
  readonly details: string;
  readonly virtualMs: number;
}
