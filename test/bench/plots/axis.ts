/**
 * One axis of a plot: where values lie on it, and which of them are written beside it. No pixels here: the beginning is 0, the end 1.
 */
export interface Axis {
  readonly ticks: readonly number[];
  /** 0 .. 1 for every value that the axis was made for. */
  place(value: number): number;
}

/** Steps between ticks, times a power of ten. */
const STEPS = [1, 2, 2.5, 5, 10];
const INTERVALS_MAX = 5;

/** From 0 to a round number not below any value. Throws `RangeError` for a value below 0, or none. */
export function linearAxis(values: readonly number[]): Axis {
  const max = Math.max(...checked(values, 0)) || 1;
  const magnitude = 10 ** Math.floor(Math.log10(max / INTERVALS_MAX));
  const step = STEPS.map((each) => each * magnitude).find((each) => each * INTERVALS_MAX >= max) ?? max;
  const intervals = Math.ceil(max / step);
  const ticks = Array.from({ length: intervals + 1 }, (_, at) => at * step);
  return { ticks, place: (value) => value / (intervals * step) };
}

/** Logarithmic, between the powers of ten around the values. Throws `RangeError` for a value that is not above 0, or none. */
export function decadeAxis(values: readonly number[]): Axis {
  const positive = checked(values, Number.MIN_VALUE);
  const first = Math.floor(Math.log10(Math.min(...positive)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...positive))));
  const ticks = Array.from({ length: last - first + 1 }, (_, at) => 10 ** (first + at));
  return { ticks, place: (value) => (Math.log10(value) - first) / (last - first) };
}

/** Logarithmic, from the least to the greatest value; every value is a tick. Throws as {@link decadeAxis} does. */
export function sizeAxis(values: readonly number[]): Axis {
  const ticks = [...new Set(checked(values, Number.MIN_VALUE))].sort((one, other) => one - other);
  const first = Math.log(ticks[0] as number);
  const span = Math.log(ticks.at(-1) as number) - first;
  // A single size stands in the middle.
  return { ticks, place: (value) => (span === 0 ? 0.5 : (Math.log(value) - first) / span) };
}

function checked(values: readonly number[], min: number): readonly number[] {
  if (values.length === 0) throw new RangeError("an axis without values");
  for (const value of values)
    if (!(value >= min && value < Number.POSITIVE_INFINITY))
      throw new RangeError(`${value} has no place on this axis`);
  return values;
}
