/**
 * How long groups may be without a leader. The first candidate stands after an election timeout, 10 to 19 ticks: now and
 * then two voters stand in the same tick and share the votes. They try again after half an election timeout to a whole one, two
 * times, and then as before. Chance may do that more than once; the terms tell how often it did.
 */
import type { GroupId } from "../../base/ids.ts";
import type { FleetLife } from "../fleet.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

/** 9 ticks, and a round of messages. */
const SHORT_ROUND_MS = 1_000;
const SHORT_ROUNDS = 2;
/** 19 ticks, and a round of messages. */
const ROUND_MS = 2_000;
/** Four of them are one group in thousands. */
const ROUNDS_MAX = 4;

export interface Succession {
  readonly groups: readonly GroupId[];
  /** The term of each, when its leader was lost. */
  readonly terms: ReadonlyMap<GroupId, number>;
  /** From now on, until the first round of votes is over. */
  readonly limitMs: number;
  /** Who may lead. Default: whoever runs. */
  readonly among?: readonly FleetLife[];
  /** When it is true, nobody is waited for any more. */
  readonly unless?: () => boolean;
}

/** Waits until every group has a leader, each within its time; answers how long the last of them took. */
export async function newLeaders(world: ScenarioWorld, promise: string, wanted: Succession): Promise<number> {
  const { groups, terms, limitMs, among, unless = () => false } = wanted;
  const beganMs = world.nowMs;
  const waiting = new Set(groups);
  return world.until(promise, limitMs + roundsMs(ROUNDS_MAX), () => {
    if (unless()) return null;
    for (const group of waiting) {
      const leader = world.view.leaderOf(group, among ?? world.fleet.lives);
      if (leader === null) continue;
      waiting.delete(group);
      const tookMs = world.nowMs - beganMs;
      const term = world.view.replica(leader, group)?.raft.term ?? 0;
      const splits = Math.max(0, term - (terms.get(group) ?? term) - 1);
      if (splits > 0) world.measure("rounds of votes that elected nobody", splits);
      world.demand(
        tookMs <= limitMs + roundsMs(splits),
        `${promise} within ${limitMs / 1_000} s, and a second or two more for each round that elects nobody`,
        () => `group ${group}: ${tookMs.toFixed(0)} ms, ${splits} such rounds`,
      );
    }
    return waiting.size === 0 ? null : `nobody leads group ${[...waiting].join(", ")}`;
  });
}

/** How much time so many rounds that elect nobody may cost. */
function roundsMs(rounds: number): number {
  const short = Math.min(rounds, SHORT_ROUNDS);
  return short * SHORT_ROUND_MS + (rounds - short) * ROUND_MS;
}
