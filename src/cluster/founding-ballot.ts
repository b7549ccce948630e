/**
 * One attempt of this node to have a founding value decided: who promised, who accepted, which value it is bound to.
 * Counts nodes by id, so that one node behind two seeds has one vote, and so has one that restarted in between.
 */
import type { BootNonce, NodeId } from "../base/ids.ts";
import type { MemberIdentity } from "./cluster-map.ts";
import { type AcceptedValue, type Ballot, compareBallots, type FoundingValue } from "./founding-messages.ts";

export class FoundingBallot {
  readonly ballot: Ballot;
  phase: "prepare" | "accept" = "prepare";
  /** When the current phase is given up. */
  deadlineMs: number;
  /** When those who have not answered are asked again. */
  resendAtMs: number;
  /** When enough had promised; null before. */
  enoughSinceMs: number | null = null;
  /** What is to be accepted; null until the phase `accept`. */
  value: FoundingValue | null = null;
  readonly #promises = new Map<NodeId, MemberIdentity>();
  readonly #accepts = new Set<NodeId>();
  readonly #answered = new Map<string, BootNonce>();
  #bound: AcceptedValue | null = null;

  constructor(ballot: Ballot, nowMs: number, timeoutMs: number) {
    this.ballot = ballot;
    this.deadlineMs = nowMs + timeoutMs;
    this.resendAtMs = nowMs;
  }

  get promiseCount(): number {
    return this.#promises.size;
  }

  get acceptCount(): number {
    return this.#accepts.size;
  }

  /** Everybody who promised, this node first, the rest by id. */
  voters(founder: MemberIdentity): MemberIdentity[] {
    const others = [...this.#promises.values()].filter(({ nodeId }) => nodeId !== founder.nodeId);
    return [founder, ...others.sort((left, right) => (left.nodeId < right.nodeId ? -1 : 1))];
  }

  /** The value of the highest ballot that any promise told: it may be decided already, so no other may be proposed. */
  get boundValue(): FoundingValue | null {
    return this.#bound?.value ?? null;
  }

  promised(from: MemberIdentity, accepted: AcceptedValue | null): void {
    if (this.phase !== "prepare") return;
    this.#promises.set(from.nodeId, from);
    if (accepted === null) return;
    if (this.#bound === null || compareBallots(accepted.ballot, this.#bound.ballot) > 0)
      this.#bound = accepted;
  }

  accepted(from: MemberIdentity): void {
    if (this.phase === "accept") this.#accepts.add(from.nodeId);
  }

  /** `address` answered in this phase, whatever it said. */
  answeredAt(address: string, boot: BootNonce): void {
    this.#answered.set(address, boot);
  }

  processAt(address: string): BootNonce | null {
    return this.#answered.get(address) ?? null;
  }

  /** On to the second phase. */
  propose(value: FoundingValue, nowMs: number, timeoutMs: number): void {
    this.phase = "accept";
    this.value = value;
    this.deadlineMs = nowMs + timeoutMs;
    this.resendAtMs = nowMs;
    this.#answered.clear();
  }
}
