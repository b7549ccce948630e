/**
 * How much each node should hold: in proportion to its weight, as far as caps allow. What a capped node or zone cannot
 * take, the others share, again by weight: water poured into vessels that stand in tanks, all up to one level.
 */

export interface Vessel {
  /** The tank it stands in. */
  readonly zone: number;
  /** > 0. */
  readonly weight: number;
  /** Most it can hold. */
  readonly cap: number;
}

/** Whole bounds around a fair share: a node is balanced while it holds `low` .. `high`, which differ by one at most. */
export interface Quota {
  readonly low: number;
  readonly high: number;
}

/** Shares this close to a whole number are that number: sums of fractions are not exact. */
const ROUNDING = 1e-6;
/** Halvings of the interval in which the level is sought: enough for the last bit of a double. */
const HALVINGS = 100;

/** Shares out `total` so that no zone holds more than `zoneCap`. What fits nowhere is left out. */
export function quotasOf(total: number, vessels: readonly Vessel[], zoneCap: number): Quota[] {
  const zones = new Map<number, Vessel[]>();
  for (const vessel of vessels) {
    const zone = zones.get(vessel.zone);
    if (zone === undefined) zones.set(vessel.zone, [vessel]);
    else zone.push(vessel);
  }
  const held = (level: number): number => {
    let sum = 0;
    for (const zone of zones.values()) sum += Math.min(zoneCap, volume(zone, level));
    return sum;
  };
  const level = levelFor(total, vessels, held);
  const levels = new Map<number, number>();
  for (const [id, zone] of zones) {
    const full = volume(zone, level) > zoneCap;
    levels.set(id, full ? levelFor(zoneCap, zone, (lower) => volume(zone, lower)) : level);
  }
  return vessels.map(({ zone, weight, cap }) => {
    const share = Math.min(cap, (levels.get(zone) ?? 0) * weight);
    return { low: Math.floor(share + ROUNDING), high: Math.ceil(share - ROUNDING) };
  });
}

/** What vessels hold when the water stands at `level`. */
function volume(vessels: readonly Vessel[], level: number): number {
  let sum = 0;
  for (const { weight, cap } of vessels) sum += Math.min(cap, level * weight);
  return sum;
}

/** The level at which `held` (which only rises) reaches `total`; the highest that matters when it never does. */
function levelFor(total: number, vessels: readonly Vessel[], held: (level: number) => number): number {
  let low = 0;
  let high = 0;
  for (const { weight, cap } of vessels) high = Math.max(high, cap / weight);
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (held(middle) < total) low = middle;
    else high = middle;
  }
  return high;
}
