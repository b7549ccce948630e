/**
 * How the cluster map reaches everybody. The system group's voters have it from their log; its leader sends each new
 * version straight to the others while they are few; gossip carries the number, and whoever sees a higher one fetches it.
 */
import type { NodeId } from "../base/ids.ts";
import type { Calls } from "../host/links/calls.ts";
import type { Clock, Timer } from "../host/ports.ts";
import { WireError } from "../wire/wire-error.ts";
import { decodeMap, encodeMap } from "./cluster-codec.ts";
import type { ClusterMap } from "./cluster-map.ts";
import type { MapStore } from "./map-store.ts";

const METHOD_OFFER = "cluster.map-offer";
const METHOD_FETCH = "cluster.map-fetch";
const CALL_TIMEOUT_MS = 2_000;
/** Up to so many members are told directly; larger fleets rely on gossip. */
const DIRECT_MEMBERS_MAX = 64;
/** A fetch that failed is tried again after this long, while somebody has a newer map. */
const RETRY_MS = 500;

export interface MapSpreadParts {
  readonly self: NodeId;
  readonly store: MapStore;
  readonly calls: Calls;
  readonly clock: Clock;
  /** A node that gossip says holds a newer map than `version`; null when there is none. */
  readonly holderOfNewer: (version: number) => NodeId | null;
}

export class MapSpread {
  readonly #parts: MapSpreadParts;
  #fetching = false;
  #retryTimer: Timer | null = null;
  #closed = false;

  constructor(parts: MapSpreadParts) {
    this.#parts = parts;
    parts.calls.handle(METHOD_OFFER, (params) => {
      parts.store.offer(decodeMap(bytesOf(params)));
      return parts.store.version;
    });
    parts.calls.handle(METHOD_FETCH, () => {
      const { map } = parts.store;
      return map === null ? null : encodeMap(map);
    });
  }

  /** The leader of the system group has a new map: tells the other members. Who misses it hears the number by gossip. */
  announce(map: ClusterMap): void {
    const { calls, self } = this.#parts;
    const others = map.members.filter(({ nodeId, state }) => nodeId !== self && state !== "dead");
    if (others.length > DIRECT_MEMBERS_MAX) return;
    const bytes = encodeMap(map);
    for (const { nodeId } of others) {
      calls.call(nodeId, METHOD_OFFER, bytes, { timeoutMs: CALL_TIMEOUT_MS }).catch(() => {
        // Not reached now: it fetches the map when it hears of the version.
      });
    }
  }

  /** Gossip told of a map version: fetches it if it is news. */
  heardOf(version: number): void {
    if (version > this.#parts.store.version) this.#fetch();
  }

  /**
   * A map has come, in whichever way. It may have been long on its way, and what gossip told of meanwhile was told once: before
   * this node belonged to the cluster, or while a fetch was under way.
   */
  catchUp(): void {
    this.#fetch();
  }

  close(): void {
    this.#closed = true;
    this.#retryTimer?.cancel();
  }

  #fetch(): void {
    if (this.#fetching || this.#closed) return;
    const { store, calls } = this.#parts;
    const holder = this.#parts.holderOfNewer(store.version);
    if (holder === null) return;
    this.#fetching = true;
    calls
      .call(holder, METHOD_FETCH, null, { timeoutMs: CALL_TIMEOUT_MS })
      .then((value) => {
        this.#fetching = false;
        if (this.#closed) return;
        if (value === null || !store.offer(decodeMap(bytesOf(value)))) this.#fetchLater();
      })
      .catch(() => {
        this.#fetching = false;
        this.#fetchLater();
      });
  }

  #fetchLater(): void {
    if (this.#closed || this.#retryTimer !== null) return;
    this.#retryTimer = this.#parts.clock.setTimer(RETRY_MS, () => {
      this.#retryTimer = null;
      this.#fetch();
    });
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new WireError("a cluster map is bytes", 0);
}
