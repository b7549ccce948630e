/**
 * Bugs of the shard's state machine: sessions, snapshots, expiry.
 */
import type { Mutant } from "./mutant.ts";

export const CACHE_MUTANTS: readonly Mutant[] = Object.freeze([
  {
    name: "dedupe-forgotten",
    room: "cache",
    what: "The session is not asked whether a command was applied before: a retry increments twice.",
    edits: [
      {
        file: "src/cache/cache-machine.ts",
        find: "    const stored = session.replyTo(sequence);\n    if (stored !== undefined) {\n      this.#commandsReplayed++;\n      return stored;\n    }\n",
        replace: "",
      },
    ],
    world: "partitions",
    caughtBy: ["sessions-applied-once", "linearizability", "counters"],
  },
  {
    name: "snapshot-without-sessions",
    room: "cache",
    what:
      "A snapshot carries the keys and not the sessions: the replica that got it applies a retried command again, and " +
      "differs from the others.",
    edits: [
      {
        file: "src/cache/snapshot-source.ts",
        find: "    this.#sessionsLeft = new Set(shard.sessions.values());",
        replace: "    this.#sessionsLeft = new Set();",
      },
    ],
    world: "churn",
    caughtBy: ["replicas-equal", "sessions-applied-once"],
  },
  {
    name: "snapshot-of-a-moving-state",
    room: "cache",
    what: "A key that changes while a snapshot is read is handed out as it is now: the snapshot mixes two moments.",
    edits: [
      {
        file: "src/cache/shard-state.ts",
        find: "    for (const keeper of this.keepers) keeper.keepEntry(this.keyspace, key, entry);",
        replace:
          "    if (entry.value === null) for (const keeper of this.keepers) keeper.keepEntry(this.keyspace, key, entry);",
      },
    ],
    world: "load",
    caughtBy: ["replicas-equal"],
  },
  {
    name: "expires-on-its-own",
    room: "cache",
    what:
      "The leader removes an expired key from its own copy when it is asked for it, instead of by a committed entry: " +
      "replicas differ.",
    edits: [
      {
        file: "src/cache/key-lookup.ts",
        find: "  return new ExpiredFirst([{ key, expiresAtMs: shard.keyspace.expiryOf(entry) }]);",
        replace: "  shard.expire(key, entry);\n  return undefined;",
      },
    ],
    world: "clocks",
    caughtBy: ["replicas-equal"],
  },
  {
    name: "evicts-another-version",
    room: "cache",
    what: "A key that was chosen for removal goes although it was written since: an acknowledged write is lost.",
    edits: [
      {
        file: "src/cache/key-commands.ts",
        find: "    if (entry === undefined || entry.version !== version) continue;\n",
        replace: "    if (entry === undefined || version < 0) continue;\n",
      },
    ],
    world: "limits",
    caughtBy: ["evictions", "linearizability"],
  },
  {
    name: "evicts-on-its-own",
    room: "cache",
    what: "The leader removes what it has chosen from its own copy at once, instead of by a committed entry.",
    edits: [
      {
        file: "src/cache/victims.ts",
        find: "      chosen.set(key, entry.version);\n",
        replace: '      chosen.set(key, entry.version);\n      this.#shard.evict(key, entry, "memory");\n',
      },
    ],
    world: "limits",
    caughtBy: ["evictions", "replicas-equal", "linearizability"],
  },
  {
    name: "idle-too-early",
    room: "cache",
    what: "Disuse is counted in ticks of double length: keys go in half their idle time.",
    edits: [
      {
        file: "src/cache/heat.ts",
        find: "    return Math.max(0, ticks - 1) * TICK_MS;\n",
        replace: "    return Math.max(0, ticks - 1) * TICK_MS * 2;\n",
      },
    ],
    world: "limits",
    caughtBy: ["evictions"],
  },
] satisfies readonly Mutant[]);
