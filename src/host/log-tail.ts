/**
 * How much of its log a replica keeps in memory behind what it has applied.
 *
 * The machine itself stands for what lies behind the applied index, so the log may be cut there at any time; in durable mode the store keeps
 * its own, as far as its checkpoints need it. What stays is for members that lag: to send them the tail is cheaper than to send them the machine, unless
 * the machine is small. So a tail that nobody is known to need is in proportion to the machine, and one that somebody lacks may be as long as the options allow.
 */
import type { HostOptions } from "./options.ts";

/** A tail that nobody needs has one part in so many of what the machine has. */
const MACHINE_SHARE = 16;
/** So many entries stay, however large: who leads next must have what somebody is one or two values behind with, or that one can acknowledge nothing before a snapshot. */
const ENTRIES_MIN = 16;
/** What a snapshot under way will need after it may grow to so many times the limits. */
const SNAPSHOT_FACTOR = 4;
/** Cutting copies what stays: one part in so many must go. */
const WORTHWHILE_SHARE = 4;

/** The log of one replica, as far as this asks. */
export interface TailedLog {
  readonly applied: number;
  readonly firstIndex: number;
  readonly logBytes: number;
  /** @see Raft.heldByAll */
  readonly heldByAll: number;
}

export type TailLimits = Pick<HostOptions, "logEntriesMax" | "logBytesMax" | "logBytesMin">;

/**
 * The index up to which `log` is to be cut, or null. `machineBytes`: what a snapshot of the machine would have; `snapshots`: at which indexes snapshots
 * under way stand, by their receivers, who will need the log behind them.
 */
export function cutOfLog(
  log: TailedLog,
  machineBytes: number,
  snapshots: ReadonlyMap<unknown, number>,
  limits: TailLimits,
): number | null {
  const { logEntriesMax, logBytesMax, logBytesMin } = limits;
  const { applied, firstIndex, logBytes } = log;
  const kept = applied - firstIndex + 1;
  const tooMany = kept > logEntriesMax;
  const tooMuch = tooMany || logBytes > logBytesMax;
  if (!tooMuch && logBytes <= Math.max(logBytesMin, machineBytes / MACHINE_SHARE)) return null;
  let to = applied - Math.floor((tooMany ? logEntriesMax : kept) / 2);
  if (!tooMuch) {
    to = Math.min(to, log.heldByAll, applied - ENTRIES_MIN);
    if (to - firstIndex + 1 < kept / WORTHWHILE_SHARE) return null;
  }
  if (kept < logEntriesMax * SNAPSHOT_FACTOR && logBytes <= logBytesMax * SNAPSHOT_FACTOR) {
    for (const index of snapshots.values()) to = Math.min(to, index);
  }
  return to >= firstIndex ? to : null;
}
