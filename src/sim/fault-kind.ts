/**
 * Everything that can go wrong in a simulated world, by name. A run is allowed some of these and switches a random part
 * of them on, so that rare combinations get their turn ("swarm testing").
 */

export const FAULT_KINDS = [
  // What happens to single messages; a rate for a while.
  "loss",
  "duplication",
  "reordering",
  "heavy-tail",
  // What happens to the ways between machines; the network is late only for those who found together.
  "partition",
  "one-way-partition",
  "bridge-partition",
  "isolation",
  "stream-stall",
  "stream-reset",
  "half-open-stream",
  "late-network",
  // What happens to processes and machines.
  "crash",
  "power-loss",
  "crash-loop",
  "machine-loss",
  "pause",
  // What happens to disks; only where there are any.
  "slow-disk",
  "full-disk",
  "broken-disk",
  "lost-writes",
  "torn-write",
  "bit-flip",
  // What happens to clocks.
  "clock-skew",
  "clock-step",
  "clock-drift",
  // What happens to the fleet, in order.
  "simultaneous-founding",
  "join",
  "leave",
  "drain",
  // What clients do.
  "large-values",
  "overload",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export function isFaultKind(text: string): text is FaultKind {
  return (FAULT_KINDS as readonly string[]).includes(text);
}
