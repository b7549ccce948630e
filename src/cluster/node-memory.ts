/**
 * What a durable node remembers of itself from life to life: its id, the boot nonces it had, its cluster, the newest map,
 * its promises in a founding. In memory mode nothing is remembered, and nothing waits.
 *
 * The store keeps its order, so whatever is written after a call here never outlives what the call said.
 */
import type { BootNonce, ClusterId, NodeId } from "../base/ids.ts";
import { FORMER_BOOTS_MAX } from "../base/limits.ts";
import type { LogStore, NodeRecord } from "../host/ports.ts";
import { decodeMap, encodeMap } from "./cluster-codec.ts";
import { type ClusterMap, findMember } from "./cluster-map.ts";
import type { AcceptorState } from "./founding-acceptor.ts";
import { encodeAcceptorState } from "./founding-codec.ts";

export class NodeMemory {
  readonly #store: LogStore;
  #record: NodeRecord;
  #mapSaving = false;
  #mapDue = false;

  /** `past`: what an earlier life remembered. */
  constructor(
    store: LogStore,
    self: { readonly nodeId: NodeId; readonly boot: BootNonce },
    past: NodeRecord | null,
  ) {
    this.#store = store;
    const boots = remembered([...(past?.boots ?? []), self.boot], past);
    this.#record = past === null ? fresh(self.nodeId, boots) : { ...past, boots };
  }

  /** What is written outlives the process. */
  get durable(): boolean {
    return this.#store.durable;
  }

  /** The lives of this id before this one, the newest last, as far as it remembers. */
  get formerBoots(): readonly BootNonce[] {
    return this.#record.boots.slice(0, -1);
  }

  /** Resolves once this life is written down: from then on the cluster may be told of it. */
  born(): Promise<void> {
    return this.#save({});
  }

  /**
   * From now on this id belongs to this cluster and to no other. Written with the first map, which is learned in the same turn:
   * who knows its cluster and no map could neither found it nor find it.
   */
  entered(clusterId: ClusterId): void {
    this.#record = { ...this.#record, clusterId };
  }

  /** Resolves when the promise outlives this process: only then may anybody be told of it. Never when it cannot be kept. */
  promised(state: AcceptorState): Promise<void> {
    return this.#save({ founding: encodeAcceptorState(state) });
  }

  /** A newer map. Where many come at once only the last is written: it is where to begin to ask, no more. */
  learned(map: ClusterMap): void {
    if (!this.durable) return;
    this.#record = { ...this.#record, map: encodeMap(map) };
    if (this.#mapSaving) this.#mapDue = true;
    else this.#saveMap();
  }

  #saveMap(): void {
    this.#mapSaving = true;
    this.#mapDue = false;
    void this.#save({}).then(() => {
      this.#mapSaving = false;
      if (this.#mapDue) this.#saveMap();
    });
  }

  #save(change: Partial<NodeRecord>): Promise<void> {
    if (!this.durable) return Promise.resolve();
    this.#record = { ...this.#record, ...change };
    return new Promise((resolve) => {
      this.#store.saveNode(this.#record, (error) => {
        // Else whoever waits waits for ever: the store has told its owner, who has to start the node again.
        if (error === null) resolve();
      });
    });
  }
}

/**
 * The newest of `boots`, and the one that the newest map names, however old: while a majority is away the map stays as it is, and
 * whoever is started again and again meanwhile must not forget who it was.
 */
function remembered(boots: readonly BootNonce[], past: NodeRecord | null): readonly BootNonce[] {
  const newest = boots.slice(-FORMER_BOOTS_MAX - 1);
  if (past === null || past.map === null || newest.length === boots.length) return newest;
  const listed = findMember(decodeMap(past.map), past.nodeId)?.boot;
  if (listed === undefined || !boots.includes(listed) || newest.includes(listed)) return newest;
  return [listed, ...newest.slice(1)];
}

function fresh(nodeId: NodeId, boots: readonly BootNonce[]): NodeRecord {
  return { nodeId, boots, clusterId: null, map: null, founding: null };
}
