/**
 * The control plane of one node, put together: the map it knows, its share in the system group, the replicas it opens
 * and closes as the map says, what it tells others and what it does for the groups it leads.
 *
 * Gossip suggests, Raft decides: nothing here changes who may vote except through a committed configuration entry.
 */
import type { Address } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import {
  type BootNonce,
  type ClusterId,
  type GroupId,
  groupId,
  type NodeId,
  SYSTEM_GROUP,
  shardOfGroup,
} from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import type { Gossip } from "../host/gossip.ts";
import type { Calls } from "../host/links/calls.ts";
import type { PeerLinks } from "../host/links/peer-links.ts";
import type { MultiRaft } from "../host/multi-raft.ts";
import type { Clock, DamagedGroup, StoredGroup, StoredPast } from "../host/ports.ts";
import type { StateMachine } from "../host/state-machine.ts";
import type { Configuration } from "../raft/configuration.ts";
import type { RaftMessage } from "../raft/messages.ts";
import { Admission } from "./admission.ts";
import { decodeMap } from "./cluster-codec.ts";
import { type ClusterMap, findMember, type MemberIdentity } from "./cluster-map.ts";
import type { ControlOptions, GossipView } from "./controller.ts";
import type { FoundingValue } from "./founding.ts";
import { foundingMap } from "./founding-map.ts";
import { GroupLinks } from "./group-links.ts";
import type { GroupReport } from "./group-report.ts";
import { MapSpread } from "./map-spread.ts";
import { MapStore } from "./map-store.ts";
import { type RebalanceProgress, rebalanceProgress } from "./rebalance-progress.ts";
import { Recovery } from "./recovery.ts";
import { ReplicaDriver } from "./replica-driver.ts";
import { ReplicaTidier } from "./replica-tidier.ts";
import { ReportBoard } from "./report-board.ts";
import { ReportGathering } from "./report-gathering.ts";
import type { ShardMemberState, ShardSituation } from "./shard-steps.ts";
import { SystemGroup } from "./system-group.ts";
import { SystemLeader } from "./system-leader.ts";
import { SystemMachine } from "./system-machine.ts";

/** Pauses between the first candidacies of a group that was just founded. */
const FIRST_CAMPAIGNS_MS = [100, 200, 300] as const;
/** Pause before a node is drained again whose life the map does not know yet. */
const DRAIN_RETRY_MS = 100;

export interface ControlPlaneParts {
  readonly identity: () => MemberIdentity;
  /** The earlier lives of this node id; empty in memory mode. */
  readonly formerBoots: () => readonly BootNonce[];
  readonly clock: Clock;
  readonly random: Random;
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
  readonly recovery: Recovery;
  readonly #spread: MapSpread;
  readonly #leader: SystemLeader;
  readonly #admission: Admission;
  readonly #gathering: ReportGathering;
  readonly #tidier: ReplicaTidier;
  readonly #groupLinks: GroupLinks;
  #clusterId: ClusterId | null = null;
  #removed: ReadonlySet<NodeId> = new Set();
  #listed = false;
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
      mapVersion: () => this.map?.version ?? 0,
      onReport: () => this.#leader.look(),
    });
    this.#spread = new MapSpread({
      self,
      store: this.store,
      calls,
      clock,
      random: parts.random,
      gossip: parts.gossip,
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
    this.#admission = new Admission({
      calls,
      links: parts.links,
      clock,
      store: this.store,
      system: this.system,
    });
    this.#gathering = new ReportGathering(groups, calls, () => this.map?.version ?? 0);
    this.#tidier = new ReplicaTidier({
      self,
      groups,
      calls,
      clock,
      map: () => this.map,
      leaderHint: (group) => parts.leaderHint(group),
      onClosed: (group) => {
        parts.log(`group ${group}: this replica is no longer counted on and is closed`);
        parts.onReplicaClosed(group);
      },
    });
    this.recovery = new Recovery({
      self,
      clock,
      calls,
      groups,
      gossip: parts.gossip,
      system: this.system,
      map: () => this.map,
      force: (group) => groups.force(group, () => this.#machineFor(group)),
      log: parts.log,
    });
    this.#groupLinks = new GroupLinks({ self, groups, links: parts.links, clock });
    this.driver.start();
    this.#groupLinks.start();
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

  /**
   * `node` was a member and is none any more. What it says of groups is of no interest: before it was removed nobody counted on it,
   * or it was lost for good, and then it may believe in votes that count no more.
   */
  isRemoved(node: NodeId): boolean {
    return this.#removed.has(node);
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

  /**
   * Takes up an earlier life of this node id: its cluster, the replicas it held, the map it knew. Before the start, and
   * before anything else is opened: what is stored must never be founded a second time.
   */
  resume(past: StoredPast): void {
    const clusterId = past.node?.clusterId ?? null;
    if (clusterId === null) return;
    const known = past.node?.map == null ? null : decodeMap(past.node.map);
    refuseLoss(past.damaged, known, this.#self);
    this.#parts.groups.recall(past.tombstones);
    for (const damaged of past.damaged) this.#parts.groups.bury(damaged);
    this.#enterCluster(clusterId, false);
    let system: StoredGroup | null = null;
    for (const stored of past.groups) {
      if (stored.group === SYSTEM_GROUP) system = stored;
      else this.#parts.groups.reopen(stored, this.#parts.shardMachine(stored.group));
    }
    const machine = system === null ? null : this.#reopenSystem(system);
    if (system === null && known !== null) this.#refoundSystem(known);
    if (known !== null) this.store.offer(known);
    if (machine?.map != null) this.store.offer(machine.map);
  }

  /**
   * Tells the cluster that this node is back, in person or through the node at `address`, and learns the map that says so.
   * CREMA_REMOVED: the cluster went on without this node.
   */
  async comeBack(address: Address | null): Promise<void> {
    const identity = this.#parts.identity();
    const formerBoots = this.#parts.formerBoots();
    if (address === null) await this.#admission.add(identity, formerBoots);
    else this.store.offer(await this.#admission.ask(address, identity, formerBoots));
  }

  /** Asks the node at `address` to have this one admitted; resolves when the map lists it. */
  async join(address: Address): Promise<void> {
    const map = await this.#admission.ask(address, this.#parts.identity(), this.#parts.formerBoots());
    this.#enterCluster(map.clusterId, false);
    this.store.offer(map);
  }

  /** Marks `node` as draining; the rest follows from the map. CREMA_NO_LEADER, CREMA_ID_CONFLICT. */
  async drain(node: NodeId, timeoutMs: number): Promise<void> {
    try {
      await this.#markDraining(node, timeoutMs);
    } catch (error) {
      // It stays after all, and should the cluster go on without it, it has to hear that.
      if (node === this.#self) this.#leaving = false;
      throw error;
    }
    this.driver.lookAtAll();
  }

  async #markDraining(node: NodeId, timeoutMs: number): Promise<void> {
    const { clock } = this.#parts;
    const deadlineMs = clock.nowMs() + timeoutMs;
    for (;;) {
      const member = this.map === null ? null : findMember(this.map, node);
      if (member === null) return;
      if (node === this.#self) this.#leaving = true;
      const result = await this.system.propose(
        { type: "set-member-state", nodeId: node, boot: member.boot, state: "draining" },
        Math.max(1, deadlineMs - clock.nowMs()),
      );
      if (result.type === "applied" || result.reason === "unknown-member") return;
      // It restarted a moment ago, and the map that knows its new life is on its way here.
      if (result.reason !== "stale-boot" || clock.nowMs() >= deadlineMs) {
        throw new CremaError("CREMA_ID_CONFLICT", `node ${node} cannot be drained: ${result.message}`);
      }
      await new Promise<void>((resolve) => clock.setTimer(DRAIN_RETRY_MS, resolve));
    }
  }

  /**
   * Pauses or resumes moving replicas for the sake of balance; resolves with the version of the map that says so, once it is
   * committed. CREMA_NOT_READY, CREMA_NO_LEADER.
   */
  async setRebalancePaused(paused: boolean, timeoutMs: number): Promise<number> {
    const settings = { ...this.#knownMap().settings, rebalancePaused: paused };
    const result = await this.system.propose({ type: "set-settings", settings }, timeoutMs);
    if (result.type === "applied") return result.version;
    throw new CremaError("CREMA_NOT_READY", result.message, { retryable: true });
  }

  /** How far the replicas are from where they should be, as the whole cluster sees it now. CREMA_NOT_READY. */
  async rebalanceProgress(): Promise<RebalanceProgress> {
    this.#knownMap();
    const reports = await this.gatherReports();
    return rebalanceProgress({ map: this.#knownMap(), gossip: this.#gossipView(), reports });
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
      // Not only once it is ready: whoever led before may have told nobody, and what it has not applied yet it tells when it has.
      if (this.system.group?.isLeader === true && this.map !== null) this.#spread.announce(this.map, null);
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
      if (member !== null) this.#parts.links.setPeer(node, this.#whereabouts(member));
    }
    this.#groupLinks.look(group);
    this.driver.look(group);
    this.board.changed(group);
  }

  /** Gossip said something about some member. */
  gossipChanged(): void {
    this.#leader.look();
    this.driver.lookAtAll();
  }

  /** `node` speaks from `address`, perhaps sooner than the map can say so: the map may need that very node to change. */
  heardFrom(node: NodeId, address: Address, clusterId: ClusterId | null): void {
    if (clusterId === null || clusterId !== this.#clusterId || this.map?.removed.includes(node)) return;
    this.#parts.links.setPeer(node, address);
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

  /** What every living member says of the groups it holds: the best report of each. */
  gatherReports(): Promise<Map<GroupId, GroupReport>> {
    const members = this.map?.members ?? [];
    const others = members.filter(({ nodeId }) => nodeId !== this.#self && this.#isLiving(nodeId));
    return this.#gathering.gather(others.map(({ nodeId }) => nodeId));
  }

  close(): void {
    this.#closed = true;
    this.driver.close();
    this.#groupLinks.close();
    this.board.close();
    this.#spread.close();
    this.#leader.close();
    this.#tidier.close();
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

  /** The machine of a replica that begins with what this node knows, because nobody knows more. */
  #machineFor(group: GroupId): StateMachine<unknown> {
    return group === SYSTEM_GROUP ? this.#systemMachine(this.map) : this.#parts.shardMachine(group);
  }

  #systemMachine(initial: ClusterMap | null): SystemMachine {
    const machine = new SystemMachine(initial);
    machine.onMap = (map) => this.#mapDecided(map);
    return machine;
  }

  #openSystem(initial: ClusterMap | null, voters: readonly NodeId[]): void {
    this.#parts.groups.open(SYSTEM_GROUP, this.#systemMachine(initial), { voters });
    if (voters[0] === this.#self) this.#campaignSoon(SYSTEM_GROUP, 0);
  }

  /**
   * A founding whose decision was kept and whose system group was not: it had not written yet, or its first write was lost, so
   * this replica has promised nothing, and is what a founding one is. The founding map is version 1, and only founders see it.
   */
  #refoundSystem(map: ClusterMap): void {
    if (map.version !== 1 || !map.systemVoters.includes(this.#self)) return;
    if (this.#parts.groups.hasTombstone(SYSTEM_GROUP)) return;
    this.#openSystem(map, map.systemVoters);
  }

  #reopenSystem(stored: StoredGroup): SystemMachine {
    const machine = new SystemMachine(null);
    this.#parts.groups.reopen(stored, machine);
    machine.onMap = (map) => this.#mapDecided(map);
    return machine;
  }

  #mapDecided(map: ClusterMap): void {
    const previous = this.map;
    if (this.store.offer(map) && this.system.group?.isLeader === true) this.#spread.announce(map, previous);
  }

  #openShard(group: GroupId, voters: readonly NodeId[]): void {
    if (this.#parts.groups.get(group) !== undefined) return;
    this.#parts.groups.open(group, this.#parts.shardMachine(group), { voters });
  }

  #mapChanged(map: ClusterMap, previous: ClusterMap | null): void {
    const { links, gossip } = this.#parts;
    if (map.removed !== previous?.removed) this.#removed = new Set(map.removed);
    for (const member of map.members) links.setPeer(member.nodeId, this.#whereabouts(member));
    for (const { nodeId } of previous?.members ?? []) {
      if (findMember(map, nodeId) !== null) continue;
      links.removePeer(nodeId);
      gossip.forget(nodeId);
    }
    const listed = findMember(map, this.#self) !== null;
    const lost = this.#listed && !listed;
    this.#listed = listed;
    if (listed) this.#foundShards(map);
    if (previous !== null && map.placementVersion > previous.placementVersion) this.board.repeatAll();
    this.driver.lookAtAll();
    this.#leader.look();
    this.#parts.onMap(map, previous);
    this.#spread.catchUp();
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
    if (map === null || this.#spread.isBehind) return null;
    const wanted = group === SYSTEM_GROUP ? map.systemVoters : map.shards[shardOfGroup(group)]?.wanted;
    if (wanted === undefined) return null;
    return { wanted, memberStates: { get: (node) => this.#memberState(map, node) } };
  }

  #memberState(map: ClusterMap, node: NodeId): ShardMemberState | undefined {
    const state = findMember(map, node)?.state;
    if (state === undefined) return undefined;
    const member = this.#parts.gossip.member(node);
    const gossiped = member?.state;
    if (state === "dead" || gossiped === "dead" || gossiped === "left") return "dead";
    if (state === "draining") return "draining";
    if (gossiped === "suspect") return "suspect";
    return member?.meta.reluctant === true ? "reluctant" : "alive";
  }

  #gossipView(): ReadonlyMap<NodeId, GossipView> {
    const view = new Map<NodeId, GossipView>();
    for (const { id, state, stateChangedAtMs, meta, address } of this.#parts.gossip.members()) {
      view.set(id, { state, sinceMs: stateChangedAtMs, boot: meta.nonce, address });
    }
    return view;
  }

  /** Where a member is dialled: where gossip has heard it alive, else where the map says. The handshake proves who is there. */
  #whereabouts({ nodeId, address }: MemberIdentity): Address {
    const heard = this.#parts.gossip.member(nodeId);
    return heard?.state === "alive" && heard.meta.clusterId === this.#clusterId ? heard.address : address;
  }

  #knownMap(): ClusterMap {
    if (this.map !== null) return this.map;
    throw new CremaError("CREMA_NOT_READY", "this node has no cluster map yet", { retryable: true });
  }

  #isLiving(node: NodeId): boolean {
    const state = this.#parts.gossip.member(node)?.state;
    return state !== "dead" && state !== "left";
  }

  #systemCandidates(): readonly NodeId[] {
    const hint = this.#parts.leaderHint(SYSTEM_GROUP);
    const voters = this.map?.systemVoters ?? [];
    return hint === null ? voters : [hint, ...voters.filter((node) => node !== hint)];
  }
}

/** What is damaged here can be filled again from elsewhere, unless there is no elsewhere. */
function refuseLoss(damaged: readonly DamagedGroup[], map: ClusterMap | null, self: NodeId): void {
  const [first] = damaged;
  const others = map?.members.filter(({ nodeId }) => nodeId !== self).length ?? 0;
  if (first === undefined || others > 0) return;
  throw new CremaError(
    "CREMA_STORE_DAMAGED",
    `group ${first.group} is damaged, and this node is the only member of its cluster: ${first.what}`,
  );
}
