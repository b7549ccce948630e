/**
 * Node events in the words of a log line. The daemon's log, `crema events` and the simulator's trace speak this way.
 */
import { formatAddress } from "../base/address.ts";
import type { NodeEvent } from "./door.ts";

/** One line, without a time or a full stop. */
export function describeEvent(event: NodeEvent): string {
  switch (event.type) {
    case "member-joined":
      return `member ${event.nodeId} joined at ${formatAddress(event.address)}`;
    case "member-suspected":
      return `member ${event.nodeId} at ${formatAddress(event.address)} is suspected to be dead`;
    case "member-died":
      return `member ${event.nodeId} at ${formatAddress(event.address)} is dead`;
    case "member-left":
      return `member ${event.nodeId} at ${formatAddress(event.address)} left`;
    case "leader-changed": {
      const leader = event.leader === null ? "has no leader" : `is led by ${event.leader}`;
      return `${groupText(event.group)} ${leader} in term ${event.term}`;
    }
    case "configuration-changed": {
      const voters = `voters ${event.voters.join(" ")}`;
      const outgoing =
        event.votersOutgoing.length === 0 ? "" : `, joint with ${event.votersOutgoing.join(" ")}`;
      const learners = event.learners.length === 0 ? "" : `, learners ${event.learners.join(" ")}`;
      return `${groupText(event.group)} has ${voters}${outgoing}${learners}`;
    }
    case "map-changed":
      return `cluster map is at version ${event.version}`;
    case "shard-moved":
      return `shard ${event.shard} moved from ${event.from.join(" ")} to ${event.to.join(" ")}`;
    case "founded":
      return `founded cluster ${event.clusterId}`;
    case "cold-start":
      return (
        `cluster ${event.clusterId} is new and empty, although this node was given seeds: no older cluster was found behind them. ` +
        "If there was one, its data is gone (memory mode) or on disks that did not come back: stop these nodes and start those with " +
        "the data first, or restore a backup"
      );
    case "joined":
      return `joined cluster ${event.clusterId}`;
    case "seed-unreachable":
      return `${event.reason}; still trying`;
    case "seed-reachable":
      return `seed ${formatAddress(event.seed)} answers`;
    case "cluster-conflict":
      return `${formatAddress(event.address)} belongs to another cluster, ${event.clusterId}; the two do not merge: check --seed and --data-dir`;
    case "disk-full":
      return `${event.reason}: leaderships are handed over, and nothing is written here until there is space`;
    case "disk-stalled":
      return `${event.reason}: leaderships are handed over until it does`;
    case "disk-recovered":
      return event.reason;
    case "store-damaged":
      return `${groupText(event.group)} was damaged on this disk and is filled again by its leader: ${event.reason}`;
    case "checkpoint-taken": {
      const { index, bytes, durationMs } = event;
      return `${groupText(event.group)} has a checkpoint at index ${index}: ${bytes} bytes in ${Math.round(durationMs)} ms`;
    }
    case "capacity-reached":
      return `holds as much as it may: ${event.entries} keys, ${event.bytes} accounted bytes`;
    case "capacity-left":
      return `is well within its limits again: ${event.entries} keys, ${event.bytes} accounted bytes`;
    case "leaving":
      return "leaving the cluster";
    case "stopping":
      return "stopping; it stays a member of the cluster";
    case "ready":
      return "ready to serve";
    case "not-ready":
      return "not ready to serve";
    default:
      // A node of a later release may send what this one has no words for.
      return JSON.stringify(event satisfies never);
  }
}

/** Group 0 owns the cluster map; group s + 1 is shard s. */
function groupText(group: number): string {
  return group === 0 ? "system group" : `shard ${group - 1}`;
}
