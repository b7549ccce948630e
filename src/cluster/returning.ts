/**
 * How a node with a past makes itself known again: it keeps telling its cluster of its new life, in person and through
 * every address it knows in turn, until the map says so. One that came back in the middle of a founding has the same to
 * tell: the map it founds names the life that endorsed it. Nothing waits for that: its replicas vote and serve meanwhile,
 * for when a whole fleet comes back there is nobody to ask.
 */
import { type Address, formatAddress } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Clock, Timer } from "../host/ports.ts";
import { findMember, type MemberIdentity } from "./cluster-map.ts";
import type { ControlPlane } from "./control-plane.ts";

const PAUSE_MIN_MS = 200;
const PAUSE_MAX_MS = 5_000;

export interface ReturningParts {
  readonly identity: () => MemberIdentity;
  readonly control: ControlPlane;
  readonly clock: Clock;
  readonly random: Random;
  /** Where members may be: seeds, the map's members, whom gossip has met. Asked again for every attempt. */
  readonly addresses: () => readonly Address[];
  /** The cluster has removed this node. */
  readonly onRemoved: (address: Address | null) => void;
  readonly onReport: (level: "info" | "warn", message: string) => void;
}

export class Returning {
  readonly #parts: ReturningParts;
  #attempts = 0;
  #timer: Timer | null = null;
  #lastReport = "";
  #asking = false;
  #closed = false;

  constructor(parts: ReturningParts) {
    this.#parts = parts;
  }

  /** The map knows of this life. */
  get done(): boolean {
    const { map } = this.#parts.control;
    const { nodeId, boot } = this.#parts.identity();
    return map !== null && findMember(map, nodeId)?.boot === boot;
  }

  /** Begins, or goes on if it is at it already. */
  start(): void {
    if (this.#asking || this.#timer !== null) return;
    this.#attempts = 0;
    void this.#attempt();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #attempt(): Promise<void> {
    this.#timer = null;
    if (this.#closed || this.done) return;
    const address = this.#nextAddress();
    this.#asking = true;
    try {
      await this.#parts.control.comeBack(address);
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof CremaError && error.code === "CREMA_REMOVED") {
        this.#parts.onRemoved(address);
        return;
      }
      this.#report(address, error);
    } finally {
      this.#asking = false;
    }
    if (this.#closed || this.done) return;
    const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** Math.min(this.#attempts++, 8));
    const jitteredMs = pauseMs * (0.75 + this.#parts.random.nextFloat() / 2);
    this.#timer = this.#parts.clock.setTimer(jitteredMs, () => void this.#attempt());
  }

  /** Every other attempt in person (null): the way that works when no address is right and this node leads. */
  #nextAddress(): Address | null {
    const addresses = this.#parts.addresses();
    if (this.#attempts % 2 === 0 || addresses.length === 0) return null;
    return addresses[(this.#attempts >> 1) % addresses.length] ?? null;
  }

  #report(address: Address | null, error: unknown): void {
    const through = address === null ? "" : ` through ${formatAddress(address)}`;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `telling the cluster that this node is back${through}: ${reason}`;
    if (message === this.#lastReport) return;
    this.#lastReport = message;
    const conflict = error instanceof CremaError && error.code === "CREMA_ID_CONFLICT";
    this.#parts.onReport(conflict ? "warn" : "info", message);
  }
}
