/**
 * The composition root: plugs sockets, clocks and doors into a node. The only place where all rooms meet.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Address, formatAddress } from "./base/address.ts";
import { CremaError } from "./base/errors.ts";
import { parseFsync } from "./base/fsync-policy.ts";
import type { ClusterId, NodeId } from "./base/ids.ts";
import { groupId, isHex64, nodeId as parseNodeId } from "./base/ids.ts";
import { Random } from "./base/random.ts";
import { DataDirectory } from "./disk/data-directory.ts";
import { DEFAULT_DISK_OPTIONS } from "./disk/disk-options.ts";
import { openStore } from "./disk/open-store.ts";
import type { LogStore, StoredPast } from "./host/ports.ts";
import { VolatileLogStore } from "./host/volatile-log-store.ts";
import { hostToAdvertise } from "./net/advertised-host.ts";
import { bindClusterAddress, refuseInsecureHost } from "./net/cluster-address.ts";
import { DnsResolver } from "./net/dns-resolver.ts";
import { SystemClock } from "./net/system-clock.ts";
import type { CacheStats, CacheValue, CallOptions, PutOptions, Versioned } from "./node/cache-api.ts";
import { ClusterNode, type LogLevel } from "./node/cluster-node.ts";
import { CurrentDoor } from "./node/current-door.ts";
import { isLoneAndEmpty } from "./node/dissolution.ts";
import type {
  AdminDoor,
  ClusterStatus,
  MemberStatus,
  NodeEvent,
  NodeMetrics,
  RebalanceStatus,
  RecoveryPlan,
} from "./node/door.ts";
import { NodeEvents } from "./node/node-events.ts";
import { type NodeOptions, parseSeed, resolveNodeOptions } from "./node/options.ts";
import type { WatchChange } from "./node/watch-queue.ts";
import type { WatchOptions } from "./node/watches.ts";
import { type KeyHash, loadKeyHash } from "./placement/key-hash.ts";
import { type HttpServer, openHttpServer } from "./server/http/http-server.ts";
import { lineLogger } from "./server/logger.ts";
import { openRespServer, type RespServer } from "./server/resp-server.ts";

/** The release, as INFO shows it. */
const VERSION = readVersion();

export interface OpenHooks {
  /** Hears every event from the very first on; `on` comes too late for those of the start. */
  readonly onEvent?: (event: NodeEvent) => void;
  /** Lines for people. Default: nothing is printed. */
  readonly onLog?: (level: LogLevel, message: string) => void;
  /** After `open` has resolved: the node cannot go on, and has closed itself. CREMA_ID_CONFLICT: its disk is a copy of another node's, or an old state. */
  readonly onFatal?: (error: CremaError) => void;
  /** Gives up waiting for a cluster: the node is closed and `open` rejects with CREMA_ABORTED. */
  readonly signal?: AbortSignal;
}

/** `leave` of another node by command waits this long. */
const REMOTE_LEAVE_TIMEOUT_MS = 60_000;
const READY_TIMEOUT_MS = 30_000;

/** What a node keeps when it comes back under a new id. */
interface World {
  readonly clock: SystemClock;
  readonly resolver: DnsResolver;
  readonly keyHash: KeyHash;
  readonly events: NodeEvents;
  readonly log: (level: LogLevel, message: string) => void;
  readonly onFatal: (error: CremaError) => void;
  /** Held from `open` to `close`; null in memory mode. */
  readonly directory: DataDirectory | null;
}

interface Memory {
  readonly options: NodeOptions;
  readonly store: LogStore;
  readonly past: StoredPast;
}

/** One node of a cluster inside this process. */
export class CremaNode {
  readonly #world: World;
  readonly #door: CurrentDoor;
  #node: ClusterNode;
  #resp: RespServer | null = null;
  #http: HttpServer | null = null;
  #rejoining: Promise<void> | null = null;
  #leaving: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #opened = false;
  #failure: CremaError | null = null;

  private constructor(world: World, node: ClusterNode) {
    this.#world = world;
    this.#node = node;
    this.#door = new CurrentDoor(node.router);
    this.#listen(node);
  }

  /**
   * Opens a node and resolves once it is a member of a cluster and knows its map. Without seeds it founds a cluster of
   * its own at once; with seeds it waits for one of them, for ever.
   * With `dataDir` it is the node that this folder tells of. A folder that cannot be believed any more is put aside, and the node
   * joins its cluster again as a new one; where there is no seed to join, it is an error.
   * Rejects with `TypeError`/`RangeError` for bad options, CREMA_ADDRESS_IN_USE, CREMA_ADDRESS_UNAVAILABLE, CREMA_INSECURE_HOST,
   * CREMA_ABORTED, and CREMA_ID_CONFLICT, CREMA_STORE_LOCKED, CREMA_STORE_FORMAT, CREMA_STORE_UNWRITABLE, CREMA_STORE_DAMAGED,
   * CREMA_DISK_FULL.
   */
  static async open(given: Partial<NodeOptions> = {}, hooks: OpenHooks = {}): Promise<CremaNode> {
    const resolved = resolveNodeOptions(given);
    refuseInsecureHost(resolved.host, resolved.insecure);
    const options = { ...resolved, advertise: resolved.advertise ?? hostToAdvertise(resolved.host) };
    const log = hooks.onLog ?? (() => {});
    const world: World = {
      clock: new SystemClock(),
      resolver: new DnsResolver({
        onFailure: (host, error) => log("debug", `${host} does not resolve: ${error.message}`),
      }),
      keyHash: await loadKeyHash(),
      events: new NodeEvents((error) => log("error", `an event listener failed: ${String(error)}`)),
      log,
      onFatal: hooks.onFatal ?? (() => {}),
      directory: options.dataDir === null ? null : await DataDirectory.open(options.dataDir),
    };
    if (hooks.onEvent !== undefined) world.events.add(hooks.onEvent);
    const clusterNode = await openClusterNode(world, options).catch(async (error: unknown) => {
      await world.directory?.close();
      throw error;
    });
    const node = new CremaNode(world, clusterNode);
    try {
      await node.#openDoors();
      node.#node.start();
      await node.#membership(hooks.signal);
    } catch (error) {
      await node.close();
      throw error;
    }
    return node;
  }

  get nodeId(): NodeId {
    return this.#node.nodeId;
  }

  /** null only before `open` has resolved. */
  get clusterId(): ClusterId | null {
    return this.#node.clusterId;
  }

  /** What other nodes dial. */
  get clusterAddress(): Address {
    return this.#node.address;
  }

  /** The Redis door; null when it is closed. */
  get respAddress(): Address | null {
    return this.#resp?.address ?? null;
  }

  get httpAddress(): Address | null {
    return this.#http?.address ?? null;
  }

  /** @see CacheApi.put */
  put(key: string, value: CacheValue, options?: PutOptions): Promise<{ version: number } | null> {
    return this.#node.cache.put(key, value, options);
  }

  putWithTtl(
    key: string,
    value: CacheValue,
    ttlMs: number,
    options?: CallOptions,
  ): Promise<{ version: number } | null> {
    return this.#node.cache.putWithTtl(key, value, ttlMs, options);
  }

  /** Local: may be stale, never uncommitted. */
  get(key: string, options?: CallOptions): Promise<string | null> {
    return this.#node.cache.get(key, options);
  }

  getBytes(key: string, options?: CallOptions): Promise<Uint8Array | null> {
    return this.#node.cache.getBytes(key, options);
  }

  /**
   * What {@link get} would find on this node, at once. null: no such key here. undefined: this node holds no replica of the key's shard, ask
   * with `get`. Throws what `get` rejects with before it waits. @see CacheApi.peek
   */
  peek(key: string): string | null | undefined {
    return this.#node.cache.peek(key);
  }

  /** @see peek */
  peekBytes(key: string): Uint8Array | null | undefined {
    return this.#node.cache.peekBytes(key);
  }

  /** Linearizable: never older than anything acknowledged before the call. */
  consistentGet(key: string, options?: CallOptions): Promise<string | null> {
    return this.#node.cache.consistentGet(key, options);
  }

  consistentGetBytes(key: string, options?: CallOptions): Promise<Uint8Array | null> {
    return this.#node.cache.consistentGetBytes(key, options);
  }

  getVersioned(key: string, options?: CallOptions): Promise<Versioned | null> {
    return this.#node.cache.getVersioned(key, options);
  }

  delete(key: string, options?: CallOptions): Promise<boolean> {
    return this.#node.cache.delete(key, options);
  }

  /** Stores `value` if the key's version is `expectedVersion` (0: absent); null when it is another. */
  cas(
    key: string,
    expectedVersion: number,
    value: CacheValue,
    options?: CallOptions & { readonly ttlMs?: number },
  ): Promise<{ version: number } | null> {
    return this.#node.cache.cas(key, expectedVersion, value, options);
  }

  increment(key: string, by?: number | bigint, options?: CallOptions): Promise<number | bigint> {
    return this.#node.cache.increment(key, by, options);
  }

  expire(key: string, ttlMs: number, options?: CallOptions): Promise<boolean> {
    return this.#node.cache.expire(key, ttlMs, options);
  }

  contains(key: string, options?: CallOptions): Promise<boolean> {
    return this.#node.cache.contains(key, options);
  }

  /** Removes every key of the cluster; answers how many there were. */
  clear(options?: CallOptions): Promise<number> {
    return this.#node.cache.clear(options);
  }

  /** Keys of the whole cluster. */
  entryCount(options?: CallOptions): Promise<number> {
    return this.#node.cache.entryCount(options);
  }

  stats(options?: CallOptions): Promise<CacheStats> {
    return this.#node.cache.stats(options);
  }

  /** Every change under `prefix`, in order per shard. Ends with CREMA_WATCH_LAGGED rather than leave one out. */
  watch(prefix: string, options?: WatchOptions): AsyncIterableIterator<WatchChange> {
    return this.#node.watches.watch(prefix, options);
  }

  members(): readonly MemberStatus[] {
    return this.#node.view.members();
  }

  status(): Promise<ClusterStatus> {
    return this.#node.view.status();
  }

  /** Which groups have lost their majority, and what {@link recover} would do about it. */
  recoveryPlan(): Promise<RecoveryPlan> {
    return this.#node.control.recovery.plan();
  }

  /**
   * The way out when machines are lost for good and majorities with them: removes the members `lost`, exactly those that the plan
   * names, and lets each group without a majority go on with the replica that reaches furthest of those left. What only the lost
   * had acknowledged is gone. CREMA_RECOVERY_REFUSED: nothing was done.
   */
  recover(lost: readonly NodeId[]): Promise<RecoveryPlan> {
    return this.#node.control.recovery.run(lost);
  }

  metrics(): NodeMetrics {
    return this.#node.metrics();
  }

  /**
   * Stops moving replicas for the sake of balance, in the whole cluster, until {@link resumeRebalancing}; resolves once that is
   * committed. Moves that have begun are finished, and what dies or leaves is replaced all the same. CREMA_NO_LEADER.
   */
  pauseRebalancing(): Promise<void> {
    return this.#node.rebalancing.setPaused(true);
  }

  /** @see pauseRebalancing */
  resumeRebalancing(): Promise<void> {
    return this.#node.rebalancing.setPaused(false);
  }

  /** Whether it is paused, what is on its way, and how far from even the nodes are. */
  rebalanceStatus(): Promise<RebalanceStatus> {
    return this.#node.rebalancing.status();
  }

  /** Why this node cannot serve now; null when it can. */
  notReadyReason(): string | null {
    return this.#node.notReadyReason();
  }

  /** The leader of every shard as far as this node knows; by shard id. */
  shardLeaders(): readonly (NodeId | null)[] {
    const shards = this.#node.control.map?.shardCount ?? 0;
    return Array.from({ length: shards }, (_, shard) => this.#node.leaderOf(groupId(shard + 1)));
  }

  /** Resolves when every shard has a leader that this node knows. CREMA_NOT_READY when time runs out. */
  async waitUntilReady(timeoutMs = READY_TIMEOUT_MS): Promise<void> {
    if (await this.#node.waitFor(() => this.#node.notReadyReason() === null, timeoutMs)) return;
    throw new CremaError(
      "CREMA_NOT_READY",
      `not ready within ${timeoutMs} ms: ${this.#node.notReadyReason()}`,
      { retryable: true },
    );
  }

  /** Resolves when some shard has a leader. CREMA_NO_LEADER when time runs out. */
  async waitForLeader(timeoutMs = READY_TIMEOUT_MS): Promise<void> {
    if (await this.#node.waitFor(() => this.shardLeaders().some((leader) => leader !== null), timeoutMs))
      return;
    throw new CremaError("CREMA_NO_LEADER", `no shard had a leader within ${timeoutMs} ms`, {
      retryable: true,
    });
  }

  /**
   * Joins the cluster that one of `seeds` belongs to. A node that waits for a cluster tries them at once. A node that
   * founded its own, is alone in it and was never written to, gives that up and joins under a new id. Any other
   * cluster is never given up: CREMA_CLUSTER_MISMATCH.
   */
  async join(seeds: readonly string[], timeoutMs = READY_TIMEOUT_MS): Promise<void> {
    const addresses = seeds.map(parseSeed);
    if (this.#node.clusterId === null) return this.#node.join(addresses, timeoutMs);
    if (await this.#knows(addresses)) return;
    if (!isLoneAndEmpty(this.#node)) {
      throw new CremaError(
        "CREMA_CLUSTER_MISMATCH",
        `this node belongs to cluster ${this.#node.clusterId}, which is not empty: clusters never merge`,
      );
    }
    this.#rejoin("this node's cluster is empty", addresses);
    await this.#rejoining;
    await this.#node.join([], timeoutMs);
  }

  /**
   * Hands over leaderships and replicas within `drainTimeoutMs`, says farewell, and closes. Idempotent: whoever calls
   * it while the node leaves, by command or by itself, waits for the same end.
   */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  /**
   * Drains a member for good: it hands over what it leads, its replicas are made anew elsewhere, the cluster forgets it, and it
   * closes. Of another node it resolves once the cluster map does not list it any more; of this one (no `nodeId`) once it is closed,
   * like {@link leave}, but a drain that cannot begin is an error and the node goes on.
   * Rejects with `TypeError` for what is no node id, CREMA_UNREACHABLE when no member has it, CREMA_NO_LEADER when the cluster could
   * not be told, CREMA_TIMEOUT when the drain has begun and is not over.
   */
  async drain(nodeId: string = this.nodeId, timeoutMs = REMOTE_LEAVE_TIMEOUT_MS): Promise<void> {
    if (!isHex64(nodeId)) throw new TypeError(`not a node id (16 hexadecimal digits): ${nodeId}`);
    if (nodeId === this.nodeId) {
      if (this.#leaving === null && this.#closing === null) await this.#beginDrain();
      return this.leave();
    }
    await this.#drainOther(parseNodeId(nodeId), timeoutMs);
  }

  /**
   * Why stopping this node now would put some shard below full tolerance, for people; null when it is safe. Asked anew
   * before each step of a rolling restart.
   */
  unsafeToStopReason(): Promise<string | null> {
    return this.#node.view.unsafeToStopReason();
  }

  /**
   * Stops in order. A durable node stays a member: it hands its leaderships over, closes, and goes on where it was when it is
   * started again on its `dataDir`. A node in memory has nothing to come back with, so it leaves.
   */
  stop(): Promise<void> {
    if (!this.#node.durable) return this.leave();
    this.#leaving ??= this.#stop();
    return this.#leaving;
  }

  /** Stops at once: for the others this is a crash. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** @see CremaNode.stop */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  on<Type extends NodeEvent["type"]>(
    type: Type,
    listener: (event: Extract<NodeEvent, { type: Type }>) => void,
  ): () => void {
    return this.#world.events.add((event) => {
      if (event.type === type) listener(event as Extract<NodeEvent, { type: Type }>);
    });
  }

  async #leave(): Promise<void> {
    if (this.#node.closed) return;
    await this.#node.leave(() => this.#closeDoors());
    await this.close();
  }

  async #stop(): Promise<void> {
    await this.#node.stop(() => this.#closeDoors());
    await this.close();
  }

  /** Told by the cluster, through another node or this one's own door. */
  #leaveAsAsked(): void {
    this.leave().catch((error: unknown) =>
      this.#world.log("error", `could not leave in order: ${String(error)}`),
    );
  }

  #listen(node: ClusterNode): void {
    node.onDrainAsked = () => this.#leaveAsAsked();
    node.onGiveUp = (address) => this.#rejoin("this node's cluster is empty", [address]);
    node.onRemoved = (addresses) => this.#rejoin("the cluster has removed this node", addresses);
    node.onDisplaced = (reason) => void this.#fail(new CremaError("CREMA_ID_CONFLICT", reason));
  }

  async #fail(error: CremaError): Promise<void> {
    this.#failure = error;
    await this.close();
    if (this.#opened) this.#world.onFatal(error);
  }

  /** Whether one of `addresses` is a member of this node's cluster already. */
  async #knows(addresses: readonly Address[]): Promise<boolean> {
    const members = new Set(this.#node.view.members().map(({ address }) => address));
    for (const seed of addresses) {
      const found = await this.#world.resolver.resolve(seed);
      if (found.some((address) => members.has(formatAddress(address)))) return true;
    }
    return false;
  }

  /**
   * Ends this life of the node at once and comes back under a new id, to join the cluster of `seeds`. What it held is
   * either nothing (an empty cluster) or nobody's any more (the cluster replaced its replicas before it removed it).
   */
  #rejoin(why: string, seeds: readonly Address[]): void {
    if (this.#rejoining !== null || this.#leaving !== null || this.#closing !== null) return;
    const old = this.#node;
    // From here on the old node takes no write: what `isLoneAndEmpty` saw stays true.
    const closed = old.close();
    const where = seeds.map(formatAddress).join(", ");
    this.#world.log("warn", `${why}: it joins the cluster of ${where} under a new id`);
    this.#rejoining = this.#comeBack(old, closed, seeds)
      .catch((error: unknown) => {
        this.#world.log("error", `could not come back: ${String(error)}`);
        return this.close();
      })
      .finally(() => {
        this.#rejoining = null;
      });
  }

  async #comeBack(old: ClusterNode, closed: Promise<void>, seeds: readonly Address[]): Promise<void> {
    await closed;
    const archive = await this.#world.directory?.archive(`node-${old.nodeId}`);
    if (archive !== undefined)
      this.#world.log("warn", `what node ${old.nodeId} had stored is kept in ${archive}`);
    const options: NodeOptions = {
      ...old.options,
      port: old.boundPort,
      seeds: [...new Set([...seeds.map(formatAddress), ...old.options.seeds])],
      bootstrap: "never",
    };
    const node = await openClusterNode(this.#world, options);
    this.#node = node;
    this.#door.current = node.router;
    this.#listen(node);
    node.doorsOpened(this.#resp?.address.port ?? 0, this.#http?.address.port ?? 0);
    node.start();
  }

  async #openDoors(): Promise<void> {
    const { host, respPort, httpPort, requestTimeoutMs } = this.#node.options;
    const logger = lineLogger(this.#world.log);
    const shared = { host, door: this.#door, admin: this.#adminDoor(), logger, requestTimeoutMs };
    if (respPort !== null) {
      const { maxMemoryBytes, maxEntries, evictionPolicy } = this.#node.options;
      const facts = { maxMemoryBytes, maxEntries, evictionPolicy, durable: this.#node.groups.durable };
      this.#resp = await openRespServer({ ...shared, port: respPort, cremaVersion: VERSION, facts });
    }
    if (httpPort !== null) {
      this.#http = await openHttpServer({ ...shared, port: httpPort, respStats: this.#resp?.stats ?? null });
    }
    this.#node.doorsOpened(this.#resp?.address.port ?? 0, this.#http?.address.port ?? 0);
  }

  /** Waits for a cluster, through every life that this takes. */
  async #membership(signal: AbortSignal | undefined): Promise<void> {
    const listed = (): boolean => this.#node.control.isListed;
    const givenUp = (): boolean => signal?.aborted === true || this.#closing !== null;
    await this.#node.waitFor(() => listed() || givenUp(), Number.POSITIVE_INFINITY);
    if (this.#failure !== null) throw this.#failure;
    this.#opened = listed();
    if (this.#opened) return;
    throw new CremaError("CREMA_ABORTED", "given up before a cluster was joined");
  }

  #adminDoor(): AdminDoor {
    const current = (): ClusterNode => this.#node;
    return {
      get nodeId() {
        return current().nodeId;
      },
      get clusterId() {
        return current().clusterId;
      },
      notReadyReason: () => this.#node.notReadyReason(),
      unsafeToStopReason: () => this.#node.view.unsafeToStopReason(),
      clusterStatus: () => this.#node.view.status(),
      metrics: () => this.#node.metrics(),
      onEvent: (listener) => this.#world.events.add(listener),
      join: (seeds) => this.join(seeds.map(formatAddress)),
      leave: (target) => this.#leaveByCommand(target),
      recoveryPlan: () => this.recoveryPlan(),
      recover: (lost) => this.recover(lost),
      backupShard: (shard, sink, signal) => this.#node.backups.send(shard, sink, signal),
      setRebalancePaused: (paused) => this.#node.rebalancing.setPaused(paused),
      rebalanceStatus: () => this.#node.rebalancing.status(),
    };
  }

  /** Acknowledged only when committed: when the map no longer lists the node (or, for this one, when the drain has begun). */
  async #leaveByCommand(target: NodeId | null): Promise<void> {
    if (target !== null && target !== this.nodeId) return this.#drainOther(target, REMOTE_LEAVE_TIMEOUT_MS);
    await this.#beginDrain();
    this.#leaveAsAsked();
  }

  /** Resolves once the cluster map says that this node leaves. */
  #beginDrain(): Promise<void> {
    const { control, nodeId, options } = this.#node;
    return control.drain(nodeId, options.requestTimeoutMs);
  }

  async #drainOther(target: NodeId, timeoutMs: number): Promise<void> {
    const node = this.#node;
    if (!node.view.members().some(({ nodeId: known }) => known === target)) {
      throw new CremaError("CREMA_UNREACHABLE", `no member has the node id ${target}`);
    }
    await node.control.drain(target, node.options.requestTimeoutMs);
    const gone = (): boolean =>
      !(node.control.map?.members ?? []).some(({ nodeId: known }) => known === target);
    if (await node.waitFor(gone, timeoutMs)) return;
    throw new CremaError("CREMA_TIMEOUT", `node ${target} is draining, but still holds replicas`, {
      retryable: true,
    });
  }

  /** Takes no new requests; what was read is answered. */
  async #closeDoors(): Promise<void> {
    await this.#resp?.close({ graceful: true });
    await this.#http?.close();
  }

  async #close(): Promise<void> {
    await this.#resp?.close({ graceful: false });
    await this.#node.close();
    await this.#http?.close();
    await this.#world.directory?.close();
    this.#world.events.clear();
  }
}

async function openClusterNode(world: World, given: NodeOptions): Promise<ClusterNode> {
  const { clock, resolver, keyHash, events, log } = world;
  const { options, store, past } = await openMemory(world, given);
  try {
    const { streams, datagrams } = await bindClusterAddress(options.host, options.port);
    const seed = randomBytes(8);
    const random = new Random(seed.readUInt32BE(0), seed.readUInt32BE(4));
    return new ClusterNode(
      { clock, random, streams, datagrams, resolver, store, past, keyHash, events },
      options,
      log,
    );
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** What this node remembers: nothing in memory mode. */
async function openMemory(world: World, options: NodeOptions): Promise<Memory> {
  const { directory, log } = world;
  if (directory === null) {
    const store = new VolatileLogStore();
    return { options, store, past: await store.load() };
  }
  const { checkpointsKept, minFreeDiskBytes } = options;
  const fsync = parseFsync(options.fsync) ?? DEFAULT_DISK_OPTIONS.fsync;
  const disk = { fsync, checkpointsKept, minFreeDiskBytes };
  try {
    return { options, ...(await openStore(directory, disk, log)) };
  } catch (error) {
    const isDamaged = error instanceof CremaError && error.code === "CREMA_STORE_DAMAGED";
    if (!isDamaged || options.seeds.length === 0) throw error;
    log("error", error.message);
    const archive = await directory.archive("damaged");
    log("warn", `the damaged store is kept in ${archive}; this node joins its cluster again under a new id`);
    // What it had promised is lost with its id, and a founding is a promise, too.
    return {
      options: { ...options, bootstrap: "never" },
      ...(await openStore(directory, disk, log)),
    };
  }
}

/** From the package's own description, two folders up once built and one up in the sources. */
function readVersion(): string {
  for (const place of ["../package.json", "../../package.json"]) {
    try {
      const description: unknown = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8"));
      if (typeof description === "object" && description !== null && "version" in description)
        return String(description.version);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  return "unknown";
}
