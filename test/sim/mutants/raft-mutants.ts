/**
 * Bugs of consensus: elections, commitment, logs, membership, reads.
 */
import type { Mutant } from "./mutant.ts";

export const RAFT_MUTANTS: readonly Mutant[] = Object.freeze([
  {
    name: "votes-counted-twice",
    room: "raft",
    what:
      "A candidate keeps the answers to its pre-vote and counts them again as votes: two candidates of one term win, " +
      "against election safety.",
    edits: [
      {
        file: "src/raft/state.ts",
        find: "    this.votes.clear();\n",
        replace: '    if (role !== "candidate") this.votes.clear();\n',
      },
    ],
    world: "partitions",
    caughtBy: ["election-safety"],
  },
  {
    name: "vote-forgotten",
    room: "raft",
    what: "A granted vote is not remembered: the node votes again in the same term, against one vote per term.",
    edits: [
      {
        file: "src/raft/state.ts",
        find: "    this.#vote = candidate;\n",
        replace: "",
      },
    ],
    world: "partitions",
    caughtBy: ["one-vote-per-term", "election-safety"],
  },
  {
    name: "vote-without-log-check",
    room: "raft",
    what:
      "A vote is granted to a candidate whose log is behind: a leader lacks what was committed, against leader " +
      "completeness.",
    edits: [
      {
        file: "src/raft/election.ts",
        find: "    state.log.isCoveredBy(request.lastIndex, request.lastTerm) &&\n",
        replace: "",
      },
    ],
    world: "partitions",
    caughtBy: ["leader-completeness"],
  },
  {
    name: "older-term-committed-by-counting",
    room: "raft",
    what:
      "A leader commits entries of an older term because a majority holds them (Raft §5.4.2, Figure 8): a later leader " +
      "may still overwrite what was acknowledged.",
    edits: [
      {
        file: "src/raft/replication.ts",
        find: "  if (held <= state.commit || state.log.termAt(held) !== state.term) return;",
        replace: "  if (held <= state.commit) return;",
      },
    ],
    world: "disks",
    caughtBy: ["leader-completeness"],
  },
  {
    name: "no-op-skipped",
    room: "raft",
    what:
      "A new leader does not append the no-op of its term: what was left uncommitted stays so, and the leader is never " +
      "ready, against the promise that a whole fleet serves.",
    edits: [
      {
        file: "src/raft/election.ts",
        find: '  appendToLeader(state, leading, { kind: "noop", index: leading.termStart, term: state.term });\n',
        replace: "",
      },
    ],
    world: "partitions",
    caughtBy: ["liveness"],
  },
  {
    name: "read-before-no-op",
    room: "raft",
    what:
      "A new leader grants reads before it has committed an entry of its term: it does not know yet what is committed, " +
      "and grants an index from the past.",
    edits: [
      {
        file: "src/raft/reading.ts",
        find: '  if (state.commit < leading.termStart) return "not-ready";\n',
        replace: "",
      },
    ],
    world: "elections",
    caughtBy: ["fresh-reads"],
  },
  {
    name: "read-without-quorum",
    room: "raft",
    what:
      "A leader grants a read without asking a quorum whether it still leads: a deposed one answers with what was " +
      "overwritten since, against linearizability.",
    edits: [
      {
        file: "src/raft/reading.ts",
        find: "  if (decidesAlone(state) || (state.options.leaseReads && leading.lease.isHeldAt(state.tick))) {",
        replace: '  if (decidesAlone(state) || state.role === "leader") {',
      },
    ],
    world: "partitions",
    caughtBy: ["fresh-reads", "linearizability"],
  },
  {
    name: "read-round-answered-too-early",
    room: "raft",
    what:
      "Reads that wait join the round under way, whose answers may have left before they were asked: they prove nothing " +
      "about the present, against linearizability.",
    edits: [
      {
        file: "src/raft/read-rounds.ts",
        find: "    this.#waiting.push(context);\n",
        replace: "    (this.#underWayRound === 0 ? this.#waiting : this.#underWay).push(context);\n",
      },
    ],
    world: "partitions",
    caughtBy: ["fresh-reads", "linearizability"],
  },
  {
    name: "two-voters-in-one-step",
    room: "raft",
    what:
      "A change of several voters takes effect in one step, without a joint configuration: old and new majorities need " +
      "not meet.",
    edits: [
      {
        file: "src/raft/configuration-change.ts",
        find: "  const draft = new Draft(current, current.voters);",
        replace: "  const draft = new Draft(current, []);",
      },
    ],
    world: "churn",
    caughtBy: ["joint-configuration-safety"],
  },
  {
    name: "learner-counts",
    room: "raft",
    what:
      "A quorum is the right number of answers, but learners' answers count: entries are committed, and reads confirmed, " +
      "without a majority of the voters.",
    edits: [
      {
        file: "src/raft/quorum.ts",
        find: "  const incoming = majorityIndex(configuration.voters, measure);",
        replace:
          "  const answers = [...configuration.voters, ...configuration.learners].map((node) => measure.of(node));\n" +
          "  const incoming = answers.sort((a, b) => b - a)[configuration.voters.length >> 1] ?? 0;",
      },
    ],
    world: "moves",
    caughtBy: ["leader-completeness", "fresh-reads", "linearizability"],
  },
  {
    name: "one-majority-decides-joint",
    room: "raft",
    what:
      "In a joint configuration a majority of either set of voters is enough: both sets can go their own way " +
      "(Raft §6).",
    edits: [
      {
        file: "src/raft/quorum.ts",
        find: "  return Math.min(incoming, majorityIndex(configuration.votersOutgoing, measure));",
        replace: "  return Math.max(incoming, majorityIndex(configuration.votersOutgoing, measure));",
      },
    ],
    world: "moves",
    caughtBy: ["leader-completeness", "election-safety", "fresh-reads", "linearizability"],
  },
  {
    name: "second-change-before-first-committed",
    room: "raft",
    what:
      "A leader proposes a change of members while the last one is not committed: two changes in flight, whose " +
      "majorities need not meet.",
    edits: [
      {
        file: "src/raft/membership.ts",
        find: '  if (state.configurations.currentIndex > state.commit) return "an earlier change is not committed yet";\n',
        replace: "",
      },
    ],
    world: "churn",
    caughtBy: ["joint-configuration-safety"],
  },
  {
    name: "conflicting-entries-kept",
    room: "raft",
    what:
      "A follower keeps what it has at an index, also when the leader's entry there is another one: it acknowledges what it " +
      "does not hold, against log matching.",
    edits: [
      {
        file: "src/raft/following.ts",
        find: "      if (log.holds(entry.index, entry.term)) continue;\n",
        replace: "      if (log.termAt(entry.index) !== null) continue;\n",
      },
    ],
    world: "elections",
    caughtBy: ["log-matching", "state-machine-safety", "leader-completeness", "replicas-equal"],
  },
  {
    name: "append-without-consistency-check",
    room: "raft",
    what:
      "A follower appends as soon as its log is long enough, whatever the term of the entry before: logs that agree at " +
      "one entry differ below it, against log matching.",
    edits: [
      {
        file: "src/raft/following.ts",
        find: "  if (previousIndex >= state.commit && !log.holds(previousIndex, previousTerm)) {",
        replace: "  if (previousIndex > log.lastIndex) {",
      },
    ],
    world: "elections",
    // It shows where a log that was left behind with a tail of its own is as long as that of the leader after next, and has not
    // heard of the next one: many groups, links that lose what they held back, and nobody who stands still with all his logs.
    options: { shards: 16, faults: ["partition", "isolation", "stream-reset"] },
    caughtBy: ["log-matching"],
  },
  {
    name: "stale-leader-obeyed",
    room: "raft",
    what:
      "A follower takes append requests of any leader, also of one whose term is over: it replaces entries that it " +
      "acknowledged to the newer one.",
    edits: [
      {
        file: "src/raft/raft.ts",
        find: "    if (message.term < state.term) {",
        replace: '    if (message.term < state.term && message.type !== "append-request") {',
      },
      {
        file: "src/raft/following.ts",
        find: '  if (state.role === "leader" || (state.leader !== null && state.leader !== from)) return false;',
        replace: '  if (state.role === "leader") return false;',
      },
    ],
    world: "elections",
    caughtBy: ["leader-completeness", "log-matching", "group-alive"],
  },
  {
    name: "heartbeat-commits-what-was-not-matched",
    room: "raft",
    what:
      "A heartbeat carries the commit index itself, not how far the follower is known to agree: the follower commits " +
      "entries of its own that the leader never had.",
    edits: [
      {
        file: "src/raft/heartbeat.ts",
        find: "      commit: logIndex(Math.min(peer.match, state.commit)),",
        replace: "      commit: state.commit,",
      },
    ],
    world: "elections",
    caughtBy: ["leader-completeness", "state-machine-safety"],
  },
  {
    name: "applies-skip-one-after-snapshot",
    room: "raft",
    what: "After a snapshot the first entry behind it is not applied: the replica misses a change.",
    edits: [
      {
        file: "src/raft/state.ts",
        find: "    this.handedOut = snapshot.index;\n",
        replace: "    this.handedOut = logIndex(snapshot.index + 1);\n",
      },
    ],
    world: "churn",
    caughtBy: ["state-machine-safety"],
  },
  {
    name: "acknowledged-before-durable",
    room: "raft",
    what:
      "Votes and acknowledgements leave before they are durable: a node that loses its power comes back without what it " +
      "promised.",
    edits: [
      {
        file: "src/raft/state.ts",
        find: "    this.outbox.hold(message, this.persistence.receiptToAwait);",
        replace: "    this.outbox.send(message);",
      },
    ],
    world: "disks",
    caughtBy: ["monotonic", "one-vote-per-term"],
  },
  {
    name: "vote-not-persisted",
    room: "raft",
    what:
      "Term and vote become durable only together with a commit index: a node that restarts in between comes back in an " +
      "older term, and votes again.",
    edits: [
      {
        file: "src/raft/persistence.ts",
        find: "      hardState: this.#voteChanged || this.#commitChanged ? hardState() : null,",
        replace: "      hardState: this.#commitChanged ? hardState() : null,",
      },
    ],
    world: "disks",
    caughtBy: ["monotonic", "one-vote-per-term"],
  },
] satisfies readonly Mutant[]);
