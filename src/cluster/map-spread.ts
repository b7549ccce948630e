/**
 * How the cluster map reaches everybody. The system group's voters have it from their log; its leader sends each new version
 * straight to the others while they are few, and has gossip carry the number, in one rumour for the whole cluster; whoever hears
 * a higher one fetches the map. In a large fleet everybody would ask the leader at once, so they ask each other first, and
 * not for every version of a burst; only those whose replicas are to move are told directly, for who comes to lead a group with
 * the map of yesterday undoes what the one of today wanted.
 *
 * The number is not part of what each member says of itself: then every change of the map would make every member say
 * something new to every other, and in a fleet that grows gossip carried nothing else (decisions/0016).
 */
import type { NodeId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import type { Gossip } from "../host/gossip.ts";
import type { Calls } from "../host/links/calls.ts";
import type { Clock, Timer } from "../host/ports.ts";
import { WireError } from "../wire/wire-error.ts";
import { decodeMap, encodeMap } from "./cluster-codec.ts";
import { type ClusterMap, sameNodes } from "./cluster-map.ts";
import type { MapStore } from "./map-store.ts";

/** The key under which gossip carries the version of the map. */
export const MAP_RUMOUR = "map";

const METHOD_OFFER = "cluster.map-offer";
const METHOD_FETCH = "cluster.map-fetch";
const CALL_TIMEOUT_MS = 2_000;
/** Up to so many members are told directly; of larger fleets those who have to act, the others rely on gossip. */
const DIRECT_MEMBERS_MAX = 64;
/** A fetch that failed is tried again after this long, while somebody has a newer map. */
const RETRY_MS = 500;
/** Between two fetches of one node, for each member: a map of 1,000 members has 100 KB, and is not fetched more often than every 2 s. */
const PAUSE_PER_MEMBER_MS = 2;
/** For how long a map that is known to be old is not acted on: whoever has the newer one may not answer, and there is work to be done. */
const PATIENCE_MS = 3_000;
const NOTHING = new Uint8Array(0);

export interface MapSpreadParts {
  readonly self: NodeId;
  readonly store: MapStore;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: Random;
  readonly gossip: Pick<Gossip, "broadcast" | "rumour" | "members">;
}

export class MapSpread {
  readonly #parts: MapSpreadParts;
  #fetching = false;
  #fetches = 0;
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  /** When a newer map was first heard of; null: none has been. */
  #behindSinceMs: number | null = null;
  #retryTimer: Timer | null = null;
  #closed = false;
  /** What was last asked for. */
  #encoded: { readonly map: ClusterMap; readonly bytes: Uint8Array } | null = null;

  constructor(parts: MapSpreadParts) {
    this.#parts = parts;
    parts.calls.handle(METHOD_OFFER, (params) => {
      parts.store.offer(decodeMap(bytesOf(params)));
      return parts.store.version;
    });
    parts.calls.handle(METHOD_FETCH, (known) => {
      const { map } = parts.store;
      return map === null || map.version <= Number(known) ? null : this.#bytesOf(map);
    });
  }

  /**
   * The leader of the system group has a new map, made of `previous`: tells the other members. Who misses it hears the number by
   * gossip.
   */
  announce(map: ClusterMap, previous: ClusterMap | null): void {
    const { calls, self, gossip } = this.#parts;
    gossip.broadcast(MAP_RUMOUR, NOTHING, map.version);
    const others = map.members.filter(({ nodeId, state }) => nodeId !== self && state !== "dead");
    const concerned = others.length > DIRECT_MEMBERS_MAX ? whereReplicasMove(map, previous) : null;
    const told = concerned === null ? others : others.filter(({ nodeId }) => concerned.has(nodeId));
    if (told.length === 0) return;
    const bytes = this.#bytesOf(map);
    for (const { nodeId } of told.slice(0, DIRECT_MEMBERS_MAX)) {
      calls.call(nodeId, METHOD_OFFER, bytes, { timeoutMs: CALL_TIMEOUT_MS }).catch(() => {
        // Not reached now: it fetches the map when it hears of the version.
      });
    }
  }

  /**
   * A newer map is on its way here. What the one at hand wants may have been undone: a node that returns to a fleet that has moved
   * on would move its groups back, or away from itself. Not for ever, should nobody answer who has it.
   */
  get isBehind(): boolean {
    return this.#behindSinceMs !== null && this.#parts.clock.nowMs() - this.#behindSinceMs < PATIENCE_MS;
  }

  /** Gossip told of a map version: fetches it if it is news. */
  heardOf(version: number): void {
    const { store, clock } = this.#parts;
    if (version <= store.version) return;
    this.#behindSinceMs ??= clock.nowMs();
    this.#fetch();
  }

  /**
   * A map has come, in whichever way. It may have been long on its way, and what gossip told of meanwhile was told once: before
   * this node belonged to the cluster, or while a fetch was under way.
   */
  catchUp(): void {
    const { store, clock } = this.#parts;
    if (this.#newest() <= store.version) this.#behindSinceMs = null;
    else this.#behindSinceMs ??= clock.nowMs();
    this.#fetch();
  }

  close(): void {
    this.#closed = true;
    this.#retryTimer?.cancel();
  }

  #fetch(): void {
    if (this.#fetching || this.#closed || this.#retryTimer !== null) return;
    const { store, calls, clock } = this.#parts;
    if (this.#newest() <= store.version) return;
    const holder = this.#holderOfNewer();
    if (holder === null) {
      this.#fetchLater(RETRY_MS);
      return;
    }
    const pauseMs = PAUSE_PER_MEMBER_MS * (store.map?.members.length ?? 0);
    const waitMs = this.#fetchedAtMs + pauseMs - clock.nowMs();
    if (waitMs > 0) {
      this.#fetchLater(waitMs);
      return;
    }
    this.#fetching = true;
    this.#fetches++;
    this.#fetchedAtMs = clock.nowMs();
    calls
      .call(holder, METHOD_FETCH, store.version, { timeoutMs: CALL_TIMEOUT_MS })
      .then((value) => {
        this.#fetching = false;
        if (this.#closed) return;
        if (value === null || !store.offer(decodeMap(bytesOf(value)))) this.#fetchLater(RETRY_MS);
      })
      .catch(() => {
        this.#fetching = false;
        this.#fetchLater(RETRY_MS);
      });
  }

  /** The highest version that anybody here has heard of. */
  #newest(): number {
    return this.#parts.gossip.rumour(MAP_RUMOUR)?.version ?? 0;
  }

  /**
   * Whom to ask for a map that is newer than ours: who spread the news, or, every other time in a large fleet, anybody, who may
   * have it by now. null: nobody is there, as gossip sees it now; who was cut off may hear the news before it believes in the others again.
   */
  #holderOfNewer(): NodeId | null {
    const { self, gossip, random } = this.#parts;
    const others = gossip.members().filter(({ id, state }) => id !== self && state === "alive");
    const origin = others.find(({ id }) => id === gossip.rumour(MAP_RUMOUR)?.origin);
    if (origin !== undefined && (others.length <= DIRECT_MEMBERS_MAX || this.#fetches % 2 === 1))
      return origin.id;
    return others.length === 0 ? null : (others[random.nextBelow(others.length)]?.id ?? null);
  }

  /** Many ask for one map. */
  #bytesOf(map: ClusterMap): Uint8Array {
    if (this.#encoded?.map !== map) this.#encoded = { map, bytes: encodeMap(map) };
    return this.#encoded.bytes;
  }

  #fetchLater(delayMs: number): void {
    if (this.#closed || this.#retryTimer !== null) return;
    this.#retryTimer = this.#parts.clock.setTimer(delayMs, () => {
      this.#retryTimer = null;
      this.#fetch();
    });
  }
}

/** Who held or shall hold replicas of the shards that `map` places elsewhere than `previous` did. */
function whereReplicasMove(map: ClusterMap, previous: ClusterMap | null): ReadonlySet<NodeId> {
  const nodes = new Set<NodeId>();
  if (previous === null) return nodes;
  for (const [shard, { wanted }] of map.shards.entries()) {
    const before = previous.shards[shard]?.wanted ?? [];
    if (sameNodes(before, wanted)) continue;
    for (const node of before) nodes.add(node);
    for (const node of wanted) nodes.add(node);
  }
  return nodes;
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new WireError("a cluster map is bytes", 0);
}
