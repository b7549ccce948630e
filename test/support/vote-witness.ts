/**
 * Remembers over every life of every node what it has said to others about terms: whom it voted for, and who led.
 */
import type { GroupId, NodeId } from "../../src/base/ids.ts";
import type { HostProbe } from "../../src/host/probe.ts";
import type { RaftMessage } from "../../src/raft/messages.ts";

export class VoteWitness {
  readonly violations: string[] = [];
  /** `group/term/voter` of votes that were sent, with the candidate. */
  readonly #votes = new Map<string, NodeId>();
  /** `group/term`, with the leader. */
  readonly #leaders = new Map<string, NodeId>();
  /** `group/node`: the highest term in which it has said anything. */
  readonly #terms = new Map<string, number>();
  readonly probe: HostProbe = {
    opened: () => {},
    ready: (group, { messages, leadership }) => {
      for (const message of messages) this.#sent(group.id, message);
      if (leadership?.role === "leader")
        this.#once(this.#leaders, `${group.id}/${leadership.term}`, group.raft.self);
    },
    applied: () => {},
    installed: () => {},
    readAsked: () => {},
    removed: () => {},
    buried: () => {},
    forced: () => {},
    failed: (group, error) => this.violations.push(`group ${group.id} failed: ${String(error)}`),
  };

  #sent(group: GroupId, message: RaftMessage): void {
    const { from, to, term, type } = message;
    if (type === "vote-response" && message.granted) this.#once(this.#votes, `${group}/${term}/${from}`, to);
    if (type === "vote-request") this.#once(this.#votes, `${group}/${term}/${from}`, from);
    // What promises nothing may be of a term that was never written down.
    if (
      type !== "vote-response" &&
      type !== "vote-request" &&
      !(type === "append-response" && !message.rejected)
    )
      return;
    const key = `${group}/${from}`;
    const before = this.#terms.get(key) ?? 0;
    if (term < before) this.violations.push(`${key} went back from term ${before} to ${term} in a ${type}`);
    else this.#terms.set(key, term);
  }

  #once(seen: Map<string, NodeId>, key: string, node: NodeId): void {
    const before = seen.get(key);
    if (before !== undefined && before !== node) this.violations.push(`${key}: ${before}, then ${node}`);
    seen.set(key, node);
  }
}
