/**
 * Who keeps watch while groups sleep. A group that is awake misses its leader, or its majority, by heartbeats; one that is
 * quiet sends none, and a machine without power says no goodbye. So a node listens to the few peers that its groups count
 * on: the leaders of those it follows, the voters of those it leads. One that was not heard for a while, by whatever link
 * and for whatever reason, is asked for a sign of life: one question per pair of nodes, never per group, and none to a peer
 * that is heard anyway. One that gives none is suspected. That wakes groups and decides nothing: they ask each other.
 *
 * Time is counted in ticks that ran. A process that stood still, or whose loop was blocked, has counted one tick and then
 * reads what arrived meanwhile: it blames nobody for its own absence.
 */
import type { GroupId, NodeId } from "../base/ids.ts";

/** What is known of peers without asking, and how they are asked. */
export interface PeerEar {
  /** When `node` last gave any sign of life over a link, in monotonic milliseconds; null when there is no link. */
  lastHeardMs(node: NodeId): number | null;
  /** Asks `node` for a sign of life; dials it when there is no link. */
  ask(node: NodeId): void;
}

interface WatchedPeer {
  /** Groups that count on it. */
  groups: number;
  /** Of its last sign of life that was noticed; null: none yet. */
  heardMs: number | null;
  /** Ticks since. Stands still once it has been suspected. */
  silentTicks: number;
}

const NOBODY: readonly NodeId[] = Object.freeze([]);

export class PeerWatch {
  readonly #ear: PeerEar;
  readonly #askAfterTicks: number;
  readonly #suspectAfterTicks: number;
  readonly #onSilent: (node: NodeId) => void;
  readonly #peers = new Map<NodeId, WatchedPeer>();
  readonly #countedOn = new Map<GroupId, readonly NodeId[]>();

  /**
   * A peer is asked after half an election timeout of silence, and again at the end of each further half. It is suspected
   * after one and a half: so it has been silent for an election timeout at least, whenever it was heard last, and has left
   * two questions unanswered. `onSilent` is called once for each silence.
   */
  constructor(electionTimeoutTicks: number, ear: PeerEar, onSilent: (node: NodeId) => void) {
    this.#ear = ear;
    this.#askAfterTicks = Math.max(1, electionTimeoutTicks >> 1);
    this.#suspectAfterTicks = electionTimeoutTicks + this.#askAfterTicks;
    this.#onSilent = onSilent;
  }

  /** `group` counts on `peers` from now on, and on nobody else. Cheap when that is no news. */
  countOn(group: GroupId, peers: readonly NodeId[]): void {
    const before = this.#countedOn.get(group) ?? NOBODY;
    if (before.length === peers.length && before.every((node, at) => node === peers[at])) return;
    for (const node of peers) this.#admit(node);
    for (const node of before) this.#dismiss(node);
    if (peers.length === 0) this.#countedOn.delete(group);
    else this.#countedOn.set(group, peers);
  }

  /** Nobody has to be heard for the sake of `group` any more. */
  forget(group: GroupId): void {
    this.countOn(group, NOBODY);
  }

  /** One tick. Costs what the number of peers does, however many groups count on each. */
  tick(): void {
    for (const [node, peer] of this.#peers) this.#listen(node, peer);
  }

  #listen(node: NodeId, peer: WatchedPeer): void {
    const heardMs = this.#ear.lastHeardMs(node);
    if (heardMs !== null && (peer.heardMs === null || heardMs > peer.heardMs)) {
      peer.heardMs = heardMs;
      peer.silentTicks = 0;
      return;
    }
    if (peer.silentTicks >= this.#suspectAfterTicks) return;
    peer.silentTicks++;
    if (peer.silentTicks === this.#suspectAfterTicks) this.#onSilent(node);
    else if (peer.silentTicks % this.#askAfterTicks === 0) this.#ear.ask(node);
  }

  #admit(node: NodeId): void {
    const peer = this.#peers.get(node);
    if (peer !== undefined) peer.groups++;
    else this.#peers.set(node, { groups: 1, heardMs: this.#ear.lastHeardMs(node), silentTicks: 0 });
  }

  #dismiss(node: NodeId): void {
    const peer = this.#peers.get(node);
    if (peer === undefined || --peer.groups > 0) return;
    this.#peers.delete(node);
  }
}
