/**
 * The newest cluster map this node has seen. Versions only grow; two maps of one version are the same map.
 */
import { assert } from "../base/assert.ts";
import type { ClusterMap } from "./cluster-map.ts";

export class MapStore {
  #map: ClusterMap | null = null;
  readonly #onChange: (map: ClusterMap, previous: ClusterMap | null) => void;

  constructor(onChange: (map: ClusterMap, previous: ClusterMap | null) => void) {
    this.#onChange = onChange;
  }

  get map(): ClusterMap | null {
    return this.#map;
  }

  get version(): number {
    return this.#map?.version ?? 0;
  }

  /** Takes `map` in if it is newer; true when it was. */
  offer(map: ClusterMap): boolean {
    const previous = this.#map;
    if (previous !== null) {
      assert(previous.clusterId === map.clusterId, "a node belongs to one cluster", {
        ours: previous.clusterId,
        theirs: map.clusterId,
      });
      if (map.version <= previous.version) return false;
    }
    this.#map = map;
    this.#onChange(map, previous);
    return true;
  }
}
