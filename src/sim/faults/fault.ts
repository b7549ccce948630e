/**
 * What a fault is. A run is handed a table of these; the storm draws one after the other and lets it happen. A fault says
 * what it did in words, or null when there was nothing it could do, and undoes itself in time unless it is final.
 */
import type { Address } from "../../base/address.ts";
import type { Random } from "../../base/random.ts";
import type { FaultKind } from "../fault-kind.ts";
import type { Fleet, FleetLife, Machine } from "../fleet.ts";

/** What a fault works with. */
export interface FaultTools {
  readonly fleet: Fleet;
  readonly random: Random;
  /** Machines the fleet has when nothing is wrong. */
  readonly nodes: number;
  readonly replicationFactor: number;
  /** Whether machines have disks. */
  readonly durable: boolean;
  /** Runs `callback` after `delayMs`, unless the storm has ended by then; what must be undone, the end undoes. */
  later(delayMs: number, callback: () => void): void;
  /** What the command line of a process that starts now names. */
  seedsFor(machine: Machine): readonly Address[];
  /** Counts `count` more injections of `kind`. */
  count(kind: FaultKind, count?: number): void;
}

export interface Fault {
  readonly kind: FaultKind;
  /**
   * Takes a replica away for good, or may: happens only when the fleet is whole, so that a majority of every group
   * survives. A world that loses majorities proves nothing.
   */
  readonly final?: boolean;
  /** Once, before the fleet is founded. */
  begin?(tools: FaultTools): void;
  /** Lets it happen now; what happened, or null. Without it the fault is only there from the beginning. */
  inject?(tools: FaultTools): string | null;
}

/** A life drawn from those that are up; null when there is none. */
export function drawLife(tools: FaultTools, fits: (life: FleetLife) => boolean = isUp): FleetLife | null {
  const lives = tools.fleet.lives.filter(fits);
  return lives[tools.random.nextBelow(Math.max(1, lives.length))] ?? null;
}

/** Two different lives; null when there are not two. */
export function drawTwo(tools: FaultTools): readonly [FleetLife, FleetLife] | null {
  const lives = tools.random.shuffle([...tools.fleet.lives]);
  const [one, other] = lives;
  return one === undefined || other === undefined ? null : [one, other];
}

export function isUp(life: FleetLife): boolean {
  return life.process.running && !life.leaving;
}

/** Mostly short, now and then long: a duration for faults that pass. */
export function drawDurationMs(random: Random, typicalMs: number, longestMs: number): number {
  return Math.min(longestMs, -Math.log(1 - random.nextFloat()) * typicalMs);
}
