/**
 * One node of a cluster, whole, on ports: what the simulator runs and what `open-node.ts` plugs sockets into.
 * It connects the rooms; what each does is in the room.
 */
import { type Address, formatAddress, parseAddress, sameAddress } from "../base/address.ts";
import { assert } from "../base/assert.ts";
import { CremaError } from "../base/errors.ts";
import {
  type BootNonce,
  type ClusterId,
  type GroupId,
  groupId,
  groupOfShard,
  type NodeId,
  randomBootNonce,
  randomNodeId,
  type ShardId,
  SYSTEM_GROUP,
  shardId,
  shardOfGroup,
} from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import { type ClusterMap, findMember, type MemberIdentity } from "../cluster/cluster-map.ts";
import { ControlPlane } from "../cluster/control-plane.ts";
import { DEFAULT_CONTROL_OPTIONS } from "../cluster/controller.ts";
import { decodeAcceptorState } from "../cluster/founding-codec.ts";
import { Joining } from "../cluster/joining.ts";
import { NodeMemory } from "../cluster/node-memory.ts";
import { Returning } from "../cluster/returning.ts";
import { Background } from "../host/background.ts";
import { Gossip } from "../host/gossip.ts";
import { Bulk } from "../host/links/bulk.ts";
import { Calls } from "../host/links/calls.ts";
import { PeerLinks } from "../host/links/peer-links.ts";
import { MultiRaft, type Standing } from "../host/multi-raft.ts";
import { DEFAULT_HOST_OPTIONS, type HostOptions } from "../host/options.ts";
import type { Clock, Datagrams, LogStore, Resolver, StoredPast, Streams, Timer } from "../host/ports.ts";
import type { HostProbe } from "../host/probe.ts";
import { SnapshotTransfer } from "../host/snapshot-transfer.ts";
import type { KeyHash } from "../placement/key-hash.ts";
import { isVoter } from "../raft/configuration.ts";
import { resolveRaftOptions } from "../raft/options.ts";
import type { Leadership } from "../raft/ready.ts";
import { resolveSwimOptions } from "../swim/options.ts";
import { FRAME_RAFT, FRAME_REQUESTS, FRAME_RESPONSES, FRAME_WATCH } from "../wire/frame-types.ts";
import { type Identity, PROTOCOL_MAX, PROTOCOL_MIN } from "../wire/handshake-codec.ts";
import { Backups } from "./backups.ts";
import { CacheApi } from "./cache-api.ts";
import { Capacity } from "./capacity/capacity.ts";
import { ClusterView } from "./cluster-view.ts";
import { depart } from "./departure.ts";
import { Dissolution } from "./dissolution.ts";
import type { NodeEvent } from "./door.ts";
import { formerAddress, formerSelfAt } from "./former-self.ts";
import { Forwarding } from "./forwarding.ts";
import { hearGossip } from "./gossip-ear.ts";
import { quorumLoss } from "./group-quorum.ts";
import { LeaderGossip } from "./leader-gossip.ts";
import { LeaderTable } from "./leader-table.ts";
import { NodeEvents } from "./node-events.ts";
import { collectMetrics } from "./node-metrics.ts";
import { type NodeOptions, parseSeed } from "./options.ts";
import { notReadyReason, ReadinessWatch } from "./readiness.ts";
import { Rebalancing } from "./rebalancing.ts";
import { Router } from "./router.ts";
import { ShardMachine } from "./shard-machine.ts";
import { ShardMoves } from "./shard-moves.ts";
import { ShardService } from "./shard-service.ts";
import { NodeStanding } from "./standing.ts";
import { Watches } from "./watches.ts";

/** How often expired keys are looked for on the shards led here. */
const EXPIRY_SWEEP_MS = 100;
/** How often gossip is asked again who leads a group of which nobody is known to. */
const RECALL_MS = 1_000;
/** How long leaderships may take to go elsewhere when a durable node stops. */
const HAND_OVER_MS_MAX = 5_000;
/** How often something is looked at that this node waits for. */
const POLL_MS = 20;

/** What the world gives to a node. */
export interface NodePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly datagrams: Datagrams;
  readonly streams: Streams;
  readonly resolver: Resolver;
  readonly store: LogStore;
  /** What `store.load()` answered: this node is the one it tells of. Absent, or without a node in it: a new node. */
  readonly past?: StoredPast;
  readonly keyHash: KeyHash;
  /** Default: {@link DEFAULT_HOST_OPTIONS}. Simulations keep logs short, so that checkpoints and snapshots are common. */
  readonly host?: Partial<HostOptions>;
  /** Who listens. Default: listeners of its own. */
  readonly events?: NodeEvents;
  /** Hears from inside what decides safety. Default: nobody. */
  readonly probe?: HostProbe;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export class ClusterNode {
  readonly nodeId: NodeId;
  readonly boot: BootNonce;
  readonly options: NodeOptions;
  readonly clock: Clock;
  readonly router: Router;
  readonly cache: CacheApi;
  readonly watches: Watches;
  readonly events: NodeEvents;
  readonly groups: MultiRaft;
  readonly shards: ShardService;
  readonly capacity: Capacity;
  readonly control: ControlPlane;
  readonly gossip: Gossip;
  readonly links: PeerLinks;
  readonly leaders: LeaderTable;
  readonly forwarding: Forwarding;
  readonly bulk: Bulk;
  readonly transfers: SnapshotTransfer;
  readonly backups: Backups;
  readonly view: ClusterView;
  readonly moves = new ShardMoves(this);
  readonly rebalancing: Rebalancing;
  /** For people; set by whoever runs the node. */
  readonly log: (level: LogLevel, message: string) => void;
  /** What this node must remember of itself could not be kept: it has to be started again, when its store can write. */
  storeFailure: Error | null = null;
  readonly standing = new NodeStanding(
    (standing) => this.#stand(standing),
    (event) => this.events.emit(event),
  );
  /** The cluster map listed this node once and does not any more, though it did not leave. */
  removed = false;
  /** A member of another cluster was met, and this node's own is empty: it should be given up for theirs. */
  onGiveUp: (address: Address) => void = () => {};
  /** The cluster went on without this node, under whose id nothing may happen any more. Its members are at `addresses`. */
  onRemoved: (addresses: readonly Address[]) => void = () => {};
  /**
   * The cluster map says that another process is this node now, one that is no earlier life of it: their disks are copies of each
   * other, or this one is an old state. This node has closed itself, for two that vote under one id can undo each other's word.
   */
  onDisplaced: (reason: string) => void = () => {};
  /** The cluster map says that this node is to leave, and it was not this node's own idea. */
  onDrainAsked: () => void = () => {};
  /** Gossip has said this node's farewell often enough. */
  farewellSpread = false;
  readonly #ports: NodePorts;
  readonly #background: Background;
  readonly #calls: Calls;
  readonly #memory: NodeMemory;
  #enteredAtMs = Number.NEGATIVE_INFINITY;
  readonly #joining: Joining;
  readonly #returning: Returning;
  readonly #leaderGossip: LeaderGossip;
  readonly #dissolution: Dissolution;
  readonly #address: Address;
  /** Addresses behind the configured seeds, as last resolved. */
  #seedAddresses: readonly Address[] = [];
  #respPort = 0;
  #httpPort = 0;
  #sweepTimer: Timer | null = null;
  #leaving = false;
  #stopping = false;
  #closed = false;
  /** Its next life will know of this one: it may tell others of itself. */
  #entered = false;
  readonly #readiness = new ReadinessWatch(this);
  #recalledAtMs = 0;

  constructor(ports: NodePorts, options: NodeOptions, log: (level: LogLevel, message: string) => void) {
    const { clock, random } = ports;
    this.#ports = ports;
    this.log = log;
    this.options = options;
    this.clock = clock;
    const past = ports.past?.node ?? null;
    this.nodeId = past?.nodeId ?? randomNodeId(random);
    this.boot = randomBootNonce(random);
    ports.store.onFailed = (error) => {
      this.storeFailure = error;
      log("error", `the store takes no more: ${error.message}`);
    };
    this.#memory = new NodeMemory(ports.store, this, past);
    this.#address = advertised(options, ports.streams.local);
    this.events =
      ports.events ?? new NodeEvents((error) => log("error", `an event listener failed: ${String(error)}`));
    this.links = new PeerLinks({
      clock,
      streams: ports.streams,
      random: random.fork(),
      identity: () => this.#linkIdentity(),
    });
    this.#calls = new Calls(this.links);
    this.#calls.onHandlerFailure = (method, error) => log("error", `call ${method} failed: ${String(error)}`);
    this.#background = new Background(clock);
    this.bulk = new Bulk(this.links, this.#background);
    if (options.snapshotBytesPerSecondMax > 0)
      this.bulk.bytesPerSecondMax = options.snapshotBytesPerSecondMax;
    this.groups = this.#openGroups(random.fork());
    this.shards = new ShardService(this.groups);
    this.capacity = this.#openCapacity();
    this.leaders = new LeaderTable((group) => {
      this.router.routeChanged(group);
      if (group === SYSTEM_GROUP) this.control.systemLeaderChanged();
    });
    this.forwarding = new Forwarding(this.shards, this.leaders);
    this.gossip = this.#openGossip(random.fork());
    this.#leaderGossip = new LeaderGossip(this.gossip, clock, this.nodeId);
    this.control = this.#openControl(random.fork());
    this.view = new ClusterView(this);
    this.rebalancing = new Rebalancing(this, this.#calls);
    this.#dissolution = new Dissolution(this, random.fork());
    this.router = new Router(
      {
        self: this.nodeId,
        boot: this.boot,
        shards: this.shards,
        leaders: this.leaders,
        forwarding: this.forwarding,
        shardCount: () => this.control.map?.shardCount ?? null,
        hash: (key, shards) => ports.keyHash.shardOf(key, shards),
        replicas: (shard) => this.#replicas(shard),
        channel: (node) => this.links.channel(node),
        leaderSilent: (shard, node) => this.#leaderSilent(shard, node),
        quorumLoss: (shard) => quorumLoss(this, groupOfShard(shard)),
      },
      clock,
      random.fork(),
    );
    this.cache = new CacheApi(this.router, options);
    this.watches = new Watches({
      self: this.nodeId,
      clock,
      shards: this.shards,
      shardCount: () => this.router.shardCount,
      replicas: (shard) => this.#replicas(shard),
      channel: (node) => this.links.channel(node),
    });
    this.transfers = new SnapshotTransfer({
      groups: this.groups,
      bulk: this.bulk,
      background: this.#background,
      addressOf: (node) => this.links.addressOf(node),
      admit: (group) => {
        if (this.groups.get(group) === undefined) this.control.openFor(group, { type: "install-snapshot" });
        return this.groups.get(group) ?? null;
      },
      onFailed: (group, node, error) => {
        // It waits for its turn among the streams of this node.
        const isBusy = error instanceof CremaError && error.code === "CREMA_BUSY";
        log(isBusy ? "debug" : "warn", `snapshot of group ${group} to ${node} failed: ${String(error)}`);
      },
    });
    this.backups = this.#openBackups();
    this.#joining = new Joining({
      identity: () => this.identity(),
      seeds: options.seeds.map(parseSeed),
      options,
      clock,
      random: random.fork(),
      resolver: ports.resolver,
      calls: this.#calls,
      control: this.control,
      acceptor: past?.founding == null ? null : decodeAcceptorState(past.founding),
      keepPromise: ports.store.durable ? (state) => this.#memory.promised(state) : null,
      members: () => this.#metMembers(),
      onSeedsResolved: (addresses) => this.#seedsResolved(addresses),
      onReport: (report) => this.#reported(report),
      onRefusedForEver: (address) => this.#outcast([address]),
    });
    this.#returning = new Returning({
      identity: () => this.identity(),
      control: this.control,
      clock,
      random: random.fork(),
      addresses: () => this.#memberAddresses(),
      onRemoved: (address) => this.#outcast(address === null ? this.#memberAddresses() : [address]),
      onReport: (level, message) => log(level, message),
    });
    this.#route();
  }

  /** Begins, unless this node lives elsewhere already. @see former-self.ts */
  start(): void {
    const former = formerAddress(this.#ports.past, this.nodeId);
    if (former === null || sameAddress(former, this.#address)) {
      this.#begin();
      return;
    }
    void formerSelfAt(former, this.#calls).then((conflict) => {
      if (this.#closed) return;
      if (conflict === null) this.#begin();
      else this.#displaced(conflict);
    });
  }

  /** What an earlier life left, ticks, gossip, and the way into a cluster or back into it. */
  #begin(): void {
    const born = this.#memory.born();
    if (this.#ports.past !== undefined) this.control.resume(this.#ports.past);
    if (this.#closed) return;
    this.#ports.store.onStall = (reason) => {
      if (!this.#closed) this.standing.spaceChanged(reason);
    };
    for (const { group, what } of this.#ports.past?.damaged ?? [])
      this.events.emit({ type: "store-damaged", group, reason: what });
    const isBack = this.clusterId !== null;
    this.groups.start();
    if (isBack) this.gossip.join(this.#memberAddresses());
    // The next life must know of this one before anybody else does, or it would be taken for a stranger with our id.
    if (this.#memory.durable) void born.then(() => this.#enter(isBack));
    else this.#enter(isBack);
    const sweep = (): void => {
      this.#sweepTimer = this.clock.setTimer(EXPIRY_SWEEP_MS, sweep);
      this.shards.sweepExpired();
      this.capacity.sweep();
      this.moves.look();
      this.#checkReadiness();
    };
    this.#sweepTimer = this.clock.setTimer(EXPIRY_SWEEP_MS, sweep);
  }

  /** Seeks a cluster, or tells the one it belongs to that it is back. */
  #enter(isBack: boolean): void {
    if (this.#closed) return;
    this.#entered = true;
    this.#joining.start();
    if (isBack) this.#returning.start();
  }

  get address(): Address {
    return this.#address;
  }

  /** The port of the cluster address on this machine. */
  get boundPort(): number {
    return this.#ports.streams.local.port;
  }

  get clusterId(): ClusterId | null {
    return this.control.clusterId;
  }

  get leaving(): boolean {
    return this.#leaving || this.#stopping;
  }

  /** What it is told outlives the process. */
  get durable(): boolean {
    return this.#ports.store.durable;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** When this process became part of its cluster, on the monotonic clock: before that nobody minded what it believed of others. */
  get enteredAtMs(): number {
    return this.#enteredAtMs;
  }

  /** What the store has done; empty in memory mode. */
  storeCounters(): Readonly<Record<string, number>> {
    return this.#ports.store.counters();
  }

  identity(): MemberIdentity {
    const { name, zone, weight } = this.options;
    return {
      nodeId: this.nodeId,
      boot: this.boot,
      address: this.#address,
      name: name === "" ? formatAddress(this.#address) : name,
      zone,
      weight,
      respPort: this.#respPort,
      httpPort: this.#httpPort,
    };
  }

  /** The doors for users are open at these ports (0 = closed). Before `start`. */
  doorsOpened(respPort: number, httpPort: number): void {
    this.#respPort = respPort;
    this.#httpPort = httpPort;
    this.gossip.updateMeta({ respPort, httpPort });
  }

  /** What stands between this node and a cluster, for people. */
  get waitingFor(): string {
    return this.#joining.waitingFor;
  }

  /** Why this node cannot serve now, for people; null when it can. */
  notReadyReason(): string | null {
    return notReadyReason(this);
  }

  /**
   * The leader of `group` as far as this node knows. A voter believes its own replica, which notices when the leader is
   * gone, unless it has heard of a later term; everybody else believes hints, but none that names a dead node.
   */
  leaderOf(group: GroupId): NodeId | null {
    const replica = this.groups.get(group);
    if (replica?.isLeader === true) return this.nodeId;
    const hint = this.leaders.get(group);
    if (replica !== undefined && isVoter(replica.raft.configuration, this.nodeId)) {
      if (replica.raft.term >= hint.term) return replica.raft.leader;
    }
    if (hint.leader === null || hint.leader === this.nodeId) return null;
    const state = this.gossip.member(hint.leader)?.state;
    return state === "dead" || state === "left" ? null : hint.leader;
  }

  /** Two clusters never merge. The one exception is an empty one. @see Dissolution */
  foreignClusterMet(address: Address, clusterId: ClusterId): void {
    if (this.#closed) return;
    this.events.emit({ type: "cluster-conflict", address, clusterId });
    if (!this.#leaving && this.#dissolution.shouldGiveUp()) this.onGiveUp(address);
  }

  /** Resolves when `condition` holds; CREMA_TIMEOUT-like errors are the caller's to word. False when time ran out. */
  waitFor(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadlineMs = this.clock.nowMs() + timeoutMs;
    return new Promise((resolve) => {
      const check = (): void => {
        if (condition()) resolve(true);
        else if (this.clock.nowMs() >= deadlineMs) resolve(false);
        else this.clock.setTimer(POLL_MS, check);
      };
      check();
    });
  }

  /** Adds seeds and tries them at once; resolves when this node belongs to a cluster. */
  async join(seeds: readonly Address[], timeoutMs: number): Promise<void> {
    this.#joining.addSeeds(seeds);
    if (await this.waitFor(() => this.control.isListed || this.#closed, timeoutMs)) return;
    throw new CremaError("CREMA_TIMEOUT", `no cluster could be joined: ${this.#joining.waitingFor}`, {
      retryable: true,
    });
  }

  /**
   * Drains this node within the budget: leaderships and replicas go elsewhere, the map forgets it, then `closeDoors`
   * lets the clients go while requests can still be forwarded.
   */
  async leave(closeDoors: () => Promise<void>): Promise<void> {
    if (this.#leaving || this.#closed) return;
    this.#leaving = true;
    this.#background.hurry();
    this.#returning.close();
    this.events.emit({ type: "leaving" });
    await depart(this, closeDoors, () => this.farewellSpread);
  }

  /**
   * Stops for a while: leaderships go elsewhere, `closeDoors` lets the clients go, and the node closes. It stays a member, and its
   * disk stays what it is.
   */
  async stop(closeDoors: () => Promise<void>): Promise<void> {
    if (this.#leaving || this.#stopping || this.#closed) return;
    this.#stopping = true;
    this.events.emit({ type: "stopping" });
    this.standing.stops();
    const leads = (): boolean => [...this.groups.groups()].some(({ isLeader }) => isLeader);
    const budgetMs = Math.min(HAND_OVER_MS_MAX, this.options.drainTimeoutMs);
    if (budgetMs > 0 && !this.#isAlone()) await this.waitFor(() => !leads(), budgetMs);
    await closeDoors();
    await this.close();
  }

  /** Stops at once. What waits fails with CREMA_CLOSED. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#sweepTimer?.cancel();
    this.#joining.close();
    this.#returning.close();
    this.router.close();
    this.watches.close();
    this.control.close();
    this.#leaderGossip.close();
    this.gossip.close();
    this.groups.close();
    this.#calls.close();
    this.bulk.close();
    this.links.close();
    await this.#ports.streams.close();
    await this.#ports.datagrams.close();
    await this.#ports.store.close();
  }

  metrics(): ReturnType<typeof collectMetrics> {
    return collectMetrics(this);
  }

  #openGroups(random: Random): MultiRaft {
    return new MultiRaft({
      self: this.nodeId,
      clock: this.clock,
      background: this.#background,
      random,
      store: this.#ports.store,
      transport: {
        beginFrame: (node, light) => this.links.channel(node)?.beginFrame(FRAME_RAFT, light) ?? null,
        endFrame: (node) => this.links.channel(node)?.endFrame(),
        awaitFlush: () => this.links.awaitWriter(),
        flush: () => this.links.flush(),
        lastHeardMs: (node) => this.links.lastHeardMs(node),
        ask: (node) => this.links.ask(node),
      },
      raftOptions: resolveRaftOptions({ electionTimeoutTicks: this.options.electionTimeoutTicks }),
      options: {
        ...DEFAULT_HOST_OPTIONS,
        checkpointLogBytes: this.options.checkpointLogBytes,
        checkpointIntervalMs: this.options.checkpointIntervalMs,
        ...this.#ports.host,
        tickMs: this.options.tickMs,
      },
      events: {
        onLeadership: (group, leadership) => this.#leadershipChanged(group, leadership),
        onConfiguration: (group, configuration) => {
          this.control.configurationChanged(group, configuration);
          this.moves.configurationChanged(group);
          const { voters, votersOutgoing, learners } = configuration;
          this.events.emit({ type: "configuration-changed", group, voters, votersOutgoing, learners });
        },
        onSnapshotWanted: (group, node) => this.transfers.send(group, node),
        onUnknownGroup: (group, _from, message) => this.control.openFor(group, message),
        onSilent: (node) => {
          this.log("debug", `nothing is heard from ${node}`);
          this.links.doubt(node);
          this.gossip.probeNow(node);
        },
        onGroupFailed: (group, error) =>
          this.log("error", `group ${group} stopped on this node: ${describe(error)}`),
        onCheckpoint: (taken) => this.events.emit({ type: "checkpoint-taken", ...taken }),
        onCheckpointFailed: (group, error) =>
          this.log("warn", `no checkpoint of group ${group}, it is tried again: ${error.message}`),
        onStoreStalled: (stalled) => this.standing.stallChanged(stalled),
      },
      probe: this.#ports.probe,
    });
  }

  /** After the transfers of snapshots, whose streams it tells from its own. */
  #openBackups(): Backups {
    const backups = new Backups({
      self: this.nodeId,
      clock: this.clock,
      background: this.#background,
      shards: this.shards,
      calls: this.#calls,
      bulk: this.bulk,
      leaderOf: (group) => this.leaderOf(group),
      shardCount: () => this.router.shardCount,
      clusterId: () => this.clusterId,
      onFailed: (shard, node, error) =>
        this.log("warn", `backup of shard ${shard} for ${node} failed: ${String(error)}`),
    });
    const snapshots = this.bulk.onIncoming;
    this.bulk.onIncoming = (header, from) => backups.incoming(header, from) ?? snapshots(header, from);
    return backups;
  }

  #openCapacity(): Capacity {
    const { clock, options, shards } = this;
    const capacity = new Capacity({
      self: this.nodeId,
      clock,
      options,
      shards,
      calls: this.#calls,
      groups: () => this.groups.groups(),
      leaderOf: (shard) => this.leaderOf(groupOfShard(shard)),
      emit: (event) => this.events.emit(event),
    });
    shards.gate = capacity.gate;
    if (capacity.meter !== null) shards.onLocalRead = (shard, query) => capacity.readHere(shard, query);
    return capacity;
  }

  #openGossip(random: Random): Gossip {
    const identity = this.identity();
    return new Gossip({
      meta: {
        id: this.nodeId,
        nonce: this.boot,
        address: identity.address,
        respPort: identity.respPort,
        httpPort: identity.httpPort,
        name: identity.name,
        zone: identity.zone,
        weight: identity.weight,
        protocolMin: PROTOCOL_MIN,
        protocolMax: PROTOCOL_MAX,
        clusterId: null,
        reluctant: false,
      },
      options: resolveSwimOptions({}, this.options.gossip),
      clock: this.clock,
      random,
      datagrams: this.#ports.datagrams,
      calls: this.#calls,
      onEvent: (event) => hearGossip(this, this.#leaderGossip, event),
    });
  }

  #openControl(random: Random): ControlPlane {
    return new ControlPlane({
      identity: () => this.identity(),
      formerBoots: () => this.#memory.formerBoots,
      clock: this.clock,
      random,
      groups: this.groups,
      links: this.links,
      calls: this.#calls,
      gossip: this.gossip,
      options: {
        ...DEFAULT_CONTROL_OPTIONS,
        deadGraceMs: this.options.deadGraceMs,
        movesMax: this.options.rebalanceMovesMax,
      },
      shardMachine: (group) => this.#newMachine(shardOfGroup(group)),
      leaderHint: (group) => this.leaderOf(group),
      onMap: (map, previous) => this.#mapChanged(map, previous),
      onCluster: (clusterId, founded) => {
        this.#enteredAtMs = this.clock.nowMs();
        this.#memory.entered(clusterId);
        this.links.identityChanged();
        this.gossip.updateMeta({ clusterId });
        this.events.emit({ type: founded ? "founded" : "joined", clusterId });
        if (founded && this.#joining.hasSeeds) this.events.emit({ type: "cold-start", clusterId });
      },
      onRemoved: () => this.#outcast((this.control.map?.members ?? []).map(({ address }) => address)),
      onReplicaClosed: (group) => {
        if (group !== SYSTEM_GROUP) this.watches.onReplicaChanged(shardOfGroup(group));
      },
      log: (text) => this.log("debug", text),
    });
  }

  /** No other member lives: there is nobody to hand anything over to. */
  #isAlone(): boolean {
    const others = this.control.map?.members.filter(({ nodeId }) => nodeId !== this.nodeId) ?? [];
    return !others.some(({ nodeId }) => this.gossip.member(nodeId)?.state === "alive");
  }

  #newMachine(shard: ShardId): ShardMachine {
    const machine = new ShardMachine(this.capacity.meter);
    machine.onChange = (change) => this.watches.onLocalChange(shard, change);
    machine.onReplaced = () => this.watches.onReplicaChanged(shard);
    if (this.capacity.limits.isLimited) machine.onHolding = () => this.capacity.changed(shard, machine.cache);
    return machine;
  }

  /** Connects the frames of the links with those who read them. */
  #route(): void {
    const { links } = this;
    links.setRoute(FRAME_RAFT, (channel, body) => {
      const { node } = channel.remote;
      if (!this.control.isRemoved(node)) this.groups.receiveFrame(node, body);
    });
    links.setRoute(FRAME_REQUESTS, (channel, body) => this.forwarding.onRequestFrame(channel, body));
    links.setRoute(FRAME_RESPONSES, (channel, body) => this.forwarding.onResponseFrame(channel, body));
    links.setRoute(FRAME_WATCH, (channel, body) => this.watches.onFrame(channel, body));
    links.addCloseListener((channel) => {
      this.forwarding.channelClosed(channel);
      this.watches.channelClosed(channel);
    });
    links.onUp = (node) => {
      for (const [group, hint] of this.leaders.entries())
        if (hint.leader === node) this.router.routeChanged(group);
    };
    links.onLost = (remote, error) => {
      this.log("debug", `the link with ${remote.node} broke: ${error.message}`);
      this.groups.peerSuspected(remote.node);
      this.gossip.probeNow(remote.node);
    };
    links.onForeignCluster = (remote) => {
      if (remote.clusterId === null) return;
      this.foreignClusterMet(remote.address, remote.clusterId);
    };
  }

  /** What this node does as a leader, and what the others need to know of that. */
  #stand(standing: Standing): void {
    this.groups.setStanding(standing);
    this.gossip.updateMeta({ reluctant: standing !== "leads" });
  }

  #leadershipChanged(group: GroupId, leadership: Leadership): void {
    const { leader, term, role } = leadership;
    if (role === "leader") this.#leaderGossip.announce(group, term);
    else this.#leaderGossip.retract(group);
    if (!this.leaders.learn(group, leader, term)) this.router.routeChanged(group);
    this.control.leadershipChanged(group);
    this.moves.leadershipChanged(group);
    this.events.emit({ type: "leader-changed", group, leader, term });
  }

  /**
   * A sleeping group hears no heartbeats and would not miss a leader that lost its power: wake it, and ask gossip. Or the
   * leader lives, and the link to it is half open.
   */
  #leaderSilent(shard: ShardId, leader: NodeId): void {
    const replica = this.shards.group(shard);
    if (replica !== undefined) {
      replica.raft.wake();
      this.groups.markDirty(replica.id);
    }
    if (leader === this.nodeId) return;
    this.links.doubt(leader);
    this.gossip.probeNow(leader);
  }

  #outcast(members: readonly Address[]): void {
    if (this.removed || this.#closed) return;
    this.removed = true;
    this.log("warn", "the cluster gave this node up for dead and removed it");
    this.onRemoved(members);
  }

  /** Whether `boot` is this life or an earlier one. */
  #hasBeen(boot: BootNonce): boolean {
    return boot === this.boot || this.#memory.formerBoots.includes(boot);
  }

  #displaced(by: string): void {
    if (this.#closed) return;
    const reason = `${by}: what is stored here is a copy of its disk, or an old state of it`;
    this.log("error", reason);
    void this.close();
    this.onDisplaced(reason);
  }

  /** Gossip looks for members behind the seeds; a node with a past also where the map knows them. */
  #seedsResolved(addresses: readonly Address[]): void {
    this.#seedAddresses = addresses;
    this.gossip.join(this.#ports.past?.node == null ? addresses : this.#memberAddresses());
  }

  /** Whom gossip has met alive, and who belongs to a cluster. */
  #metMembers(): readonly Address[] {
    return this.gossip
      .members()
      .filter(({ id, state, meta }) => id !== this.nodeId && state === "alive" && meta.clusterId !== null)
      .map(({ address }) => address);
  }

  /** Where other members may be: seeds first, then those that gossip has met, then those of the map. */
  #memberAddresses(): readonly Address[] {
    const found = new Map<string, Address>();
    const add = (address: Address): void => void found.set(formatAddress(address), address);
    for (const address of this.#seedAddresses) add(address);
    for (const { id, state, address } of this.gossip.members())
      if (id !== this.nodeId && state === "alive") add(address);
    for (const { nodeId, address } of this.control.map?.members ?? [])
      if (nodeId !== this.nodeId) add(address);
    found.delete(formatAddress(this.#address));
    return [...found.values()];
  }

  #mapChanged(map: ClusterMap, previous: ClusterMap | null): void {
    this.#memory.learned(map);
    this.moves.mapChanged(map);
    this.events.emit({ type: "map-changed", version: map.version });
    const listed = findMember(map, this.nodeId);
    if (listed !== null && !this.#hasBeen(listed.boot)) {
      const { boot, address } = listed;
      this.#displaced(
        `node id ${this.nodeId} is held by another process, ${boot} at ${formatAddress(address)}`,
      );
      return;
    }
    if (this.#entered && listed !== null && listed.boot !== this.boot) this.#returning.start();
    // Of an earlier life of this node it was asked in vain: whoever started it again wants it to stay.
    if (listed?.state === "draining" && listed.boot === this.boot && !this.#leaving) this.onDrainAsked();
    if (previous === null)
      for (let shard = 0; shard < map.shardCount; shard++) this.router.routeChanged(groupId(shard + 1));
  }

  #reported(
    event: NodeEvent | { readonly type: "log"; readonly level: LogLevel; readonly message: string },
  ): void {
    if (event.type === "log") this.log(event.level, event.message);
    else this.events.emit(event);
  }

  /**
   * A leader that was doubted (it refused once, or its link broke) is believed again after a while if nobody was heard of
   * since: a node that serves no requests would never find out otherwise, and would stay not ready.
   */
  #recallLeaders(): void {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.#recalledAtMs < RECALL_MS) return;
    this.#recalledAtMs = nowMs;
    const shards = this.control.map?.shardCount ?? 0;
    for (let group = 0; group <= shards; group++) {
      const id = groupId(group);
      if (this.leaders.get(id).leader !== null || quorumLoss(this, id) !== null) continue;
      const hint = this.#leaderGossip.recall(id);
      if (hint !== null) this.leaders.learn(id, hint.leader, hint.term);
    }
  }

  #checkReadiness(): void {
    this.#recallLeaders();
    const ready = this.#readiness.change();
    if (ready !== null) this.events.emit({ type: ready ? "ready" : "not-ready" });
  }

  #replicas(shard: ShardId): readonly NodeId[] {
    return this.control.map?.shards[shardId(shard)]?.wanted ?? [];
  }

  #linkIdentity(): Identity {
    return {
      node: this.nodeId,
      boot: this.boot,
      clusterId: this.control?.clusterId ?? null,
      address: this.#address,
    };
  }
}

function advertised(options: NodeOptions, bound: Address): Address {
  if (options.advertise === null) return bound;
  const address = parseAddress(options.advertise, bound.port);
  assert(address !== null, "options were resolved", { advertise: options.advertise });
  return address;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
