/**
 * `crema status`, `crema members` and `crema shards`: the same answer of `/status`, more or less of it.
 */
import type { ClusterStatus } from "../../src/index.ts";
import { JSON_FLAG, type OperatorCommand, WATCH_FLAG } from "./command.ts";
import { type Shown, show } from "./shown.ts";
import { memberLines, shardLines, statusLines } from "./status-view.ts";

export const statusCommand: OperatorCommand = {
  name: "status",
  usage: "",
  meaning: "members, and every shard with its leader, term, indexes, voters and learners",
  flags: [JSON_FLAG, WATCH_FLAG],
  examples: [
    ["$0 status", "the cluster, as the node at 127.0.0.1:7980 sees it"],
    ["$0 status --http 10.0.0.5:7980 --json", "the same of another node, for programs"],
  ],
  run: (given, context) =>
    show(
      given.flags,
      context,
      of(statusLines, (status) => status),
    ),
};

export const membersCommand: OperatorCommand = {
  name: "members",
  usage: "",
  meaning: "members with state, zone, addresses and how much they carry",
  flags: [JSON_FLAG, WATCH_FLAG],
  examples: [],
  run: (given, context) =>
    show(
      given.flags,
      context,
      of(memberLines, (status) => status.members),
    ),
};

export const shardsCommand: OperatorCommand = {
  name: "shards",
  usage: "",
  meaning: "every shard with its leader, term, indexes, voters and learners",
  flags: [JSON_FLAG, WATCH_FLAG],
  examples: [],
  run: (given, context) =>
    show(
      given.flags,
      context,
      of(shardLines, (status) => status.shards),
    ),
};

function of(lines: Shown<ClusterStatus>["lines"], json: Shown<ClusterStatus>["json"]): Shown<ClusterStatus> {
  return { ask: (cluster) => cluster.status(), lines, json };
}
