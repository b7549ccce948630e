/**
 * Bugs of what surrounds the core on a node: waiters, time, snapshots, the memory of removed replicas.
 */
import type { Mutant } from "./mutant.ts";

export const HOST_MUTANTS: readonly Mutant[] = Object.freeze([
  {
    name: "waiter-answered-by-another-leaders-entry",
    room: "host",
    what:
      "Whoever waits for an entry goes on waiting when leadership is lost, and is answered by whatever is applied at its " +
      "index: a write is acknowledged that never happened.",
    edits: [
      {
        file: "src/host/raft-group.ts",
        find: "    const mine = waiter.index === entry.index && waiter.term === entry.term;",
        replace: "    const mine = waiter.index === entry.index;",
      },
      {
        file: "src/host/raft-group.ts",
        find: "    const kept = this.#waiters.filter((waiter) => waiter.term === keptTerm);",
        replace: "    const kept = this.#waiters;",
      },
      {
        file: "src/host/raft-group.ts",
        find: '    for (const waiter of waiters) for (const sink of waiter.sinks) sink.dropped("unknown");\n',
        replace: "",
      },
    ],
    world: "elections",
    caughtBy: ["linearizability", "group-alive", "crash", "counters"],
  },
  {
    name: "read-before-applied",
    room: "host",
    what:
      "A granted read is answered at once, not when the machine has applied up to the index it was granted for: it may " +
      "miss writes that were asked before it.",
    edits: [
      {
        file: "src/host/raft-group.ts",
        find: "      if (reads.index <= applied) for (const sink of reads.sinks) sink.granted();",
        replace: "      if (applied >= 0) for (const sink of reads.sinks) sink.granted();",
      },
    ],
    world: "disks",
    options: { faults: ["overload", "slow-disk", "isolation", "pause"] },
    caughtBy: ["counters", "linearizability"],
  },
  {
    name: "expiry-by-wall-clock",
    room: "host",
    what: "Machine time follows the wall clock: when that jumps by an hour, keys expire an hour early.",
    edits: [
      {
        file: "src/host/machine-clock.ts",
        find: "    return Math.floor(this.#anchorMachineMs + (this.#clock.nowMs() - this.#anchorLocalMs));",
        replace:
          "    const elapsedMs = this.#clock.wallMs() - this.#anchorLocalMs;\n" +
          "    return Math.floor(this.#anchorMachineMs + Math.max(0, elapsedMs));",
      },
      {
        file: "src/host/machine-clock.ts",
        find: "    this.#anchorMachineMs = stampMs;\n    this.#anchorLocalMs = this.#clock.nowMs();",
        replace: "    this.#anchorMachineMs = stampMs;\n    this.#anchorLocalMs = this.#clock.wallMs();",
      },
      {
        file: "src/host/machine-clock.ts",
        find: "    this.#clock = clock;\n    this.#anchorLocalMs = clock.nowMs();",
        replace: "    this.#clock = clock;\n    this.#anchorLocalMs = clock.wallMs();",
      },
    ],
    world: "clocks",
    caughtBy: ["expiry-never-early"],
  },
  {
    name: "machine-time-from-the-first-stamp",
    room: "host",
    what:
      "A follower anchors machine time at the first stamp it applied and never again: what its clock counted while the " +
      "group had no leader is added, and keys expire early.",
    edits: [
      {
        file: "src/host/machine-clock.ts",
        find: "    if (this.#leading) return;",
        replace: "    if (this.#leading || this.#anchorMachineMs > 0) return;",
      },
    ],
    world: "clocks",
    caughtBy: ["expiry-never-early"],
  },
  {
    name: "tombstone-forgotten",
    room: "host",
    what:
      "A node that destroys its replica keeps no memory of it: when it is given the group again it comes back below the " +
      "term it promised, and votes anew.",
    edits: [
      {
        file: "src/host/multi-raft.ts",
        find: "    this.#tombstones.set(id, tombstone);\n",
        replace: "",
      },
    ],
    world: "churn",
    caughtBy: ["monotonic", "one-cluster"],
  },
  {
    name: "commands-stamped-before-ready",
    room: "host",
    what:
      "A new leader stamps commands before it has applied what was committed before it: its idea of machine time is older, " +
      "runs through times without a leader, and keys expire early.",
    edits: [
      {
        file: "src/host/raft-group.ts",
        find: "    return this.isReadyLeader && !this.raft.transferring;",
        replace: "    return this.isLeader && !this.raft.transferring;",
      },
    ],
    world: "clocks",
    caughtBy: ["expiry-never-early"],
  },
  {
    name: "damage-forgets-the-end",
    room: "wire",
    what:
      "A replica whose stored data is damaged forgets where its log ended: it votes for those who lack what it had " +
      "acknowledged.",
    edits: [
      {
        file: "src/wire/store-replay.ts",
        find: "    const end = endOfLog(indexed);\n",
        replace: "    const end = { ...endOfLog(indexed), index: 0 as never };\n",
      },
    ],
    world: "disks",
    options: { swarm: false, faults: ["bit-flip", "large-values", "crash"] },
    caughtBy: ["monotonic"],
  },
  {
    name: "lost-log-goes-unnoticed",
    room: "raft",
    what:
      "A voter whose disk lost its log does not say so: its leader believes that it holds what it had acknowledged, and it is " +
      "never filled again.",
    edits: [
      {
        file: "src/raft/following.ts",
        find: "  if (heartbeat.commit > lastIndex) {\n",
        replace: "  if (heartbeat.commit > Number.MAX_SAFE_INTEGER) {\n",
      },
    ],
    world: "disks",
    options: { swarm: false, faults: ["bit-flip", "large-values", "crash"] },
    caughtBy: ["liveness"],
  },
  {
    name: "frames-over-those-that-wait",
    room: "host",
    what:
      "The bytes of a frame are written over with the next one although the network has not taken them yet: what arrives is a " +
      "mixture of both.",
    edits: [
      {
        file: "src/host/links/frame-stream.ts",
        find: "      this.#startOver(isFree && bytes <= REUSED_BYTES_MAX);",
        replace: "      this.#startOver(bytes <= REUSED_BYTES_MAX || isFree);",
      },
    ],
    world: "load",
    options: { faults: ["large-values", "join", "leave", "stream-stall"] },
    caughtBy: ["liveness"],
  },
  {
    name: "checkpoint-of-one-slice",
    room: "host",
    what: "A checkpoint keeps a view of each slice, and all slices lie in the same bytes: the disk gets the last one again and again.",
    edits: [
      {
        file: "src/host/group-checkpoints.ts",
        find: "underWay.writer.write(new Uint8Array(slice))",
        replace: "underWay.writer.write(slice)",
      },
    ],
    world: "disks",
    options: { swarm: false, faults: ["large-values", "crash"] },
    caughtBy: ["group-alive"],
  },
] satisfies readonly Mutant[]);
