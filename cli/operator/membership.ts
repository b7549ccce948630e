/**
 * `crema join` and `crema leave`: changing who belongs to the cluster, by hand.
 */
import { DEFAULT_NODE_OPTIONS, formatAddress, parseAddress } from "../../src/index.ts";
import { UsageError } from "../usage-error.ts";
import type { ClusterHttp } from "./cluster-http.ts";
import type { OperatorCommand } from "./command.ts";

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

export const leaveCommand: OperatorCommand = {
  name: "leave",
  usage: "[node]",
  meaning: "drain a node: hand over its shards, then forget it; without a node, the one at --http",
  flags: [],
  examples: [["$0 leave 5f3a", "drain the node whose id begins with 5f3a"]],
  async run(given, { cluster, stdout }) {
    const wanted = given.positional.node;
    await cluster.leave(wanted === undefined ? null : await resolveNode(wanted, cluster));
    stdout.write("OK\n");
    return 0;
  },
};

/** The full id of the one member whose id begins with `text`, or whose name or address it is. */
async function resolveNode(text: string, cluster: ClusterHttp): Promise<string> {
  const { members } = await cluster.status();
  const named = members.filter((member) => member.name === text || member.address === text);
  const found = named.length > 0 ? named : members.filter((member) => member.nodeId.startsWith(text));
  const [only] = found;
  if (only === undefined) throw new UsageError(`no member is called '${text}'; 'crema members' lists them`);
  if (found.length > 1) throw new UsageError(`'${text}' fits ${found.length} members; use more of the id`);
  return only.nodeId;
}
