/**
 * Runs one scenario with one seed. Equal scenarios and seeds give equal histories.
 *
 * Whatever the script demands, every run also demands what a storm does: all checkers silent after every event, then a
 * whole fleet that answers every shard through every node, equal replicas, and a linearizable history of every key.
 */
import { loadKeyHash } from "../../placement/key-hash.ts";
import { describeThrown } from "../judge.ts";
import { becomesWhole, servesEverywhere } from "../liveness.ts";
import type { TraceListener } from "../trace.ts";
import { SCENARIOS } from "./all-scenarios.ts";
import type { Scenario, ScenarioOptions, ScenarioReport } from "./scenario.ts";
import { ScenarioOver, ScenarioWorld } from "./scenario-world.ts";

export interface ScenarioHooks {
  /** Hears every line of the story as it happens. */
  readonly onLine?: TraceListener;
}

const keyHash = await loadKeyHash();
const CLIENTS_LIMIT_MS = 10_000;
/** A clock that drifts ends the longest time-to-live of the workload so much too early, at most. */
const EXPIRY_TOLERANCE_MS = 10;

/** Rejects when there is no such scenario, or the simulator itself is at fault. */
export async function runScenario(
  options: ScenarioOptions,
  hooks: ScenarioHooks = {},
): Promise<ScenarioReport> {
  const scenario = SCENARIOS.find(({ name }) => name === options.scenario);
  if (scenario === undefined) throw new RangeError(`there is no scenario '${options.scenario}'`);
  const world = new ScenarioWorld(scenario, options.seed, keyHash, hooks.onLine ?? null);
  try {
    await scenario.run(world);
    await judgeAtEnd(scenario, world);
  } catch (error) {
    if (!(error instanceof ScenarioOver))
      world.judge.fail(
        "crash",
        "no code of a node throws outside of a group",
        describeThrown(error),
        world.judge.everybody(),
      );
  }
  const { acknowledged, failed, ambiguous } = world.workload.history;
  return {
    options,
    failure: world.judge.failure,
    traceHash: world.fleet.trace.hash,
    durable: world.durable,
    virtualMs: world.nowMs,
    events: world.fleet.clock.events,
    measured: world.measured,
    operations: { acknowledged, failed, ambiguous },
  };
}

async function judgeAtEnd(scenario: Scenario, world: ScenarioWorld): Promise<void> {
  const { fleet, judge, workload } = world;
  workload.stop();
  const missing = await becomesWhole(fleet);
  if (missing !== null) world.fail("in the end a fleet is whole", missing);
  await fleet.clock.runUntil(() => workload.idle || judge.failure !== null, CLIENTS_LIMIT_MS);
  const wrong = await servesEverywhere(fleet);
  if (wrong !== null) world.fail("a whole fleet answers every shard through every node", wrong);
  judge.compareAtEnd();
  if (judge.failure !== null) return;
  workload.history.onUnanswered = () => {};
  const drifts = (scenario.clockDriftMax ?? 0) > 0;
  judge.judgeHistory(workload.history, drifts ? EXPIRY_TOLERANCE_MS : 0);
}
