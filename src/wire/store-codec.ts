/**
 * What a log store keeps, as bytes: one record for each call of the store, so that every adapter writes the same layout and
 * a record is whole or not there. Framing and checksums are the adapter's: it knows its medium.
 */
import { unreachable } from "../base/assert.ts";
import {
  type BootNonce,
  type ClusterId,
  type GroupId,
  type LogIndex,
  logIndex,
  type NodeId,
  type Term,
  term as toTerm,
} from "../base/ids.ts";
import type { Entry } from "../raft/entry.ts";
import type { SnapshotMetadata } from "../raft/messages.ts";
import type { HardState } from "../raft/ready.ts";
import type { Tombstone } from "../raft/tombstone.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import {
  decodeConfiguration,
  decodeEntry,
  ENTRY_BYTES_MIN,
  encodeConfiguration,
  encodeEntry,
  ordinal,
} from "./entry-codec.ts";
import { readGroupId } from "./id-codec.ts";
import { WireError } from "./wire-error.ts";

type Slices = readonly Uint8Array[] | null;

/** One group's share of a turn. */
export interface GroupChange {
  readonly group: GroupId;
  readonly base: SnapshotMetadata | null;
  readonly checkpoint: Slices;
  readonly entries: readonly Entry[];
  readonly hardState: HardState | null;
}

/** What is remembered of the node itself. */
export interface NodeChange {
  readonly nodeId: NodeId;
  readonly boots: readonly BootNonce[];
  readonly clusterId: ClusterId | null;
  readonly map: Uint8Array | null;
  readonly founding: Uint8Array | null;
}

/** One call of a store. */
export type StoreRecord =
  | { readonly type: "turn"; readonly changes: readonly GroupChange[] }
  | {
      readonly type: "checkpoint";
      readonly group: GroupId;
      readonly base: SnapshotMetadata;
      readonly checkpoint: Slices;
    }
  | { readonly type: "remove"; readonly group: GroupId; readonly tombstone: Tombstone }
  | { readonly type: "node"; readonly node: NodeChange };

/** First byte. Raised when the layout changes. */
const VERSION = 1;
const CODE = { turn: 1, checkpoint: 2, remove: 3, node: 4 } as const satisfies Record<
  StoreRecord["type"],
  number
>;
/** A group, two flags, and the count of entries. */
const CHANGE_BYTES_MIN = 4;
const ID_BYTES = 8;

/** Exactly as long as needed, owned by the caller. */
export function encodeStoreRecord(record: StoreRecord): Uint8Array {
  const writer = new ByteWriter(512);
  writer.u8(VERSION);
  writer.u8(CODE[record.type]);
  switch (record.type) {
    case "turn":
      writer.varint(record.changes.length);
      for (const change of record.changes) writeChange(writer, change);
      break;
    case "checkpoint":
      writer.varint(record.group);
      writeBase(writer, record.base);
      writeSlices(writer, record.checkpoint);
      break;
    case "remove":
      writer.varint(record.group);
      writeTombstone(writer, record.tombstone);
      break;
    case "node":
      writeNode(writer, record.node);
      break;
    default:
      return unreachable(record);
  }
  return writer.copy();
}

/** Throws `WireError`. Entries and slices are views on `bytes`. */
export function decodeStoreRecord(bytes: Uint8Array): StoreRecord {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== VERSION) throw new WireError(`layout version ${version} is not ${VERSION}`, 0);
  const record = readRecord(reader, reader.u8());
  reader.expectEnd();
  return record;
}

function readRecord(reader: ByteReader, code: number): StoreRecord {
  switch (code) {
    case CODE.turn: {
      const changes: GroupChange[] = [];
      for (let rest = reader.count(CHANGE_BYTES_MIN); rest > 0; rest--) changes.push(readChange(reader));
      return { type: "turn", changes };
    }
    case CODE.checkpoint: {
      const group = readGroupId(reader);
      const base = readBase(reader);
      return { type: "checkpoint", group, base, checkpoint: readSlices(reader) };
    }
    case CODE.remove:
      return { type: "remove", group: readGroupId(reader), tombstone: readTombstone(reader) };
    case CODE.node:
      return { type: "node", node: readNode(reader) };
    default:
      throw new WireError(`unknown store record ${code}`, 1);
  }
}

function writeChange(writer: ByteWriter, change: GroupChange): void {
  const { group, base, checkpoint, entries, hardState } = change;
  writer.varint(group);
  writer.bool(base !== null);
  if (base !== null) {
    writeBase(writer, base);
    writeSlices(writer, checkpoint);
  }
  writer.bool(hardState !== null);
  if (hardState !== null) {
    writer.varint(hardState.term);
    writeOptionalNode(writer, hardState.vote);
    writer.varint(hardState.commit);
  }
  writer.varint(entries.length);
  const [first] = entries;
  if (first === undefined) return;
  writer.varint(first.index);
  let previousTerm = 0;
  for (const entry of entries) {
    encodeEntry(writer, entry, previousTerm);
    previousTerm = entry.term;
  }
}

function readChange(reader: ByteReader): GroupChange {
  const group = readGroupId(reader);
  const base = reader.bool() ? readBase(reader) : null;
  const checkpoint = base === null ? null : readSlices(reader);
  const hardState = reader.bool() ? readHardState(reader) : null;
  const count = reader.count(ENTRY_BYTES_MIN);
  const entries: Entry[] = [];
  if (count > 0) {
    const first = readIndex(reader);
    let previousTerm = 0;
    for (let item = 0; item < count; item++) {
      const entry = decodeEntry(reader, logIndex(first + item), previousTerm);
      entries.push(entry);
      previousTerm = entry.term;
    }
  }
  return { group, base, checkpoint, entries, hardState };
}

function readHardState(reader: ByteReader): HardState {
  return { term: readTerm(reader), vote: readOptionalNode(reader), commit: readIndex(reader) };
}

function writeBase(writer: ByteWriter, base: SnapshotMetadata): void {
  writer.varint(base.index);
  writer.varint(base.term);
  encodeConfiguration(writer, base.configuration);
}

function readBase(reader: ByteReader): SnapshotMetadata {
  return { index: readIndex(reader), term: readTerm(reader), configuration: decodeConfiguration(reader) };
}

function writeSlices(writer: ByteWriter, slices: Slices): void {
  writer.bool(slices !== null);
  if (slices === null) return;
  writer.varint(slices.length);
  for (const slice of slices) writer.bytes(slice);
}

function readSlices(reader: ByteReader): Slices {
  if (!reader.bool()) return null;
  const slices: Uint8Array[] = [];
  for (let rest = reader.count(1); rest > 0; rest--) slices.push(reader.bytes());
  return slices;
}

function writeTombstone(writer: ByteWriter, { term, vote, lastIndex, lastTerm }: Tombstone): void {
  writer.varint(term);
  writeOptionalNode(writer, vote);
  writer.varint(lastIndex);
  writer.varint(lastTerm);
}

function readTombstone(reader: ByteReader): Tombstone {
  const term = readTerm(reader);
  const vote = readOptionalNode(reader);
  return { term, vote, lastIndex: readIndex(reader), lastTerm: readTerm(reader) };
}

function writeNode(writer: ByteWriter, { nodeId, boots, clusterId, map, founding }: NodeChange): void {
  writer.nodeId(nodeId);
  writer.varint(boots.length);
  for (const boot of boots) writer.hex64(boot);
  writer.bool(clusterId !== null);
  if (clusterId !== null) writer.hex64(clusterId);
  writeOptionalBytes(writer, map);
  writeOptionalBytes(writer, founding);
}

function readNode(reader: ByteReader): NodeChange {
  const nodeId = reader.nodeId();
  const boots: BootNonce[] = [];
  for (let rest = reader.count(ID_BYTES); rest > 0; rest--) boots.push(reader.bootNonce());
  const clusterId = reader.bool() ? reader.clusterId() : null;
  const map = readOptionalBytes(reader);
  return { nodeId, boots, clusterId, map, founding: readOptionalBytes(reader) };
}

function writeOptionalNode(writer: ByteWriter, node: NodeId | null): void {
  writer.bool(node !== null);
  if (node !== null) writer.nodeId(node);
}

function readOptionalNode(reader: ByteReader): NodeId | null {
  return reader.bool() ? reader.nodeId() : null;
}

function writeOptionalBytes(writer: ByteWriter, bytes: Uint8Array | null): void {
  writer.bool(bytes !== null);
  if (bytes !== null) writer.bytes(bytes);
}

function readOptionalBytes(reader: ByteReader): Uint8Array | null {
  return reader.bool() ? reader.bytes() : null;
}

function readTerm(reader: ByteReader): Term {
  return toTerm(ordinal(reader, reader.varint()));
}

function readIndex(reader: ByteReader): LogIndex {
  return logIndex(ordinal(reader, reader.varint()));
}
