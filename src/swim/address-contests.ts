/**
 * Hearsay says that a member lives at an address where we know another one. Only the address itself can tell:
 * it is pinged for the newcomer, and the claim waits for the answer.
 */
import { sameAddress } from "../base/address.ts";
import type { NodeId } from "../base/ids.ts";
import type { AliveClaim } from "./messages.ts";

interface Contest {
  readonly claim: AliveClaim;
  readonly untilMs: number;
}

/** Contests at a time; further claims are dropped, gossip or the next exchange repeats them. */
const CONTESTS_MAX = 32;

export class AddressContests {
  readonly #patienceMs: number;
  /** By the sequence of the ping, oldest first. */
  readonly #open = new Map<number, Contest>();

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Whether a ping should go out for `claim`; false when one is under way for its address, or too many are. */
  open(nowMs: number, sequence: number, claim: AliveClaim): boolean {
    for (const [opened, contest] of this.#open) {
      if (contest.untilMs <= nowMs) this.#open.delete(opened);
      else if (sameAddress(contest.claim.meta.address, claim.meta.address)) return false;
    }
    if (this.#open.size >= CONTESTS_MAX) return false;
    this.#open.set(sequence, { claim, untilMs: nowMs + this.#patienceMs });
    return true;
  }

  /** The claim that `speaker` proved by answering; null when there is none. */
  answered(nowMs: number, sequence: number, speaker: NodeId): AliveClaim | null {
    const contest = this.#open.get(sequence);
    if (contest === undefined || contest.claim.meta.id !== speaker || contest.untilMs <= nowMs) return null;
    this.#open.delete(sequence);
    return contest.claim;
  }
}
