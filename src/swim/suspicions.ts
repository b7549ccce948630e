/**
 * Who is suspected at the moment, by whom, and until when.
 */
import type { NodeId } from "../base/ids.ts";
import { type SuspicionBounds, suspicionTimeoutMs } from "./suspicion-timeout.ts";

interface Suspicion {
  startedAtMs: number;
  readonly bounds: SuspicionBounds;
  /** The first accuser and those who confirmed; at most K + 1. */
  readonly accusers: Set<NodeId>;
  deadlineMs: number;
}

/** The suspicions that run, at most one for each member. */
export class Suspicions {
  readonly #running = new Map<NodeId, Suspicion>();
  /** Not after the earliest deadline; may be before it. */
  #nextMs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#running.size;
  }

  start(nowMs: number, member: NodeId, accuser: NodeId, bounds: SuspicionBounds): void {
    const deadlineMs = nowMs + suspicionTimeoutMs(bounds, 0);
    this.#running.set(member, { startedAtMs: nowMs, bounds, accusers: new Set([accuser]), deadlineMs });
    this.#nextMs = Math.min(this.#nextMs, deadlineMs);
  }

  /** Another accusation. True when it was independent and still needed: then it should be spread on. */
  confirm(member: NodeId, accuser: NodeId): boolean {
    const suspicion = this.#running.get(member);
    if (suspicion === undefined || suspicion.accusers.has(accuser)) return false;
    if (suspicion.accusers.size > suspicion.bounds.confirmationsNeeded) return false;
    suspicion.accusers.add(accuser);
    const timeoutMs = suspicionTimeoutMs(suspicion.bounds, suspicion.accusers.size - 1);
    suspicion.deadlineMs = suspicion.startedAtMs + timeoutMs;
    this.#nextMs = Math.min(this.#nextMs, suspicion.deadlineMs);
    return true;
  }

  stop(member: NodeId): void {
    this.#running.delete(member);
    if (this.#running.size === 0) this.#nextMs = Number.POSITIVE_INFINITY;
  }

  /** We were not running for `pausedMs`: nobody could have refuted in that time. */
  postpone(pausedMs: number): void {
    for (const suspicion of this.#running.values()) {
      suspicion.startedAtMs += pausedMs;
      suspicion.deadlineMs += pausedMs;
    }
    this.#nextMs += pausedMs;
  }

  /** When the suspicion of `member` runs out; null when there is none. */
  deadlineMs(member: NodeId): number | null {
    return this.#running.get(member)?.deadlineMs ?? null;
  }

  nextDeadlineMs(): number {
    return this.#nextMs;
  }

  /** Removes and returns those that ran out, in the order they began. */
  expire(nowMs: number): NodeId[] {
    const expired: NodeId[] = [];
    if (nowMs < this.#nextMs) return expired;
    this.#nextMs = Number.POSITIVE_INFINITY;
    for (const [member, suspicion] of this.#running) {
      if (suspicion.deadlineMs <= nowMs) {
        expired.push(member);
        this.#running.delete(member);
      } else {
        this.#nextMs = Math.min(this.#nextMs, suspicion.deadlineMs);
      }
    }
    return expired;
  }
}
