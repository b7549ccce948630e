/**
 * The control plane of one node, put together: the map it knows, its share in the system group, the replicas it opens
 * and closes as the map says, what it tells others and what it does for the groups it leads.
 *
 * Gossip suggests, Raft decides: nothing here changes who may vote except through a committed configuration entry.
 */
import type { Address } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import {
  type ClusterId,
  type GroupId,
  groupId,
  type NodeId,
  SYSTEM_GROUP,
  shardOfGroup,
} from "../base/ids.ts";
import type { Gossip } from "../host/gossip.ts";
import type { Calls } from "../host/links/calls.ts";
import type { PeerLinks } from "../host/links/peer-links.ts";
import type { MultiRaft } from "../host/multi-raft.ts";
import type { Clock, Timer } from "../host/ports.ts";
import type { StateMachine } from "../host/state-machine.ts";
import { type Configuration, isMember, isVoter } from "../raft/configuration.ts";
import type { RaftMessage } from "../raft/messages.ts";
import { decodeMap, encodeMap } from "./cluster-codec.ts";
import { type ClusterMap, findMember, type MemberIdentity } from "./cluster-map.ts";
import type { ControlOptions, GossipView } from "./controller.ts";
import type { FoundingValue } from "./founding.ts";
import { foundingMap } from "./founding-map.ts";
import { decodeReport, encodeReport, type GroupReport, reportOf } from "./group-report.ts";
import { MapSpread } from "./map-spread.ts";
import { MapStore } from "./map-store.ts";
import { ReplicaDriver } from "./replica-driver.ts";
import { ReportBoard } from "./report-board.ts";
import type { ShardSituation } from "./shard-steps.ts";
import { SystemGroup } from "./system-group.ts";
import { SystemLeader } from "./system-leader.ts";
import { SystemMachine } from "./system-machine.ts";

const METHOD_JOIN = "cluster.join";
const METHOD_STATUS = "cluster.status";
const METHOD_HOLDS = "cluster.holds-replica";
const JOIN_TIMEOUT_MS = 5_000;
/** How often this node checks whether replicas it holds are still counted on. */
const TIDY_MS = 1_000;
/** Pauses between the first candidacies of a group that was just founded. */
const FIRST_CAMPAIGNS_MS = [100, 200, 300] as const;
/** How long a status question may take; who has not answered by then is left out. */
const STATUS_TIMEOUT_MS = 800;

export interface ControlPlaneParts {
  readonly identity: () => MemberIdentity;
  readonly clock: Clock;
  readonly groups: MultiRaft;
  readonly links: PeerLinks;
  readonly calls: Calls;
  readonly gossip: Gossip;
  readonly options: ControlOptions;
  /** The machine of a new replica of a shard. */
  readonly shardMachine: (group: GroupId) => StateMachine<unknown>;
  /** Who leads `group` as far as this node has heard. */
  readonly leaderHint: (group: GroupId) => NodeId | null;
  readonly onMap: (map: ClusterMap, previous: ClusterMap | null) => void;
  /** This node belongs to a cluster now. */
  readonly onCluster: (clusterId: ClusterId, founded: boolean) => void;
  /** The map no longer lists this node although it did not leave. */
  readonly onRemoved: () => void;
  readonly onReplicaClosed: (group: GroupId) => void;
  readonly log: (text: string) => void;
}

export class ControlPlane {
  readonly #parts: ControlPlaneParts;
  readonly #self: NodeId;
  readonly store: MapStore;
  readonly system: SystemGroup;
  readonly driver: ReplicaDriver;
  readonly board: ReportBoard;
  readonly #spread: MapSpread;
  readonly #leader: SystemLeader;
  #clusterId: ClusterId | null = null;
  #listed = false;
  #tidyTimer: Timer | null = null;
  #leaving = false;
  #closed = false;

  constructor(parts: ControlPlaneParts) {
    this.#parts = parts;
    this.#self = parts.identity().nodeId;
    const { groups, calls, clock } = parts;
    const self = this.#self;
    this.store = new MapStore((map, previous) => this.#mapChanged(map, previous));
    this.system = new SystemGroup({ self, groups, calls, clock, candidates: () => this.#systemCandidates() });
    this.driver = new ReplicaDriver({
      self,
      groups,
      clock,
      situation: (group) => this.#situation(group),
      onStep: (group, text) => parts.log(`group ${group}: ${text}`),
    });
    this.board = new ReportBoard({
      self,
      groups,
      calls,
      clock,
      systemLeader: () => parts.leaderHint(SYSTEM_GROUP),
      onReport: () => this.#leader.look(),
    });
    this.#spread = new MapSpread({
      self,
      store: this.store,
      calls,
      clock,
      holderOfNewer: (version) => this.#holderOfNewer(version),
    });
    this.#leader = new SystemLeader({
      self,
      clock,
      system: this.system,
      map: () => this.store.map,
      gossip: () => this.#gossipView(),
      reports: () => this.board.reports,
      options: parts.options,
      onCommand: (text) => parts.log(`cluster map: ${text}`),
    });
    calls.handle(METHOD_JOIN, (params) => this.#admit(params as MemberIdentity));
    calls.handle(METHOD_STATUS, () => [...groups.groups()].map((group) => encodeReport(reportOf(group))));
    calls.handle(METHOD_HOLDS, (params) => this.#stillCounts(params));
    this.driver.start();
    this.#armTidy();
  }

  get map(): ClusterMap | null {
    return this.store.map;
  }

  get clusterId(): ClusterId | null {
    return this.#clusterId;
  }

  /** The map lists this node as a member. */
  get isListed(): boolean {
    return this.#listed;
  }

  /** A founding was decided, and this node is one of its voters. */
  found(value: FoundingValue): void {
    const map = foundingMap({
      clusterId: value.clusterId,
      founders: value.voters,
      shardCount: value.shardCount,
      replicationFactor: value.replicationFactor,
      systemVoters: value.voters.map(({ nodeId }) => nodeId).slice(0, 5),
    });
    this.#enterCluster(value.clusterId, true);
    for (const voter of value.voters) this.#parts.links.setPeer(voter.nodeId, voter.address);
    if (map.systemVoters.includes(this.#self)) this.#openSystem(map, map.systemVoters);
    this.store.offer(map);
  }

  /** Asks the node at `address` to have this one admitted; resolves when the map lists it. */
  async join(address: Address): Promise<void> {
    const { calls, identity } = this.#parts;
    const answer = await calls.callAddress(address, METHOD_JOIN, identity(), { timeoutMs: JOIN_TIMEOUT_MS });
    const map = readJoinAnswer(answer.value);
    this.#enterCluster(map.clusterId, false);
    this.store.offer(map);
  }

  /** Marks `node` as draining; the rest follows from the map. */
  async drain(node: NodeId, timeoutMs: number): Promise<void> {
    const member = this.map === null ? null : findMember(this.map, node);
    if (member === null) return;
    if (node === this.#self) this.#leaving = true;
    const { nodeId, boot } = member;
    const result = await this.system.propose(
      { type: "set-member-state", nodeId, boot, state: "draining" },
      timeoutMs,
    );
    if (result.type === "refused" && result.reason !== "unknown-member") {
      throw new CremaError("CREMA_INTERNAL", `node ${node} cannot be drained: ${result.message}`);
    }
    this.driver.lookAtAll();
  }

  /** Says what changed about this node: its address or ports. */
  async updateIdentity(timeoutMs: number): Promise<void> {
    await this.system.propose({ type: "update-member", member: this.#parts.identity() }, timeoutMs);
  }

  leadershipChanged(group: GroupId): void {
    this.driver.look(group);
    this.board.changed(group);
    if (group === SYSTEM_GROUP) {
      this.#leader.elected();
      if (this.system.isLeader && this.map !== null) this.#spread.announce(this.map);
    }
  }

  /** Somebody new leads the system group, here or elsewhere: it plans with what the other leaders tell it. */
  systemLeaderChanged(): void {
    this.board.repeatAll();
  }

  configurationChanged(group: GroupId, configuration: Configuration): void {
    for (const node of [
      ...configuration.voters,
      ...configuration.votersOutgoing,
      ...configuration.learners,
    ]) {
      const member = this.map === null ? null : findMember(this.map, node);
      if (member !== null) this.#parts.links.setPeer(node, member.address);
    }
    this.driver.look(group);
    this.board.changed(group);
  }

  /** Gossip said something about some member. */
  gossipChanged(): void {
    this.#leader.look();
    this.driver.lookAtAll();
  }

  heardOfMap(version: number): void {
    if (this.#clusterId !== null) this.#spread.heardOf(version);
  }

  /** A raft message for a group that is not open here. Only a leader may bring a replica into being. */
  openFor(group: GroupId, message: Pick<RaftMessage, "type">): boolean {
    const { map } = this.store;
    if (this.#clusterId === null || this.#closed) return false;
    const fromLeader =
      message.type === "append-request" ||
      message.type === "heartbeat" ||
      message.type === "install-snapshot";
    if (!fromLeader || this.#parts.groups.failedGroups.has(group)) return false;
    if (group === SYSTEM_GROUP) {
      this.#openSystem(null, []);
      return true;
    }
    if (map === null || group > map.shardCount) return false;
    const founding = map.shards[shardOfGroup(group)]?.founding ?? [];
    this.#openShard(group, founding.includes(this.#self) ? founding : []);
    return true;
  }

  /** Asks every living member what it holds, and answers the best report of each group. */
  async gatherReports(): Promise<Map<GroupId, GroupReport>> {
    const best = new Map<GroupId, GroupReport>();
    const take = (report: GroupReport): void => {
      const known = best.get(report.group);
      if (known === undefined || betterReport(report, known)) best.set(report.group, report);
    };
    for (const group of this.#parts.groups.groups()) take(reportOf(group));
    const { map } = this.store;
    const others = (map?.members ?? []).filter(
      ({ nodeId }) => nodeId !== this.#self && this.#isLiving(nodeId),
    );
    await Promise.all(
      others.map(({ nodeId }) =>
        this.#parts.calls.call(nodeId, METHOD_STATUS, null, { timeoutMs: STATUS_TIMEOUT_MS }).then(
          (value) => {
            if (Array.isArray(value)) for (const each of value) take(decodeReport(each));
          },
          () => {
            // Who does not answer in time is left out: the status says what could be found out.
          },
        ),
      ),
    );
    return best;
  }

  close(): void {
    this.#closed = true;
    this.driver.close();
    this.board.close();
    this.#spread.close();
    this.#leader.close();
    this.#tidyTimer?.cancel();
  }

  #enterCluster(clusterId: ClusterId, founded: boolean): void {
    if (this.#clusterId === clusterId) return;
    if (this.#clusterId !== null) {
      throw new CremaError(
        "CREMA_CLUSTER_MISMATCH",
        `this node belongs to ${this.#clusterId}, not to ${clusterId}`,
      );
    }
    this.#clusterId = clusterId;
    this.#parts.onCluster(clusterId, founded);
  }

  /** A node asks to become a member. */
  async #admit(identity: MemberIdentity): Promise<Uint8Array> {
    if (this.#clusterId === null)
      throw new CremaError("CREMA_NOT_READY", "this node is in no cluster yet", { retryable: true });
    this.#parts.links.setPeer(identity.nodeId, identity.address);
    const result = await this.system.propose(
      { type: "add-member", member: identity, previousBoot: null },
      JOIN_TIMEOUT_MS,
    );
    if (result.type === "refused") {
      const code = result.reason === "removed" ? "CREMA_REMOVED" : "CREMA_ID_CONFLICT";
      throw new CremaError(code, result.message);
    }
    return await this.#mapListing(identity.nodeId, result.version);
  }

  /** This node's map, once it has reached `version`. */
  #mapListing(node: NodeId, version: number): Promise<Uint8Array> {
    const deadlineMs = this.#parts.clock.nowMs() + JOIN_TIMEOUT_MS;
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const { map } = this.store;
        if (map !== null && map.version >= version && findMember(map, node) !== null) resolve(encodeMap(map));
        else if (this.#parts.clock.nowMs() > deadlineMs)
          reject(new CremaError("CREMA_TIMEOUT", "the new map did not arrive here", { retryable: true }));
        else this.#parts.clock.setTimer(10, check);
      };
      check();
    });
  }

  #openSystem(initial: ClusterMap | null, voters: readonly NodeId[]): void {
    const machine = new SystemMachine(initial);
    machine.onMap = (map) => {
      if (this.store.offer(map) && this.system.group?.isLeader === true) this.#spread.announce(map);
    };
    this.#parts.groups.open(SYSTEM_GROUP, machine, { voters });
    if (voters[0] === this.#self) this.#campaignSoon(SYSTEM_GROUP, 0);
  }

  #openShard(group: GroupId, voters: readonly NodeId[]): void {
    if (this.#parts.groups.get(group) !== undefined) return;
    this.#parts.groups.open(group, this.#parts.shardMachine(group), { voters });
  }

  #mapChanged(map: ClusterMap, previous: ClusterMap | null): void {
    const { links, gossip } = this.#parts;
    for (const { nodeId, address } of map.members) links.setPeer(nodeId, address);
    for (const { nodeId } of previous?.members ?? []) {
      if (findMember(map, nodeId) !== null) continue;
      links.removePeer(nodeId);
      gossip.forget(nodeId);
    }
    const listed = findMember(map, this.#self) !== null;
    const lost = this.#listed && !listed;
    this.#listed = listed;
    if (listed) this.#foundShards(map);
    gossip.updateMeta({ mapVersion: map.version });
    this.driver.lookAtAll();
    this.#leader.look();
    this.#parts.onMap(map, previous);
    if (lost && !this.#leaving) this.#parts.onRemoved();
  }

  /** Opens the groups that were founded with this node among their voters: once in the life of a node id. */
  #foundShards(map: ClusterMap): void {
    const { groups } = this.#parts;
    for (let shard = 0; shard < map.shards.length; shard++) {
      const group = groupId(shard + 1);
      const founding = map.shards[shard]?.founding ?? [];
      if (!founding.includes(this.#self) || groups.get(group) !== undefined) continue;
      if (groups.hasTombstone(group) || groups.failedGroups.has(group)) continue;
      this.#openShard(group, founding);
      if (map.shards[shard]?.wanted[0] === this.#self) this.#campaignSoon(group, 0);
    }
  }

  /** A new group need not wait for an election timeout: the preferred leader stands at once, and again while others start. */
  #campaignSoon(group: GroupId, attempt: number): void {
    const replica = this.#parts.groups.get(group);
    if (replica === undefined || replica.raft.leader !== null || this.#closed) return;
    replica.raft.campaign();
    this.#parts.groups.markDirty(group);
    const delayMs = FIRST_CAMPAIGNS_MS[attempt];
    if (delayMs !== undefined)
      this.#parts.clock.setTimer(delayMs, () => this.#campaignSoon(group, attempt + 1));
  }

  #situation(group: GroupId): Pick<ShardSituation, "wanted" | "memberStates"> | null {
    const { map } = this.store;
    if (map === null) return null;
    const wanted = group === SYSTEM_GROUP ? map.systemVoters : map.shards[shardOfGroup(group)]?.wanted;
    if (wanted === undefined) return null;
    return { wanted, memberStates: this.#memberStates(map) };
  }

  #memberStates(map: ClusterMap): ShardSituation["memberStates"] {
    const states = new Map<NodeId, "alive" | "suspect" | "dead" | "draining" | "removed">();
    for (const { nodeId, state } of map.members) {
      const gossiped = this.#parts.gossip.member(nodeId)?.state;
      if (state === "dead" || gossiped === "dead" || gossiped === "left") states.set(nodeId, "dead");
      else if (state === "draining") states.set(nodeId, "draining");
      else states.set(nodeId, gossiped === "suspect" ? "suspect" : "alive");
    }
    return states;
  }

  #gossipView(): ReadonlyMap<NodeId, GossipView> {
    const view = new Map<NodeId, GossipView>();
    for (const { id, state, stateChangedAtMs, meta, address } of this.#parts.gossip.members()) {
      view.set(id, { state, sinceMs: stateChangedAtMs, boot: meta.nonce, address });
    }
    return view;
  }

  #isLiving(node: NodeId): boolean {
    const state = this.#parts.gossip.member(node)?.state;
    return state !== "dead" && state !== "left";
  }

  #holderOfNewer(version: number): NodeId | null {
    for (const { id, state, meta } of this.#parts.gossip.members()) {
      if (id !== this.#self && state === "alive" && meta.mapVersion > version) return id;
    }
    return null;
  }

  #systemCandidates(): readonly NodeId[] {
    const hint = this.#parts.leaderHint(SYSTEM_GROUP);
    const voters = this.map?.systemVoters ?? [];
    return hint === null ? voters : [hint, ...voters.filter((node) => node !== hint)];
  }

  #armTidy(): void {
    this.#tidyTimer = this.#parts.clock.setTimer(TIDY_MS, () => {
      this.#armTidy();
      this.#tidy();
    });
  }

  /**
   * Replicas that nobody counts on any more are destroyed; but only when the group's leader itself confirms that neither
   * its committed nor its latest configuration names this node. A removed replica often cannot know by itself.
   *
   * Invariant: a replica that a leader counts is never emptied. Should the leader add this node again right after its
   * answer, its messages arrive here before the answer is acted upon (then nothing is destroyed: `messagesStepped` has
   * moved) or after it (then they meet a fresh replica, whose acknowledgements cover only what it really holds).
   */
  #tidy(): void {
    const { map } = this.store;
    if (map === null) return;
    for (const group of this.#parts.groups.groups()) {
      const wanted =
        group.id === SYSTEM_GROUP ? map.systemVoters : map.shards[shardOfGroup(group.id)]?.wanted;
      if (wanted === undefined || wanted.includes(this.#self) || group.isLeader) continue;
      this.#askWhetherCounted(group.id, wanted);
    }
  }

  #askWhetherCounted(group: GroupId, wanted: readonly NodeId[]): void {
    const hint = this.#parts.leaderHint(group);
    const target = hint !== null && hint !== this.#self ? hint : wanted.find((node) => node !== this.#self);
    const asked = this.#parts.groups.get(group);
    if (target === undefined || asked === undefined) return;
    const stepped = asked.messagesStepped;
    this.#parts.calls.call(target, METHOD_HOLDS, [group, this.#self], { timeoutMs: STATUS_TIMEOUT_MS }).then(
      (counted) => {
        const replica = this.#parts.groups.get(group);
        if (counted !== false || replica !== asked || replica.isLeader) return;
        if (replica.messagesStepped !== stepped) return;
        this.#parts.log(`group ${group}: this replica is no longer counted on and is closed`);
        this.#parts.groups.remove(group);
        this.#parts.onReplicaClosed(group);
      },
      () => {
        // Asked again with the next round.
      },
    );
  }

  /** true: yes or not known here; false: this node leads the group, and its committed configuration does not name `node`. */
  #stillCounts(params: unknown): boolean {
    if (!Array.isArray(params)) return true;
    const [group, node] = params as [number, NodeId];
    const replica = this.#parts.groups.get(groupId(group));
    if (replica === undefined || !replica.isReadyLeader) return true;
    const { raft } = replica;
    const settled = raft.snapshotMetadata(raft.applied).configuration;
    return isMember(settled, node) || isMember(raft.configuration, node) || isVoter(settled, node);
  }
}

/** Leaders before followers, then higher terms, then further logs. */
function betterReport(one: GroupReport, other: GroupReport): boolean {
  if (one.term !== other.term && one.isLeader && other.isLeader) return one.term > other.term;
  if (one.isLeader !== other.isLeader) return one.isLeader;
  if (one.term !== other.term) return one.term > other.term;
  return one.commitIndex > other.commitIndex;
}

function readJoinAnswer(value: unknown): ClusterMap {
  if (value instanceof Uint8Array) return decodeMap(value);
  throw new CremaError("CREMA_PROTOCOL", "the answer to a join is no cluster map");
}
