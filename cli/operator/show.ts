/**
 * `crema status`, `crema members` and `crema shards`: the same answer of `/status`, more or less of it.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ClusterStatus } from "../../src/index.ts";
import type { Colours } from "../terminal/colours.ts";
import { Screen } from "../terminal/screen.ts";
import { type CommandContext, JSON_FLAG, type OperatorCommand, WATCH_FLAG } from "./command.ts";
import { memberLines, shardLines, statusLines } from "./status-view.ts";

const WATCH_INTERVAL_MS = 1_000;

export const statusCommand: OperatorCommand = {
  name: "status",
  usage: "",
  meaning: "members, and every shard with its leader, term, indexes, voters and learners",
  flags: [JSON_FLAG, WATCH_FLAG],
  examples: [
    ["$0 status", "the cluster, as the node at 127.0.0.1:7980 sees it"],
    ["$0 status --http 10.0.0.5:7980 --json", "the same of another node, for programs"],
  ],
  run: (given, context) => show(given.flags, context, statusLines, (status) => status),
};

export const membersCommand: OperatorCommand = {
  name: "members",
  usage: "",
  meaning: "members with state, zone, addresses and how much they carry",
  flags: [JSON_FLAG, WATCH_FLAG],
  examples: [],
  run: (given, context) => show(given.flags, context, memberLines, (status) => status.members),
};

export const shardsCommand: OperatorCommand = {
  name: "shards",
  usage: "",
  meaning: "every shard with its leader, term, indexes, voters and learners",
  flags: [JSON_FLAG, WATCH_FLAG],
  examples: [],
  run: (given, context) => show(given.flags, context, shardLines, (status) => status.shards),
};

async function show(
  flags: Readonly<Record<string, string>>,
  context: CommandContext,
  lines: (status: ClusterStatus, colours: Colours) => readonly string[],
  part: (status: ClusterStatus) => unknown,
): Promise<number> {
  const { cluster, colours, stdout } = context;
  const print = (status: ClusterStatus) =>
    flags.json === undefined ? lines(status, colours) : [JSON.stringify(part(status), null, 2)];
  if (flags.watch === undefined) {
    stdout.write(`${print(await cluster.status()).join("\n")}\n`);
    return 0;
  }
  const screen = stdout.isTTY && flags.json === undefined ? new Screen(stdout) : null;
  let shown = "";
  for (;;) {
    const current = print(await cluster.status());
    const text = current.join("\n");
    if (screen !== null) screen.draw(current);
    else if (text !== shown) stdout.write(`${text}\n${flags.json === undefined ? "\n" : ""}`);
    shown = text;
    await delay(WATCH_INTERVAL_MS);
  }
}
