/**
 * Bugs of the control plane: how a cluster comes into being, who belongs to it, where replicas go.
 */
import type { Mutant } from "./mutant.ts";

export const CLUSTER_MUTANTS: readonly Mutant[] = Object.freeze([
  {
    name: "founding-acceptor-forgets-its-promise",
    room: "cluster",
    what:
      "A seat in the founding ballot promises a ballot and does not remember it: it endorses two founders, and one fleet " +
      "becomes two clusters.",
    edits: [
      {
        file: "src/cluster/founding-acceptor.ts",
        find: "      this.#keep({ ...this.#state, promised: ballot });\n    return true;",
        replace: "      this.#keep({ ...this.#state });\n    return true;",
      },
    ],
    world: "founding",
    // Two that do not hear one another ask the same third at the same time: each has its promise, and the one that is accepted
    // first has no time to tell before the other is, too.
    options: { faults: ["simultaneous-founding", "late-network"] },
    caughtBy: ["one-cluster"],
  },
  {
    name: "founding-ballot-ignores-what-was-accepted",
    room: "cluster",
    what:
      "A founder with a majority of promises proposes its own value, although a promise told of one that may be decided " +
      "already: one fleet becomes two clusters.",
    edits: [
      {
        file: "src/cluster/founding-ballot.ts",
        find: "    if (accepted === null) return;\n",
        replace: "    if (accepted === null || this.#promises.size > 0) return;\n",
      },
    ],
    world: "founding",
    caughtBy: ["one-cluster"],
  },
  {
    name: "founding-by-a-minority",
    room: "cluster",
    what: "Half of the seeds are enough to found a cluster: both sides of a partition found one each.",
    edits: [
      {
        file: "src/cluster/founding-proposer.ts",
        find: "    return Math.floor(Math.max(seeds.slotCount, options.bootstrapExpect) / 2) + 1;",
        replace: "    return Math.floor(Math.max(seeds.slotCount, options.bootstrapExpect) / 2);",
      },
    ],
    world: "founding",
    caughtBy: ["one-cluster"],
  },
  {
    name: "member-removed-while-wanted",
    room: "cluster",
    what:
      "A draining member leaves the map while replicas are still wanted of it: it stops before they were copied, and " +
      "groups lose their majorities.",
    edits: [
      {
        file: "src/cluster/map-machine.ts",
        find: "  if (isWantedAnywhere(map, nodeId))",
        replace: "  if (isWantedAnywhere(map, nodeId) && map.members.length === 1)",
      },
      {
        file: "src/cluster/controller.ts",
        find: '    ({ nodeId, state }) => state !== "alive" && !isWantedAnywhere(map, nodeId),',
        replace: '    ({ state }) => state !== "alive",',
      },
      {
        file: "src/cluster/controller.ts",
        find: "    .filter(({ nodeId }) => !named.has(nodeId))\n",
        replace: "",
      },
    ],
    world: "churn",
    caughtBy: ["liveness", "counters", "linearizability"],
  },
  {
    name: "founding-replica-opened-again",
    room: "cluster",
    what:
      "A node opens the founding replica of a group again, although it held one and destroyed it: the group is founded " +
      "twice.",
    edits: [
      {
        file: "src/cluster/control-plane.ts",
        find: "      if (groups.hasTombstone(group) || groups.failedGroups.has(group)) continue;\n",
        replace: "",
      },
      {
        file: "src/host/multi-raft.ts",
        find: "    const beginning = beginningOf(start, this.#tombstones.has(id) && start.again !== true);",
        replace: "    const beginning = beginningOf(start, false);",
      },
    ],
    world: "churn",
    caughtBy: ["one-cluster", "monotonic"],
  },
  {
    name: "voters-removed-before-others-came",
    room: "cluster",
    what:
      "Unwanted voters go although their successors have not come: a group has fewer replicas than it should, and the " +
      "next loss takes its majority.",
    edits: [
      {
        file: "src/cluster/shard-steps.ts",
        find: "    if (rest.length < votersMin || !standing.hasLiveMajority(rest)) break;\n",
        replace: "    if (rest.length === 0) break;\n",
      },
    ],
    world: "churn",
    caughtBy: ["liveness", "counters"],
  },
  {
    name: "replica-destroyed-unasked",
    room: "cluster",
    what:
      "A node destroys a replica that the map does not want of it, although the group's leader still counts on it: what " +
      "it acknowledged is gone while it counts.",
    edits: [
      {
        file: "src/cluster/replica-tidier.ts",
        find: "        if (counted !== false || replica !== asked || replica.isLeader) return;\n        if (replica.messagesStepped !== stepped) return;\n",
        replace: "        if (replica !== asked || replica.isLeader) return;\n",
      },
    ],
    world: "churn",
    caughtBy: ["monotonic", "liveness", "leader-completeness"],
  },
  {
    name: "tombstones-not-recalled",
    room: "cluster",
    what:
      "A node that starts from its disk does not take up what it remembered of replicas it destroyed: given such a group " +
      "again, it comes back below the term it promised.",
    edits: [
      {
        file: "src/cluster/control-plane.ts",
        find: "    this.#parts.groups.recall(past.tombstones);\n",
        replace: "",
      },
    ],
    world: "churn",
    options: {
      storage: "disk",
      faults: ["join", "leave", "drain", "crash", "power-loss", "isolation", "pause"],
    },
    caughtBy: ["monotonic", "one-cluster"],
  },
] satisfies readonly Mutant[]);
