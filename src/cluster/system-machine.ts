/**
 * The cluster map behind the face a Raft group drives. The batch framing (stamp, count, commands) is the same as that of
 * the shards; what a command means is the map machine's affair.
 */
import type { LogIndex } from "../base/ids.ts";
import type { SnapshotSink, SnapshotSource, StateMachine } from "../host/state-machine.ts";
import { ByteReader } from "../wire/byte-reader.ts";
import { decodeMap, decodeMapCommand, encodeMap } from "./cluster-codec.ts";
import type { ClusterMap } from "./cluster-map.ts";
import { MapMachine, type MapResult } from "./map-machine.ts";

export class SystemMachine implements StateMachine<MapResult> {
  readonly #machine: MapMachine;
  readonly sizeBytes = 0;
  #timeMs = 0;
  /** Called after an entry changed the map, or a snapshot replaced it. */
  onMap: ((map: ClusterMap) => void) | null = null;

  /** `initial` is what the system group was founded with; null for a replica that a leader will fill. */
  constructor(initial: ClusterMap | null) {
    this.#machine = new MapMachine(initial);
  }

  /** null until a leader has filled this replica. */
  get map(): ClusterMap | null {
    return this.#machine.map;
  }

  get timeMs(): number {
    return this.#timeMs;
  }

  apply(_index: LogIndex, data: Uint8Array): readonly MapResult[] {
    const reader = new ByteReader(data);
    const stampMs = reader.f64();
    if (stampMs > this.#timeMs) this.#timeMs = stampMs;
    const before = this.map;
    const results: MapResult[] = [];
    for (let rest = reader.varint(); rest > 0; rest--) {
      results.push(this.#machine.apply(decodeMapCommand(reader.bytes())));
    }
    if (this.map !== null && this.map !== before) this.onMap?.(this.map);
    return results;
  }

  beginSnapshot(): SnapshotSource {
    let rest: Uint8Array | null = this.map === null ? null : encodeMap(this.map);
    return {
      next: (maxBytes) => {
        if (rest === null) return null;
        const slice = rest.subarray(0, maxBytes);
        rest = slice.length === rest.length ? null : rest.subarray(maxBytes);
        return slice;
      },
      close: () => {
        rest = null;
      },
    };
  }

  beginRestore(): SnapshotSink {
    const slices: Uint8Array[] = [];
    let arrived: ClusterMap | null = null;
    return {
      write: (slice) => void slices.push(new Uint8Array(slice)),
      finish: () => {
        arrived = decodeMap(joined(slices));
      },
      install: () => {
        if (arrived === null) return;
        this.#machine.restore(arrived);
        this.onMap?.(arrived);
      },
    };
  }
}

function joined(slices: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(slices.reduce((sum, slice) => sum + slice.length, 0));
  let at = 0;
  for (const slice of slices) {
    whole.set(slice, at);
    at += slice.length;
  }
  return whole;
}
