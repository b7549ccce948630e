/**
 * One group in miniature: a configuration, a leader, how far each replica is. Its leader takes the steps that
 * `nextShardStep` answers; every step is checked against what must hold of any membership change.
 */
import { expect } from "vitest";
import { groupId, logIndex, type NodeId, nodeId } from "../../src/base/ids.ts";
import type { GroupReport } from "../../src/cluster/group-report.ts";
import {
  nextShardStep,
  type ShardMemberState,
  type ShardSituation,
  type ShardStep,
} from "../../src/cluster/shard-steps.ts";
import { type Configuration, configurationOf, isJoint } from "../../src/raft/configuration.ts";
import { changeConfiguration, type MembershipChange } from "../../src/raft/configuration-change.ts";
import type { MemberProgress } from "../../src/raft/status.ts";

/** A node id for people: `node("a")`, `node(3)`. */
export function node(name: string | number): NodeId {
  const text = typeof name === "number" ? name.toString(16) : name;
  return nodeId(text.padStart(16, "0"));
}

export function nodes(...names: readonly (string | number)[]): NodeId[] {
  return names.map(node);
}

export const LAST_INDEX = logIndex(10_000);

export function progressOf(values: Partial<MemberProgress> = {}): MemberProgress {
  const match = values.match ?? LAST_INDEX;
  return {
    match,
    next: logIndex(match + 1),
    state: "replicate",
    recentActive: true,
    learner: false,
    ...values,
  };
}

/** The members' states, and who lives in truth. */
export interface World {
  readonly memberStates: ReadonlyMap<NodeId, ShardMemberState>;
  readonly live: ReadonlySet<NodeId>;
}

export class VirtualGroup {
  configuration: Configuration;
  leader: NodeId;
  term = 1;
  /** Replicas that hold the whole log; every other one holds nothing. */
  readonly caughtUp: Set<NodeId>;
  /** What a copy of it would take. */
  stateBytes = 0;
  /** All steps that changed something. */
  readonly steps: ShardStep[] = [];

  constructor(voters: readonly NodeId[]) {
    this.configuration = configurationOf(voters);
    this.leader = voters[0] as NodeId;
    this.caughtUp = new Set(voters);
  }

  /** One beat: an election if needed, the joint configuration left if possible, one step of the leader. */
  beat(wanted: readonly NodeId[], world: World): ShardStep | "no-leader" {
    if (!this.#hasMajority(world)) return "no-leader";
    if (isJoint(this.configuration)) {
      this.#change({ type: "leave-joint" });
      return { type: "wait", why: "leaving" };
    }
    const { voters } = this.configuration;
    if (!world.live.has(this.leader) || !voters.includes(this.leader)) {
      const next = voters.find((voter) => world.live.has(voter) && this.caughtUp.has(voter));
      expect(next, "a live voter holds the log").toBeDefined();
      this.leader = next as NodeId;
      this.term++;
    }
    const step = nextShardStep(this.situation(wanted, world));
    switch (step.type) {
      case "none":
      case "wait":
        return step;
      case "transfer":
        this.steps.push(step);
        expect(voters).toContain(step.to);
        expect(step.to).not.toBe(this.leader);
        expect(world.live.has(step.to), "leadership goes to a live node").toBe(true);
        expect(this.caughtUp.has(step.to)).toBe(true);
        this.leader = step.to;
        this.term++;
        return step;
      case "propose":
        this.steps.push(step);
        this.#check(step.change, wanted, world);
        this.#change(step.change);
        return step;
    }
  }

  /** `node` receives the log. */
  catchUp(replica: NodeId): void {
    this.caughtUp.add(replica);
  }

  situation(wanted: readonly NodeId[], { memberStates, live }: World): ShardSituation {
    const { configuration, leader: self } = this;
    const progress = new Map<NodeId, MemberProgress>();
    for (const list of [configuration.voters, configuration.votersOutgoing, configuration.learners]) {
      for (const member of list) {
        if (member === self) continue;
        const caughtUp = this.caughtUp.has(member);
        progress.set(
          member,
          progressOf({
            match: caughtUp ? LAST_INDEX : logIndex(0),
            state: caughtUp ? "replicate" : "snapshot",
            recentActive: live.has(member),
            learner: configuration.learners.includes(member),
          }),
        );
      }
    }
    return {
      self,
      configuration,
      progress,
      lastIndex: LAST_INDEX,
      commit: LAST_INDEX,
      transferee: null,
      wanted,
      memberStates,
    };
  }

  /** What its leader says, knowing the map of `mapVersion`. */
  report(group: number, mapVersion = Number.MAX_SAFE_INTEGER): GroupReport {
    const { voters, votersOutgoing, learners } = this.configuration;
    return {
      group: groupId(group),
      leader: this.leader,
      isLeader: true,
      term: this.term,
      commitIndex: LAST_INDEX,
      applyIndex: LAST_INDEX,
      voters,
      votersOutgoing,
      learners,
      mapVersion,
      lagging: voters.filter((voter) => !this.caughtUp.has(voter)),
      learning: learners.map((nodeId) => ({
        nodeId,
        entriesBehind: this.caughtUp.has(nodeId) ? 0 : LAST_INDEX,
        snapshot: false,
      })),
      stateBytes: this.stateBytes,
    };
  }

  #change(change: MembershipChange): void {
    const result = changeConfiguration(this.configuration, change);
    expect(result.type).toBe("changed");
    if (result.type === "changed") this.configuration = result.configuration;
    const { voters, votersOutgoing, learners } = this.configuration;
    for (const replica of this.caughtUp) {
      if (![voters, votersOutgoing, learners].some((list) => list.includes(replica)))
        this.caughtUp.delete(replica);
    }
  }

  #check(change: MembershipChange, wanted: readonly NodeId[], { live }: World): void {
    const before = this.configuration;
    const result = changeConfiguration(before, change);
    expect(result.type, JSON.stringify(change)).toBe("changed");
    if (result.type !== "changed") return;
    const after = result.configuration;
    expect(after, "every step changes something").not.toEqual(before);
    expect(after.voters.length).toBeGreaterThanOrEqual(Math.min(before.voters.length, wanted.length));
    for (const voters of [before.voters, after.voters]) {
      const able = voters.filter((voter) => live.has(voter) && this.caughtUp.has(voter));
      expect(able.length * 2, "a live majority that holds the log").toBeGreaterThan(voters.length);
    }
    for (const voter of after.voters) {
      if (before.voters.includes(voter)) continue;
      expect(before.learners, "a voter was a learner first").toContain(voter);
      expect(wanted).toContain(voter);
      expect(this.caughtUp.has(voter) && live.has(voter), "a new voter is live and holds the log").toBe(true);
    }
    for (const voter of before.voters) {
      if (wanted.includes(voter)) expect(after.voters, "a wanted voter stays").toContain(voter);
    }
    for (const learner of after.learners) {
      if (!before.learners.includes(learner))
        expect(live.has(learner), "only the living are added").toBe(true);
    }
  }

  #hasMajority({ live }: World): boolean {
    const { voters, votersOutgoing } = this.configuration;
    return [voters, votersOutgoing].every(
      (list) => list.length === 0 || list.filter((voter) => live.has(voter)).length * 2 > list.length,
    );
  }
}
