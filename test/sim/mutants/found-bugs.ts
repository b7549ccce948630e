/**
 * Bugs that the simulator found in the product, planted again: each is its fix, taken back. A seed tells one version of the
 * code one history and another version another one, so this is how a bug stays found. Each has a test of its own besides; some
 * have nothing but that (among them dials that do not say whom they look for, half-open links that are believed, removed members
 * that are served for ever, doubted leaders that stay unknown, terms without a leader that block hints), because later fixes
 * heal what they did before a run ends.
 */
import type { Mutant } from "./mutant.ts";

export const FOUND_BUGS: readonly Mutant[] = Object.freeze([
  {
    name: "slices-beyond-a-piece",
    room: "host",
    what:
      "A snapshot's slices go into a bulk stream as they are: one value beyond a piece of the stream, and its shard can never be " +
      "copied to another node.",
    edits: [
      {
        file: "src/host/snapshot-transfer.ts",
        find: "new SliceCutter(source))",
        replace: "source)",
      },
      {
        file: "src/host/snapshot-transfer.ts",
        find: "        joiner.write(piece);\n",
        replace: "        restore.write(piece);\n",
      },
    ],
    world: "load",
    options: { faults: ["large-values", "join", "leave"] },
    caughtBy: ["liveness"],
  },
  {
    name: "former-life-has-its-say",
    room: "cluster",
    what:
      "A join of a former life of a node, delayed, is taken for its newest: the map forgets what it knew of the present one, " +
      "such as that it is leaving.",
    edits: [
      {
        file: "src/cluster/map-machine.ts",
        find: "  if (existing !== null && !formerBoots.includes(existing.boot)) {\n",
        replace:
          "  if (existing !== null && !formerBoots.includes(existing.boot) && !sameAddress(existing.address, address)) {\n",
      },
    ],
    world: "restarts",
    // Whom a newcomer asks to let it in stands still; the newcomer dies, comes back and is let in by another; then the first goes on.
    caughtBy: ["present-lives"],
  },
  {
    name: "drain-is-asked-once",
    room: "node",
    what:
      "A leaving node asks once to be drained: when it is given up for dead meanwhile and heard again, the map counts on it, and " +
      "it never gets away.",
    edits: [
      {
        file: "src/node/departure.ts",
        find:
          "    await node.waitFor(() => isFree() || !isCountedOn(node), Math.min(ARRIVES_WITHIN_MS, left()));\n" +
          "    await node.waitFor(() => isFree() || isCountedOn(node), left());\n",
        replace: "    await node.waitFor(isFree, left());\n",
      },
    ],
    world: "everything",
    options: {
      swarm: false,
      faults: ["leave", "drain", "isolation", "partition", "one-way-partition", "pause", "join"],
    },
    caughtBy: ["liveness"],
  },
  {
    name: "reads-overtake-held-writes",
    room: "host",
    what:
      "While commands are held (leadership is handed over, or the leader is not ready) reads that came after them are asked: they " +
      "do not see what was asked before.",
    edits: [
      {
        file: "src/host/raft-group.ts",
        find: "    if (this.#readsNext.length > 0 && this.#batchSinks.length === 0) this.#askReads();\n",
        replace: "    if (this.#readsNext.length > 0) this.#askReads();\n",
      },
    ],
    world: "disks",
    options: { clients: 30, faults: ["overload", "slow-disk", "isolation", "pause"] },
    caughtBy: ["counters"],
  },
]);
