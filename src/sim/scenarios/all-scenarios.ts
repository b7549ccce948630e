/**
 * Every scenario there is. A new one is added here and nowhere else.
 */
import { clonedDisk } from "./cloned-disk.ts";
import { emptySeed } from "./empty-seed.ts";
import { freshFleet } from "./fresh-fleet.ts";
import { lopsidedPartitions } from "./lopsided-partitions.ts";
import { minorityPartition } from "./minority-partition.ts";
import { addressChange, removedReturns } from "./old-disks.ts";
import { rebalancing } from "./rebalancing.ts";
import { rollingReplacement, safeToStop } from "./rolling-replacement.ts";
import { loseSixOfNine, scaleOutAndIn } from "./scaling.ts";
import type { Scenario } from "./scenario.ts";
import { seedsDown } from "./seeds-down.ts";
import { pausedProcess, slowDisk } from "./slow-machines.ts";
import { voterDies } from "./voter-dies.ts";
import { wholeFleetForgets, wholeFleetMoves } from "./whole-fleet-restarts.ts";
import { wrongClocks } from "./wrong-clocks.ts";

export const SCENARIOS: readonly Scenario[] = Object.freeze([
  voterDies,
  freshFleet,
  seedsDown,
  emptySeed,
  wholeFleetMoves,
  wholeFleetForgets,
  rollingReplacement,
  safeToStop,
  scaleOutAndIn,
  loseSixOfNine,
  minorityPartition,
  lopsidedPartitions,
  clonedDisk,
  removedReturns,
  addressChange,
  pausedProcess,
  slowDisk,
  wrongClocks,
  rebalancing,
]);
