/**
 * What a message of another term means. Terms are the clock of the protocol: whoever sees a later one knows that it
 * is behind, and whoever hears from an earlier one tells it so. @see Raft §5.1
 */
import { unreachable } from "../base/assert.ts";
import { refuseStaleLeader } from "./following.ts";
import type { RaftMessage } from "./messages.ts";
import type { RaftState } from "./state.ts";

/**
 * A later term is adopted, with exceptions that keep a lone or removed node from deposing a leader that works.
 * False when the message is not to be looked at any further. @see Raft §5.1
 */
export function meetHigherTerm(state: RaftState, message: RaftMessage): boolean {
  switch (message.type) {
    case "pre-vote-request":
      return true;
    case "pre-vote-response":
      if (message.granted) return true;
      state.becomeFollower(message.term, null);
      return false;
    case "vote-request":
      if (state.leaseHeld && !message.transfer) return false;
      state.becomeFollower(message.term, null);
      return true;
    case "append-request":
    case "heartbeat":
    case "install-snapshot":
      state.becomeFollower(message.term, message.from);
      return true;
    case "append-response":
    case "heartbeat-response":
    case "vote-response":
    case "timeout-now":
      state.becomeFollower(message.term, null);
      return false;
    default:
      return unreachable(message);
  }
}

/** Those who act on an earlier term learn of ours; late answers are of no interest. @see Raft §5.1 */
export function answerLowerTerm(state: RaftState, message: RaftMessage): void {
  switch (message.type) {
    case "append-request":
    case "heartbeat":
    case "install-snapshot":
      refuseStaleLeader(state, message.from);
      return;
    case "pre-vote-request":
      state.send({
        type: "pre-vote-response",
        from: state.self,
        to: message.from,
        term: state.term,
        granted: false,
      });
      return;
    case "vote-request":
      state.send({
        type: "vote-response",
        from: state.self,
        to: message.from,
        term: state.term,
        granted: false,
      });
      return;
    case "pre-vote-response":
    case "vote-response":
    case "append-response":
    case "heartbeat-response":
    case "timeout-now":
      return;
    default:
      unreachable(message);
  }
}
