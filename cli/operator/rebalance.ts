/**
 * `crema rebalance ...`: whether replicas move for the sake of balance, and how far they are.
 */
import { JSON_FLAG, type OperatorCommand, WATCH_FLAG } from "./command.ts";
import { rebalanceLines } from "./rebalance-view.ts";
import { show } from "./shown.ts";

export const rebalanceStatusCommand: OperatorCommand = {
  name: "rebalance status",
  usage: "",
  meaning: "what moves, what waits and for what, and how far from even the nodes are",
  flags: [JSON_FLAG, WATCH_FLAG],
  examples: [["$0 rebalance status --watch", "how a new machine gets its share"]],
  run: (given, context) =>
    show(given.flags, context, {
      ask: (cluster) => cluster.rebalanceStatus(),
      lines: rebalanceLines,
      json: (status) => status,
    }),
};

export const rebalancePauseCommand: OperatorCommand = {
  name: "rebalance pause",
  usage: "",
  meaning: "move nothing for the sake of balance; what dies or leaves is replaced all the same",
  flags: [],
  examples: [["$0 rebalance pause", "before several machines are added, so that each shard moves once"]],
  async run(_given, { cluster, stdout }) {
    await cluster.pauseRebalancing(true);
    stdout.write("OK\n");
    return 0;
  },
};

export const rebalanceResumeCommand: OperatorCommand = {
  name: "rebalance resume",
  usage: "",
  meaning: "move replicas to where the plan has them again",
  flags: [],
  examples: [],
  async run(_given, { cluster, stdout }) {
    await cluster.pauseRebalancing(false);
    stdout.write("OK\n");
    return 0;
  },
};
