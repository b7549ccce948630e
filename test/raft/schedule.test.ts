import { expect, test } from "vitest";
import { Schedule, type Tally } from "./schedule.ts";

/** `RAFT_SCHEDULES` and `RAFT_FIRST_SEED` widen the search by hand. */
const SCHEDULES = Number(process.env.RAFT_SCHEDULES ?? 120);
const FIRST_SEED = Number(process.env.RAFT_FIRST_SEED ?? 1);
const STEPS = 3_000;

test("random histories keep every property of Raft Figure 3, and every healed group makes progress", {
  timeout: 3_600_000,
}, () => {
  const sum: Record<string, number> = {};
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed++) {
    let tally: Tally;
    try {
      tally = new Schedule(seed).run(STEPS);
    } catch (error) {
      throw new Error(`schedule ${seed}: ${String(error)}`, { cause: error });
    }
    for (const [name, value] of Object.entries(tally)) sum[name] = (sum[name] ?? 0) + value;
  }
  if (process.env.RAFT_SCHEDULES !== undefined) console.log(JSON.stringify(sum));
  // A history in which nothing happened would prove nothing.
  for (const [name, value] of Object.entries(sum)) {
    expect(value, `${name} in ${SCHEDULES} schedules`).toBeGreaterThan(SCHEDULES / 20);
  }
});

test("the same seed gives the same history", () => {
  expect(new Schedule(7).run(STEPS)).toEqual(new Schedule(7).run(STEPS));
});
