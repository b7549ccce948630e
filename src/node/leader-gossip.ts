/**
 * Shard-leader hints by gossip: (group, leader, term), the term being the version, so that a stale hint never wins.
 * Debounced: a leadership that lasts shorter than the debounce is not worth a packet.
 */
import type { GroupId, NodeId } from "../base/ids.ts";
import type { Gossip } from "../host/gossip.ts";
import type { Clock, Timer } from "../host/ports.ts";
import { ByteReader } from "../wire/byte-reader.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { readGroupId } from "../wire/id-codec.ts";

const DEBOUNCE_MS = 200;
const KEY_PREFIX = "leader/";

export class LeaderGossip {
  readonly #gossip: Gossip;
  readonly #clock: Clock;
  readonly #self: NodeId;
  readonly #pending = new Map<GroupId, number>();
  #timer: Timer | null = null;
  counters = { hintsSent: 0, hintsReceived: 0 };

  constructor(gossip: Gossip, clock: Clock, self: NodeId) {
    this.#gossip = gossip;
    this.#clock = clock;
    this.#self = self;
  }

  /** This node leads `group` since `term`. */
  announce(group: GroupId, term: number): void {
    this.#pending.set(group, term);
    this.#timer ??= this.#clock.setTimer(DEBOUNCE_MS, () => this.#flush());
  }

  /** This node does not lead `group` any more: a hint that was not sent yet is not sent. */
  retract(group: GroupId): void {
    this.#pending.delete(group);
  }

  /** Reads a broadcast; null when it is about something else. Throws `WireError` on damage. */
  read(
    key: string,
    version: number,
    payload: Uint8Array,
  ): { group: GroupId; leader: NodeId; term: number } | null {
    if (!key.startsWith(KEY_PREFIX)) return null;
    this.counters.hintsReceived++;
    return readHint(version, payload);
  }

  /** Who was last said to lead `group`: news is told once, so whoever came to doubt it has to look it up again. */
  recall(group: GroupId): { leader: NodeId; term: number } | null {
    const key = `${KEY_PREFIX}${group}`;
    const rumour = this.#gossip.rumour(key);
    return rumour === undefined ? null : readHint(rumour.version, rumour.payload);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #flush(): void {
    this.#timer = null;
    for (const [group, term] of this.#pending) {
      const writer = new ByteWriter(16);
      writer.varint(group);
      writer.nodeId(this.#self);
      this.counters.hintsSent++;
      this.#gossip.broadcast(`${KEY_PREFIX}${group}`, writer.take(), term);
    }
    this.#pending.clear();
  }
}

function readHint(version: number, payload: Uint8Array): { group: GroupId; leader: NodeId; term: number } {
  const reader = new ByteReader(payload);
  return { group: readGroupId(reader), leader: reader.nodeId(), term: version };
}
