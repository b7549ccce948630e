/**
 * Bugs of the way of a request: numbering, retries, hints about leaders.
 */
import type { Mutant } from "./mutant.ts";

export const NODE_MUTANTS: readonly Mutant[] = Object.freeze([
  {
    name: "retry-takes-a-new-number",
    room: "node",
    what: "A write that is sent again gets a new number in its session: the shard cannot know that it was applied before.",
    edits: [
      {
        file: "src/node/shard-lane.ts",
        find: '    if (request.kind === "write" && request !== this.#opening && request.session === 0) this.#number(request);\n',
        replace: '    if (request.kind === "write" && request !== this.#opening) this.#number(request);\n',
      },
    ],
    world: "partitions",
    caughtBy: ["linearizability", "counters"],
  },
  {
    name: "unknown-taken-for-not-applied",
    room: "node",
    what:
      "When the deadline passes after an attempt of unknown outcome, the caller is told that nothing was changed, though " +
      "the write may have been applied.",
    edits: [
      {
        file: "src/node/pending-request.ts",
        find: '    if (why !== "unknown") this.uncertain--;\n',
        replace: "    this.uncertain--;\n",
      },
    ],
    world: "partitions",
    caughtBy: ["linearizability", "counters"],
  },
  {
    name: "uncertain-write-refused-for-want-of-a-quorum",
    room: "node",
    what:
      "When a shard has lost its majority, all who wait are told that nothing was changed, also those whose write may have been " +
      "applied, or will be when the majority is back.",
    edits: [
      {
        file: "src/node/shard-lane.ts",
        find: '(request.kind === "write" && request.uncertain === 0);\n',
        replace: 'request.kind === "write";\n',
      },
    ],
    world: "partitions",
    caughtBy: ["linearizability", "counters"],
  },
  {
    name: "stale-leader-hint-sticks",
    room: "node",
    what:
      "A hint about a leader is never replaced by one of a higher term, nor doubted when the node it names does not lead: " +
      "requests go there for ever, against the promise that every node of a whole fleet serves.",
    edits: [
      {
        file: "src/node/leader-table.ts",
        find: "    if (term < known.term || (term === known.term && known.leader !== null)) return false;\n",
        replace: "    if (term < known.term || known.leader !== null) return false;\n",
      },
      {
        file: "src/node/leader-table.ts",
        find: "    if (known.leader === node) this.#set(group, null, known.term);\n",
        replace: "",
      },
      {
        file: "src/node/leader-table.ts",
        find: "      if (term <= known.term || known.leader === null) return false;\n",
        replace: "      if (term >= 0) return false;\n",
      },
    ],
    world: "everything",
    caughtBy: ["liveness"],
  },
] satisfies readonly Mutant[]);
