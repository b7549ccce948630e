/**
 * Moves the replicas of every group led by this node towards what the cluster map wants, one step at a time:
 * learner -> caught up -> one joint change -> leave. What the next step is, `shard-steps.ts` decides; here it is asked
 * whenever something changed, and again every beat until there is nothing to do.
 */
import type { GroupId, NodeId } from "../base/ids.ts";
import type { MultiRaft } from "../host/multi-raft.ts";
import type { Clock, Timer } from "../host/ports.ts";
import type { RaftGroup } from "../host/raft-group.ts";
import { nextShardStep, type ShardSituation } from "./shard-steps.ts";

/** How often a group that is not where it should be is looked at. */
const BEAT_MS = 100;
/**
 * After a transfer that did not take, the next one waits this long: meanwhile the group could not be written to. Twice as long each
 * time that leadership came back from the same node at once, up to the maximum: that one reaches its leader, but no majority.
 */
const TRANSFER_PAUSE_MIN_MS = 3_000;
const TRANSFER_PAUSE_MAX_MS = 60_000;
interface Offer {
  readonly to: NodeId;
  readonly term: number;
  readonly atMs: number;
  readonly pauseMs: number;
}

/** How often every led group is looked at, whatever happened: nothing depends on an event being seen. */
const ROUND_MS = 2_000;

export interface ReplicaDriverParts {
  readonly self: NodeId;
  readonly groups: MultiRaft;
  readonly clock: Clock;
  /** What the map wants of `group` and how its members are; null when the map of today is not known. */
  readonly situation: (group: GroupId) => Pick<ShardSituation, "wanted" | "memberStates"> | null;
  /** A step was taken or refused, for the log. */
  readonly onStep: (group: GroupId, text: string) => void;
}

export class ReplicaDriver {
  readonly #parts: ReplicaDriverParts;
  readonly #unsettled = new Set<GroupId>();
  /** How leadership of a group was last offered away. */
  readonly #offers = new Map<GroupId, Offer>();
  #timer: Timer | null = null;
  #lastRoundMs = 0;
  readonly counters = { steps: 0, transfers: 0, refused: 0 };

  constructor(parts: ReplicaDriverParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = this.#parts.clock.setTimer(BEAT_MS, () => {
      this.start();
      this.#beat();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** Something about `group` changed. */
  look(group: GroupId): void {
    this.#unsettled.add(group);
  }

  lookAtAll(): void {
    for (const group of this.#parts.groups.groups()) if (group.isLeader) this.#unsettled.add(group.id);
  }

  #beat(): void {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs - this.#lastRoundMs >= ROUND_MS) {
      this.#lastRoundMs = nowMs;
      this.lookAtAll();
    }
    for (const id of this.#unsettled) {
      const group = this.#parts.groups.get(id);
      if (group === undefined || !group.isReadyLeader || this.#step(group)) this.#unsettled.delete(id);
    }
  }

  /** Takes the next step of one group; true when there is none. */
  #step(group: RaftGroup<unknown>): boolean {
    const wish = this.#parts.situation(group.id);
    if (wish === null) return false;
    const status = group.raft.status();
    const step = nextShardStep({
      self: this.#parts.self,
      configuration: status.configuration,
      progress: status.progress,
      lastIndex: status.lastIndex,
      commit: status.commit,
      transferee: status.transferee,
      ...wish,
    });
    switch (step.type) {
      case "none":
        return true;
      case "wait":
        return false;
      case "propose": {
        const result = group.raft.proposeMembership(step.change);
        this.counters[result.type === "proposed" ? "steps" : "refused"]++;
        this.#parts.onStep(
          group.id,
          `${JSON.stringify(step.change)}: ${result.type === "refused" ? result.reason : result.type}`,
        );
        this.#parts.groups.markDirty(group.id);
        return false;
      }
      case "transfer": {
        const offer = this.#nextOffer(group.id, step.to, status.term);
        if (offer === null) return false;
        this.#offers.set(group.id, offer);
        const result = group.raft.transferLeader(step.to);
        if (result.type === "started") this.counters.transfers++;
        this.#parts.onStep(group.id, `transfer to ${step.to}: ${result.type}`);
        this.#parts.groups.markDirty(group.id);
        return false;
      }
    }
  }

  /** null while the last one is too recent. */
  #nextOffer(group: GroupId, to: NodeId, term: number): Offer | null {
    const nowMs = this.#parts.clock.nowMs();
    const last = this.#offers.get(group);
    if (last === undefined || (last.to !== to && last.term !== term))
      return { to, term, atMs: nowMs, pauseMs: TRANSFER_PAUSE_MIN_MS };
    const agoMs = nowMs - last.atMs;
    if (agoMs < last.pauseMs) return null;
    const cameBack = last.to === to && last.term !== term && agoMs < 2 * last.pauseMs;
    const pauseMs = cameBack ? Math.min(2 * last.pauseMs, TRANSFER_PAUSE_MAX_MS) : TRANSFER_PAUSE_MIN_MS;
    return { to, term, atMs: nowMs, pauseMs };
  }
}
