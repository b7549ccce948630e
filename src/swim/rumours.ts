/**
 * What users' broadcasts say: for each key the one of the highest version. It decides what is news;
 * spreading it is the broadcast queue's work, and state exchanges repair what gossip lost.
 */
import type { NodeId } from "../base/ids.ts";
import { messageBytes, RUMOUR_KEY_BYTES_MAX, RUMOUR_PAYLOAD_BYTES_MAX } from "./message-size.ts";
import type { Rumour } from "./messages.ts";

/** The newest rumour of each key, at most `keysMax` keys. */
export class Rumours {
  readonly #keysMax: number;
  /** Oldest news first. */
  readonly #newest = new Map<string, Rumour>();

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#newest.size;
  }

  /** What is known of `key`. */
  get(key: string): Rumour | undefined {
    return this.#newest.get(key);
  }

  /** The version known of `key`; -1 when it is unknown. */
  versionOf(key: string): number {
    return this.#newest.get(key)?.version ?? -1;
  }

  /**
   * Whether `rumour` was news and was taken. Of two with one version the higher origin wins, everywhere. A key beyond the limit is refused: were it to push out another,
   * the two would chase each other round the cluster for ever.
   */
  accept(rumour: Rumour): boolean {
    const known = this.#newest.get(rumour.key);
    if (known === undefined ? this.#newest.size >= this.#keysMax : !isNewer(rumour, known)) return false;
    this.#newest.delete(rumour.key);
    this.#newest.set(rumour.key, rumour);
    return true;
  }

  /** The newest ones that fit into `bytesMax`, newest first. */
  latest(bytesMax: number): Rumour[] {
    const chosen: Rumour[] = [];
    let free = bytesMax;
    for (const rumour of [...this.#newest.values()].reverse()) {
      free -= messageBytes(rumour);
      if (free < 0) break;
      chosen.push(rumour);
    }
    return chosen;
  }
}

/** A rumour of this member's own. Throws `RangeError` when a part is out of its limits. */
export function rumourOf(origin: NodeId, key: string, version: number, payload: Uint8Array): Rumour {
  if (!isRumourKey(key)) throw new RangeError(`a broadcast key has 1..${RUMOUR_KEY_BYTES_MAX} bytes`);
  if (payload.length > RUMOUR_PAYLOAD_BYTES_MAX) {
    throw new RangeError(
      `a broadcast payload has at most ${RUMOUR_PAYLOAD_BYTES_MAX} bytes, got ${payload.length}`,
    );
  }
  if (!Number.isSafeInteger(version) || version < 0) {
    throw new RangeError(`a broadcast version is an integer >= 0, got ${version}`);
  }
  return { type: "rumour", key, version, origin, payload };
}

function isNewer(rumour: Rumour, known: Rumour): boolean {
  if (rumour.version !== known.version) return rumour.version > known.version;
  return rumour.origin > known.origin;
}

function isRumourKey(key: string): boolean {
  if (key.length < 1 || key.length > RUMOUR_KEY_BYTES_MAX) return false;
  for (let at = 0; at < key.length; at++) if (key.charCodeAt(at) > 0xff) return false;
  return true;
}
