/**
 * Handing leadership over: stop taking proposals, bring the successor's log up to date, tell it to campaign at once.
 * Gives up after an election timeout and goes on leading. @see Raft dissertation §3.10
 */
import type { NodeId } from "../base/ids.ts";
import type { Leading } from "./leading.ts";
import type { TransferResult } from "./outcomes.ts";
import type { Progress } from "./progress.ts";
import type { RaftState } from "./state.ts";

/** Begins to hand over to `to`, in place of any transfer under way. */
export function startTransfer(state: RaftState, leading: Leading, to: NodeId): TransferResult {
  if (to === state.self) return { type: "refused", reason: "this node leads already" };
  const peer = leading.peer(to);
  if (peer === undefined || !state.configuration.voters.includes(to)) {
    return { type: "refused", reason: `${to} is not a voter` };
  }
  leading.transfer = { to, deadlineTick: state.tick + state.options.electionTimeoutTicks };
  // Were its last requests lost, nobody would notice before the next heartbeat.
  peer.checkDue = true;
  leading.mark(peer);
  handOverIfCaughtUp(state, leading, peer);
  return { type: "started" };
}

/** Tells the successor to campaign once it holds the whole log. Repeated at its answers, should the message be lost. */
export function handOverIfCaughtUp(state: RaftState, leading: Leading, peer: Progress): void {
  if (leading.transfer?.to !== peer.node || peer.match !== state.log.lastIndex) return;
  // Its election ignores every lease, ours included.
  leading.lease.break();
  state.send({ type: "timeout-now", from: state.self, to: peer.node, term: state.term });
}

/** One tick of a leader that hands over. */
export function tickTransfer(state: RaftState, leading: Leading): void {
  if (leading.transfer !== null && state.tick >= leading.transfer.deadlineTick) leading.transfer = null;
}
