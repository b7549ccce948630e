/**
 * Short ways to write down what another replica says, for tests that play the others by hand.
 */
import { logIndex, term } from "../../src/base/ids.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type {
  AppendRequest,
  AppendResponse,
  Heartbeat,
  HeartbeatResponse,
  PreVoteRequest,
  RaftMessage,
  VoteRequest,
} from "../../src/raft/messages.ts";
import { bytesOf, type Host, nodeOf } from "./cluster.ts";

/** Data entries after `previousIndex`, one per term given. */
export function entriesOf(previousIndex: number, terms: readonly number[]): Entry[] {
  return terms.map((value, at) => ({
    kind: "data",
    index: logIndex(previousIndex + 1 + at),
    term: term(value),
    data: bytesOf(`${value}/${previousIndex + 1 + at}`),
  }));
}

interface Path {
  readonly from: number;
  readonly to: number;
  readonly term: number;
}

const envelope = ({ from, to, term: value }: Path) => ({
  from: nodeOf(from),
  to: nodeOf(to),
  term: term(value),
});

/** `previous` is [index, term]; `terms` are those of the entries. */
export function append(
  path: Path,
  previous: readonly [number, number],
  terms: readonly number[],
  commit = 0,
): AppendRequest {
  return {
    type: "append-request",
    ...envelope(path),
    session: 1,
    previousIndex: logIndex(previous[0]),
    previousTerm: term(previous[1]),
    entries: entriesOf(previous[0], terms),
    commit: logIndex(commit),
  };
}

export function appended(path: Path, index: number, session = 1): AppendResponse {
  return {
    type: "append-response",
    ...envelope(path),
    session,
    rejected: false,
    index: logIndex(index),
    hintIndex: logIndex(0),
    hintTerm: term(0),
  };
}

/** `last` is the end of the candidate's log: [index, term]. */
export function vote(path: Path, last: readonly [number, number], transfer = false): VoteRequest {
  return {
    type: "vote-request",
    ...envelope(path),
    lastIndex: logIndex(last[0]),
    lastTerm: term(last[1]),
    transfer,
  };
}

export function preVote(path: Path, last: readonly [number, number]): PreVoteRequest {
  return {
    type: "pre-vote-request",
    ...envelope(path),
    lastIndex: logIndex(last[0]),
    lastTerm: term(last[1]),
  };
}

export function voted(path: Path, granted = true): RaftMessage {
  return { type: "vote-response", ...envelope(path), granted };
}

export function preVoted(path: Path, granted = true): RaftMessage {
  return { type: "pre-vote-response", ...envelope(path), granted };
}

export function heartbeat(path: Path, commit = 0, readRound = 0, quiesce = false): Heartbeat {
  return { type: "heartbeat", ...envelope(path), commit: logIndex(commit), readRound, quiesce };
}

export function heartbeatAnswer(path: Path, readRound = 0): HeartbeatResponse {
  return { type: "heartbeat-response", ...envelope(path), readRound };
}

/** Steps `messages` in and returns what leaves. */
export function answers(host: Host, ...messages: readonly RaftMessage[]): RaftMessage[] {
  for (const message of messages) host.raft.step(message);
  return host.process().map((envelope) => envelope.message);
}

/** Index and term of every entry on disk. */
export function logOf(host: Host): string {
  return host.disk.entries.map((entry) => `${entry.term}/${entry.index}`).join(" ");
}
