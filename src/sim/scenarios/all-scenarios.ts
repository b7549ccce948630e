/**
 * Every scenario there is. A new one is added here and nowhere else.
 */
import { freshFleet } from "./fresh-fleet.ts";
import { minorityPartition } from "./minority-partition.ts";
import { rollingReplacement, safeToStop } from "./rolling-replacement.ts";
import { loseSixOfNine, scaleOutAndIn } from "./scaling.ts";
import type { Scenario } from "./scenario.ts";
import { voterDies } from "./voter-dies.ts";

export const SCENARIOS: readonly Scenario[] = Object.freeze([
  voterDies,
  freshFleet,
  rollingReplacement,
  safeToStop,
  scaleOutAndIn,
  loseSixOfNine,
  minorityPartition,
]);
