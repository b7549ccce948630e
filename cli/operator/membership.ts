/**
 * `crema join` and `crema leave`: changing who belongs to the cluster, by hand.
 */
import { type ClusterStatus, DEFAULT_NODE_OPTIONS, formatAddress, parseAddress } from "../../src/index.ts";
import { parseDurationMs } from "../duration.ts";
import { UsageError } from "../usage-error.ts";
import { AnswerRefused } from "./answer-refused.ts";
import type { CommandFlag, OperatorCommand } from "./command.ts";
import { untilLeft } from "./leaving.ts";

export const joinCommand: OperatorCommand = {
  name: "join",
  usage: "<seed..>",
  meaning: "make the node at --http dial other members",
  flags: [],
  examples: [["$0 join 10.0.0.9:7946", "join the cluster that 10.0.0.9 belongs to"]],
  async run(given, { cluster, stdout }) {
    const seeds = given.list.map((seed) => {
      const address = parseAddress(seed, DEFAULT_NODE_OPTIONS.port);
      if (address === null) throw new UsageError(`'${seed}' is not host:port`);
      return formatAddress(address);
    });
    await cluster.join(seeds);
    stdout.write("OK\n");
    return 0;
  },
};

const WAIT_FLAG: CommandFlag = {
  name: "wait",
  meaning: "return when the node has left; fail when it has not within this time",
  placeholder: "duration",
};

export const leaveCommand: OperatorCommand = {
  name: "leave",
  usage: "[node]",
  meaning: "drain a node: hand over its shards, then forget it; without a node, the one at --http",
  flags: [WAIT_FLAG],
  examples: [
    ["$0 leave 5f3a", "drain the node whose id begins with 5f3a"],
    ["$0 leave --wait 60s", "drain the node at --http, and return when it has left"],
  ],
  async run(given, { cluster, stdout }) {
    const startedMs = Date.now();
    const { node } = given.positional;
    const waitMs = given.flags.wait === undefined ? null : waitTime(given.flags.wait);
    const before = node === undefined && waitMs === null ? null : await cluster.status();
    const wanted = node === undefined || before === null ? null : resolveNode(node, before);
    await cluster.leave(wanted).catch((error: unknown) => {
      // The drain has begun and takes longer than one answer may.
      const goesOn = error instanceof AnswerRefused && error.code === "CREMA_TIMEOUT" && waitMs !== null;
      if (!goesOn) throw error;
    });
    if (waitMs !== null && before !== null)
      await untilLeft(wanted ?? before.nodeId, cluster, before, startedMs + waitMs);
    stdout.write("OK\n");
    return 0;
  },
};

function waitTime(text: string): number {
  const waitMs = parseDurationMs(text);
  if (waitMs === null || waitMs <= 0)
    throw new UsageError(`--wait: '${text}' is not a duration such as 25s or 5m`);
  return waitMs;
}

/** The full id of the one member whose id begins with `text`, or whose name or address it is. */
function resolveNode(text: string, { members }: ClusterStatus): string {
  const named = members.filter((member) => member.name === text || member.address === text);
  const found = named.length > 0 ? named : members.filter((member) => member.nodeId.startsWith(text));
  const [only] = found;
  if (only === undefined) throw new UsageError(`no member is called '${text}'; 'crema members' lists them`);
  if (found.length > 1) throw new UsageError(`'${text}' fits ${found.length} members; use more of the id`);
  return only.nodeId;
}
