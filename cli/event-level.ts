/**
 * How loudly the daemon says what a node reports.
 */
import type { NodeEvent } from "../src/index.ts";

export function eventLevel(event: NodeEvent): "debug" | "info" | "warn" {
  switch (event.type) {
    case "leader-changed":
    case "configuration-changed":
    case "map-changed":
    case "shard-moved":
    case "checkpoint-taken":
    // The node says these two itself, in a line of its own.
    case "seed-unreachable":
    case "seed-reachable":
      return "debug";
    case "cold-start":
    case "member-suspected":
    case "member-died":
    case "cluster-conflict":
    case "capacity-reached":
    case "not-ready":
    case "disk-full":
    case "disk-stalled":
    case "store-damaged":
      return "warn";
    default:
      return "info";
  }
}
