/**
 * Destroys replicas that nobody counts on any more; but only when the group's leader itself confirms that neither its
 * committed nor its latest configuration names this node. A removed replica often cannot know by itself.
 *
 * Invariant: a replica that a leader counts is never emptied. Should the leader add this node again right after its
 * answer, its messages arrive here before the answer is acted upon (then nothing is destroyed: `messagesStepped` has
 * moved) or after it (then they meet a fresh replica, whose acknowledgements cover only what it really holds).
 */
import { type GroupId, groupId, type NodeId, SHARDS_MAX, SYSTEM_GROUP, shardOfGroup } from "../base/ids.ts";
import type { Calls } from "../host/links/calls.ts";
import type { MultiRaft } from "../host/multi-raft.ts";
import type { Clock, Timer } from "../host/ports.ts";
import { isMember } from "../raft/configuration.ts";
import type { ClusterMap } from "./cluster-map.ts";

const METHOD_COUNTED = "cluster.counts-replica";
const BEAT_MS = 1_000;
const CALL_TIMEOUT_MS = 800;

export interface ReplicaTidierParts {
  readonly self: NodeId;
  readonly groups: MultiRaft;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly map: () => ClusterMap | null;
  readonly leaderHint: (group: GroupId) => NodeId | null;
  readonly onClosed: (group: GroupId) => void;
}

export class ReplicaTidier {
  readonly #parts: ReplicaTidierParts;
  #timer: Timer | null = null;

  constructor(parts: ReplicaTidierParts) {
    this.#parts = parts;
    parts.calls.handle(METHOD_COUNTED, (params) => this.#isCounted(params));
    this.#arm();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.#parts.clock.setTimer(BEAT_MS, () => {
      this.#arm();
      this.#beat();
    });
  }

  #beat(): void {
    const map = this.#parts.map();
    if (map === null) return;
    for (const group of this.#parts.groups.groups()) {
      const wanted =
        group.id === SYSTEM_GROUP ? map.systemVoters : map.shards[shardOfGroup(group.id)]?.wanted;
      if (wanted === undefined || wanted.includes(this.#parts.self) || group.isLeader) continue;
      this.#ask(group.id, wanted);
    }
  }

  #ask(group: GroupId, wanted: readonly NodeId[]): void {
    const { self, groups, calls } = this.#parts;
    const hint = this.#parts.leaderHint(group);
    const target = hint !== null && hint !== self ? hint : wanted.find((node) => node !== self);
    const asked = groups.get(group);
    if (target === undefined || asked === undefined) return;
    const stepped = asked.messagesStepped;
    calls.call(target, METHOD_COUNTED, [group, self], { timeoutMs: CALL_TIMEOUT_MS }).then(
      (counted) => {
        const replica = groups.get(group);
        if (counted !== false || replica !== asked || replica.isLeader) return;
        if (replica.messagesStepped !== stepped) return;
        groups.remove(group);
        this.#parts.onClosed(group);
      },
      () => {
        // Asked again with the next beat.
      },
    );
  }

  /** true: yes, or not known here. false: this node leads the group, and neither configuration names the asker. */
  #isCounted(params: unknown): boolean {
    if (!Array.isArray(params) || params.length !== 2) return true;
    const [group, node] = params as [unknown, NodeId];
    if (typeof group !== "number" || !Number.isInteger(group) || group < 0 || group > SHARDS_MAX) return true;
    const replica = this.#parts.groups.get(groupId(group));
    if (replica === undefined || !replica.isReadyLeader) return true;
    const { raft } = replica;
    return (
      isMember(raft.snapshotMetadata(raft.applied).configuration, node) || isMember(raft.configuration, node)
    );
  }
}
