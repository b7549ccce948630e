/**
 * The cluster as people see it: the map, overlaid with what gossip says of the members and what the leaders say of
 * their groups. Every shard of the cluster, whichever node is asked.
 */
import { formatAddress } from "../base/address.ts";
import { groupOfShard, type NodeId, SYSTEM_GROUP, shardId } from "../base/ids.ts";
import type { MapMember } from "../cluster/cluster-map.ts";
import type { GroupReport } from "../cluster/group-report.ts";
import { unsafeToStop } from "../cluster/safe-to-stop.ts";
import type { ClusterNode } from "./cluster-node.ts";
import type { ClusterStatus, GroupStatus, MemberState, MemberStatus } from "./door.ts";

/** Reports gathered within this time are used again: many may ask at once. */
const REPORTS_FRESH_MS = 250;

export class ClusterView {
  readonly #node: ClusterNode;
  #gathering: Promise<ReadonlyMap<number, GroupReport>> | null = null;
  #gatheredAtMs = Number.NEGATIVE_INFINITY;

  constructor(node: ClusterNode) {
    this.#node = node;
  }

  members(): readonly MemberStatus[] {
    const { map } = this.#node.control;
    const listed = (map?.members ?? []).map((member) => this.#listedMember(member));
    const known = new Set(listed.map(({ nodeId }) => nodeId));
    const removed = new Set(map?.removed ?? []);
    const others = this.#node.gossip
      .members()
      .filter(
        ({ id, state }) => !known.has(id) && !removed.has(id) && (state === "alive" || state === "suspect"),
      )
      .map(
        ({ id, meta, address }): MemberStatus => ({
          nodeId: id,
          name: meta.name,
          state: "joining",
          zone: meta.zone,
          weight: meta.weight,
          address: formatAddress(address),
          respPort: meta.respPort,
          httpPort: meta.httpPort,
          self: id === this.#node.nodeId,
        }),
      );
    return [...listed, ...others];
  }

  async status(): Promise<ClusterStatus> {
    const reports = await this.#reports();
    const { map } = this.#node.control;
    return {
      nodeId: this.#node.nodeId,
      clusterId: this.#node.clusterId,
      mapVersion: map?.version ?? 0,
      shardCount: map?.shardCount ?? 0,
      replicationFactor: map?.replicationFactor ?? 0,
      members: this.members(),
      system: groupStatus(reports.get(SYSTEM_GROUP), map?.systemVoters ?? []),
      shards: (map?.shards ?? []).map(({ wanted }, shard) => ({
        shard: shardId(shard),
        ...groupStatus(reports.get(groupOfShard(shardId(shard))), wanted),
      })),
    };
  }

  /** Why stopping this node now would put some group below full tolerance; null when it is safe. */
  async unsafeToStopReason(): Promise<string | null> {
    const { map } = this.#node.control;
    if (map === null) return null;
    const reports = await this.#node.control.gatherReports();
    const living = new Set<NodeId>();
    for (const { id, state } of this.#node.gossip.members()) if (state === "alive") living.add(id);
    return unsafeToStop(map, reports, living, this.#node.nodeId);
  }

  #reports(): Promise<ReadonlyMap<number, GroupReport>> {
    const nowMs = this.#node.clock.nowMs();
    if (this.#gathering === null || nowMs - this.#gatheredAtMs > REPORTS_FRESH_MS) {
      this.#gatheredAtMs = nowMs;
      this.#gathering = this.#node.control.gatherReports();
    }
    return this.#gathering;
  }

  #listedMember(member: MapMember): MemberStatus {
    const { nodeId, name, zone, weight, address, respPort, httpPort } = member;
    return {
      nodeId,
      name,
      state: this.#stateOf(member),
      zone,
      weight,
      address: formatAddress(address),
      respPort,
      httpPort,
      self: nodeId === this.#node.nodeId,
    };
  }

  #stateOf(member: MapMember): MemberState {
    const gossiped = this.#node.gossip.member(member.nodeId)?.state;
    if (member.state === "dead" || gossiped === "dead") return "dead";
    if (gossiped === "left") return "left";
    if (member.state === "draining") return "draining";
    return gossiped === "suspect" ? "suspect" : "alive";
  }
}

function groupStatus(report: GroupReport | undefined, wanted: readonly NodeId[]): GroupStatus {
  if (report === undefined) {
    return {
      leader: null,
      term: 0,
      commitIndex: 0,
      applyIndex: 0,
      voters: [],
      learners: [],
      joint: false,
      wanted,
    };
  }
  const { leader, term, commitIndex, applyIndex, voters, votersOutgoing, learners } = report;
  return {
    leader,
    term,
    commitIndex,
    applyIndex,
    voters,
    learners,
    joint: votersOutgoing.length > 0,
    wanted,
  };
}
