/**
 * Raft messages as bytes. Sender and receiver are not written: the link they travel on knows both. The decoder
 * accepts only what a correct replica could have sent (terms that never fall within a log, none above the
 * sender's), because the core takes well-formed messages at their word.
 */
import { unreachable } from "../base/assert.ts";
import { type LogIndex, logIndex, type NodeId, type Term, term as toTerm } from "../base/ids.ts";
import type { Entry } from "../raft/entry.ts";
import type { AppendRequest, InstallSnapshot, RaftMessage } from "../raft/messages.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteSlab } from "./byte-slab.ts";
import type { ByteWriter } from "./byte-writer.ts";
import {
  decodeConfiguration,
  decodeEntry,
  ENTRY_BYTES_MIN,
  encodeConfiguration,
  encodeEntry,
  ordinal,
} from "./entry-codec.ts";
import { WireError } from "./wire-error.ts";

/** First byte of each message. Never renumbered: the protocol version would have to change. */
const CODE = {
  "pre-vote-request": 1,
  "pre-vote-response": 2,
  "vote-request": 3,
  "vote-response": 4,
  "append-request": 5,
  "append-response": 6,
  heartbeat: 7,
  "heartbeat-response": 8,
  "install-snapshot": 9,
  "timeout-now": 10,
} as const satisfies Record<RaftMessage["type"], number>;

/** Appends `message`, without `from` and `to`. */
export function encodeRaftMessage(writer: ByteWriter, message: RaftMessage): void {
  writer.u8(CODE[message.type]);
  writer.varint(message.term);
  switch (message.type) {
    case "pre-vote-request":
      writer.varint(message.lastIndex);
      writer.varint(message.lastTerm);
      return;
    case "vote-request":
      writer.varint(message.lastIndex);
      writer.varint(message.lastTerm);
      writer.bool(message.transfer);
      return;
    case "pre-vote-response":
    case "vote-response":
      writer.bool(message.granted);
      return;
    case "append-request":
      encodeAppendRequest(writer, message);
      return;
    case "append-response":
      writer.varint(message.session);
      writer.bool(message.rejected);
      writer.varint(message.index);
      writer.varint(message.hintIndex);
      writer.varint(message.hintTerm);
      return;
    case "heartbeat":
      writer.varint(message.commit);
      writer.varint(message.readRound);
      writer.bool(message.quiesce);
      return;
    case "heartbeat-response":
      writer.varint(message.readRound);
      return;
    case "install-snapshot":
      writer.varint(message.snapshot.index);
      writer.varint(message.snapshot.term);
      encodeConfiguration(writer, message.snapshot.configuration);
      return;
    case "timeout-now":
      return;
    default:
      unreachable(message);
  }
}

/** The message in `bytes` from `offset` up to `end`, all of it. Throws `WireError`. It keeps nothing of `bytes`. */
export function decodeRaftMessage(
  bytes: Uint8Array,
  offset: number,
  from: NodeId,
  to: NodeId,
  end: number = bytes.length,
): RaftMessage {
  const reader = new ByteReader(bytes, offset, end);
  const message = readRaftMessage(reader, from, to, new ByteSlab());
  reader.expectEnd();
  return message;
}

/** Reads one message where others may follow. It keeps nothing of the input: entries go into the log, which outlives it, and their bytes into `keeper`. */
export function readRaftMessage(reader: ByteReader, from: NodeId, to: NodeId, keeper: ByteSlab): RaftMessage {
  const code = reader.u8();
  const term = readTerm(reader);
  switch (code) {
    case CODE["pre-vote-request"]:
      return { type: "pre-vote-request", from, to, term, ...readLogEnd(reader, term) };
    case CODE["vote-request"]:
      return { type: "vote-request", from, to, term, ...readLogEnd(reader, term), transfer: reader.bool() };
    case CODE["pre-vote-response"]:
      return { type: "pre-vote-response", from, to, term, granted: reader.bool() };
    case CODE["vote-response"]:
      return { type: "vote-response", from, to, term, granted: reader.bool() };
    case CODE["append-request"]:
      return readAppendRequest(reader, from, to, term, keeper);
    case CODE["append-response"]:
      return {
        type: "append-response",
        from,
        to,
        term,
        session: reader.varint(),
        rejected: reader.bool(),
        index: readIndex(reader),
        hintIndex: readIndex(reader),
        hintTerm: readTerm(reader),
      };
    case CODE.heartbeat:
      return {
        type: "heartbeat",
        from,
        to,
        term,
        commit: readIndex(reader),
        readRound: reader.varint(),
        quiesce: reader.bool(),
      };
    case CODE["heartbeat-response"]:
      return { type: "heartbeat-response", from, to, term, readRound: reader.varint() };
    case CODE["install-snapshot"]:
      return readInstallSnapshot(reader, from, to, term);
    case CODE["timeout-now"]:
      return { type: "timeout-now", from, to, term };
    default:
      throw new WireError(`unknown raft message ${code}`, reader.offset);
  }
}

function encodeAppendRequest(writer: ByteWriter, message: AppendRequest): void {
  writer.varint(message.session);
  writer.varint(message.previousIndex);
  writer.varint(message.previousTerm);
  writer.varint(message.commit);
  writer.varint(message.entries.length);
  let previousTerm: number = message.previousTerm;
  for (const entry of message.entries) {
    encodeEntry(writer, entry, previousTerm);
    previousTerm = entry.term;
  }
}

function readAppendRequest(
  reader: ByteReader,
  from: NodeId,
  to: NodeId,
  term: Term,
  keeper: ByteSlab,
): AppendRequest {
  const session = reader.varint();
  const previousIndex = readIndex(reader);
  const previousTerm = readTerm(reader);
  const commit = readIndex(reader);
  const count = reader.count(ENTRY_BYTES_MIN);
  const entries: Entry[] = [];
  let lastTerm = previousTerm;
  for (let item = 0; item < count; item++) {
    const entry = decodeEntry(reader, logIndex(previousIndex + 1 + item), lastTerm, keeper);
    entries.push(entry);
    lastTerm = entry.term;
  }
  notAbove(reader, lastTerm, term);
  return { type: "append-request", from, to, term, session, previousIndex, previousTerm, entries, commit };
}

function readInstallSnapshot(reader: ByteReader, from: NodeId, to: NodeId, term: Term): InstallSnapshot {
  const index = readIndex(reader);
  const snapshotTerm = readTerm(reader);
  notAbove(reader, snapshotTerm, term);
  const configuration = decodeConfiguration(reader);
  return { type: "install-snapshot", from, to, term, snapshot: { index, term: snapshotTerm, configuration } };
}

function readLogEnd(
  reader: ByteReader,
  term: Term,
): { readonly lastIndex: LogIndex; readonly lastTerm: Term } {
  const lastIndex = readIndex(reader);
  const lastTerm = readTerm(reader);
  notAbove(reader, lastTerm, term);
  return { lastIndex, lastTerm };
}

/** No log holds an entry of a later term than its owner's. */
function notAbove(reader: ByteReader, logTerm: Term, term: Term): void {
  if (logTerm > term) throw new WireError(`an entry of term ${logTerm} in term ${term}`, reader.offset);
}

function readTerm(reader: ByteReader): Term {
  return toTerm(ordinal(reader, reader.varint()));
}

function readIndex(reader: ByteReader): LogIndex {
  return logIndex(ordinal(reader, reader.varint()));
}
