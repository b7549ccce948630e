/**
 * Whether this node should lead: not while it stops, not while its disk is full, and not while that confirms nothing. What it leads
 * then goes to others, if there are any, and they hand nothing to it. @see Standing
 */
import type { Standing } from "../host/multi-raft.ts";
import type { NodeEvent } from "./door.ts";

export class NodeStanding {
  /** Why nothing can be written here now, for people; null when it can. */
  diskFull: string | null = null;
  /** Writes wait for the disk for longer than followers wait for a leader. */
  diskStalled = false;
  #stops = false;
  readonly #take: (standing: Standing) => void;
  readonly #emit: (event: NodeEvent) => void;

  constructor(take: (standing: Standing) => void, emit: (event: NodeEvent) => void) {
    this.#take = take;
    this.#emit = emit;
  }

  stops(): void {
    this.#stops = true;
    this.#stand();
  }

  /** The disk has too little space (`reason`, for people), or enough again (null). */
  spaceChanged(reason: string | null): void {
    if (reason === this.diskFull) return;
    const wasFull = this.diskFull !== null;
    this.diskFull = reason;
    this.#stand();
    if (reason === null) this.#emit({ type: "disk-recovered", reason: "the disk has space again" });
    else if (!wasFull) this.#emit({ type: "disk-full", reason });
  }

  stallChanged(stalled: boolean): void {
    this.diskStalled = stalled;
    this.#stand();
    if (stalled) this.#emit({ type: "disk-stalled", reason: "the disk confirms no writes" });
    else this.#emit({ type: "disk-recovered", reason: "the disk confirms writes again" });
  }

  #stand(): void {
    if (this.#stops) this.#take("hands-over");
    else if (this.diskFull !== null) this.#take("read-only");
    else this.#take(this.diskStalled ? "hands-over" : "leads");
  }
}
