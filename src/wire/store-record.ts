/**
 * What a log store keeps, as bytes: one record for everything that becomes durable at once. A record is a header and
 * sections, one for each change. The header says of every section what must not be lost with it: which group it belongs to, where
 * its log ends, its term and vote. So damage within a section costs that group its data here, and never its promises;
 * damage within the header costs the record.
 *
 *   u32 checksum of the header | u32 its length | header | sections
 *
 * Sections are checked one by one. The checksum is CRC-32.
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
import { crc32 } from "./crc32.ts";
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

/** A checkpoint that lies in a file of its own. */
export interface CheckpointFile {
  readonly file: string;
  /** Bytes of the file. */
  readonly bytes: number;
}

/** A machine at a base: in the record itself when it is small, in a file, or (null) as it is made. */
export type StoredMachine = readonly Uint8Array[] | CheckpointFile | null;

/** One group's share of a turn. */
export interface GroupChange {
  readonly type: "group";
  readonly group: GroupId;
  /** Replaces log and checkpoints of the group, first. */
  readonly base: SnapshotMetadata | null;
  /** The machine at `base`; null without one. */
  readonly machine: StoredMachine;
  readonly entries: readonly Entry[];
  readonly hardState: HardState | null;
}

/** A newer checkpoint, within the log. */
export interface CheckpointChange {
  readonly type: "checkpoint";
  readonly group: GroupId;
  readonly base: SnapshotMetadata;
  readonly machine: StoredMachine;
}

/** A replica that was destroyed. */
export interface RemoveChange {
  readonly type: "remove";
  readonly group: GroupId;
  readonly tombstone: Tombstone;
}

/** What is remembered of the node itself. */
export interface NodeChange {
  readonly type: "node";
  readonly nodeId: NodeId;
  readonly boots: readonly BootNonce[];
  readonly clusterId: ClusterId | null;
  readonly map: Uint8Array | null;
  readonly founding: Uint8Array | null;
}

export type StoreChange = GroupChange | CheckpointChange | RemoveChange | NodeChange;

/** What the header says of a section. */
export type SectionHeader =
  | {
      readonly type: "group";
      readonly group: GroupId;
      readonly base: LogPosition | null;
      readonly hardState: HardState | null;
      /** 0 when there are no entries. */
      readonly entries: number;
      /** Index of the first entry. */
      readonly first: LogIndex;
      /** Term of the last entry. */
      readonly lastTerm: Term;
    }
  | { readonly type: "checkpoint"; readonly group: GroupId; readonly base: LogPosition }
  | { readonly type: "remove"; readonly group: GroupId; readonly tombstone: Tombstone }
  | { readonly type: "node" };

export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

/** One section of a record that was read. */
export interface Section {
  readonly header: SectionHeader;
  /** Bytes of the section. */
  readonly bytes: number;
  /** Its checksum does not match: nothing but the header is to be believed. */
  readonly damaged: boolean;
  /** Decodes it: entries and slices are views on the record. Throws `WireError` when it is damaged after all. */
  read(): StoreChange;
}

export interface StoreRecord {
  /** 1, 2, 3, ... without gaps. */
  readonly sequence: number;
  readonly sections: readonly Section[];
}

/** CRC-32, but for tests that want to come past it. */
export type Checksum = (bytes: Uint8Array) => number;

/** Raised when the layout changes. */
export const STORE_RECORD_VERSION = 2;
const PREFIX_BYTES = 8;
const TYPE = { group: 1, checkpoint: 2, remove: 3, node: 4 } as const;
/** Type, length and checksum. */
const SECTION_HEADER_BYTES_MIN = 6;
const ID_BYTES = 8;
const MACHINE = { none: 0, slices: 1, file: 2 } as const;
const FILE_NAME_BYTES_MAX = 255;

/** A record, and what a {@link StoreIndex} wants to know of it. */
export interface EncodedRecord {
  readonly sequence: number;
  /** Exactly as long as needed, owned by the caller. */
  readonly bytes: Uint8Array;
  readonly sections: readonly { readonly header: SectionHeader; readonly bytes: number }[];
}

/** Reused from record to record. */
export class StoreRecordEncoder {
  readonly #checksum: Checksum;
  readonly #header = new ByteWriter(512);
  readonly #body = new ByteWriter(16 * 1024);

  constructor(checksum: Checksum = crc32) {
    this.#checksum = checksum;
  }

  encode(sequence: number, changes: readonly StoreChange[]): EncodedRecord {
    const sections: { header: SectionHeader; bytes: number }[] = [];
    const header = this.#header;
    const body = this.#body;
    header.reset();
    body.reset();
    header.u8(STORE_RECORD_VERSION);
    header.varint(sequence);
    header.varint(changes.length);
    for (const change of changes) {
      const start = body.length;
      const sectionHeader = headerOf(change);
      writeBody(body, change);
      writeHeader(header, sectionHeader);
      const section = body.view().subarray(start);
      sections.push({ header: sectionHeader, bytes: section.length });
      header.varint(section.length);
      header.u32(this.#checksum(section));
    }
    const record = new Uint8Array(PREFIX_BYTES + header.length + body.length);
    const view = new DataView(record.buffer);
    view.setUint32(0, this.#checksum(header.view()));
    view.setUint32(4, header.length);
    record.set(header.view(), PREFIX_BYTES);
    record.set(body.view(), PREFIX_BYTES + header.length);
    return { sequence, bytes: record, sections };
  }
}

/**
 * Throws `WireError` when the header is damaged. Damaged sections are told, not thrown. With bytes cut off at the end, the
 * sections that are not whole count as damaged.
 */
export function decodeStoreRecord(bytes: Uint8Array, checksum: Checksum = crc32): StoreRecord {
  const prefix = new ByteReader(bytes);
  const headerSum = prefix.u32();
  const headerBytes = prefix.raw(prefix.u32());
  if (checksum(headerBytes) !== headerSum) throw new WireError("checksum of a header does not match", 0);
  const reader = new ByteReader(headerBytes);
  const version = reader.u8();
  if (version !== STORE_RECORD_VERSION)
    throw new WireError(`layout version ${version} is not ${STORE_RECORD_VERSION}`, PREFIX_BYTES);
  const sequence = reader.varint();
  const sections: Section[] = [];
  let at = PREFIX_BYTES + headerBytes.length;
  for (let rest = reader.count(SECTION_HEADER_BYTES_MIN); rest > 0; rest--) {
    const header = readHeader(reader);
    const length = reader.varint();
    const sum = reader.u32();
    const body = bytes.subarray(at, at + length);
    const damaged = body.length !== length || checksum(body) !== sum;
    sections.push({ header, bytes: length, damaged, read: () => readBody(body, header) });
    at += length;
  }
  reader.expectEnd();
  if (at < bytes.length) throw new WireError(`${bytes.length - at} bytes too many`, at);
  return { sequence, sections };
}

/** What the header of a record says of `change`. */
export function headerOf(change: StoreChange): SectionHeader {
  switch (change.type) {
    case "group": {
      const { type, group, base, hardState, entries } = change;
      const first = entries[0]?.index ?? logIndex(0);
      const lastTerm = entries.at(-1)?.term ?? toTerm(0);
      return { type, group, base, hardState, entries: entries.length, first, lastTerm };
    }
    case "checkpoint":
      return { type: "checkpoint", group: change.group, base: change.base };
    case "remove":
      return change;
    case "node":
      return { type: "node" };
    default:
      return unreachable(change);
  }
}

function writeHeader(writer: ByteWriter, header: SectionHeader): void {
  writer.u8(TYPE[header.type]);
  switch (header.type) {
    case "group": {
      const { group, base, hardState, entries, first, lastTerm } = header;
      writer.varint(group);
      writer.bool(base !== null);
      if (base !== null) writePosition(writer, base);
      writer.bool(hardState !== null);
      if (hardState !== null) {
        writer.varint(hardState.term);
        writeOptionalNode(writer, hardState.vote);
        writer.varint(hardState.commit);
      }
      writer.varint(entries);
      writer.varint(first);
      writer.varint(lastTerm);
      return;
    }
    case "checkpoint":
      writer.varint(header.group);
      writePosition(writer, header.base);
      return;
    case "remove": {
      const { term, vote, lastIndex, lastTerm } = header.tombstone;
      writer.varint(header.group);
      writer.varint(term);
      writeOptionalNode(writer, vote);
      writePosition(writer, { index: lastIndex, term: lastTerm });
      return;
    }
    case "node":
      return;
    default:
      unreachable(header);
  }
}

function readHeader(reader: ByteReader): SectionHeader {
  const code = reader.u8();
  switch (code) {
    case TYPE.group: {
      const group = readGroupId(reader);
      const base = reader.bool() ? readPosition(reader) : null;
      const hardState = reader.bool() ? readHardState(reader) : null;
      const entries = reader.varint();
      const first = readIndex(reader);
      return { type: "group", group, base, hardState, entries, first, lastTerm: readTerm(reader) };
    }
    case TYPE.checkpoint:
      return { type: "checkpoint", group: readGroupId(reader), base: readPosition(reader) };
    case TYPE.remove: {
      const group = readGroupId(reader);
      const term = readTerm(reader);
      const vote = readOptionalNode(reader);
      const { index, term: lastTerm } = readPosition(reader);
      return { type: "remove", group, tombstone: { term, vote, lastIndex: index, lastTerm } };
    }
    case TYPE.node:
      return { type: "node" };
    default:
      throw new WireError(`unknown section ${code}`, reader.offset - 1);
  }
}

function writeBody(writer: ByteWriter, change: StoreChange): void {
  switch (change.type) {
    case "group": {
      if (change.base !== null) {
        encodeConfiguration(writer, change.base.configuration);
        writeMachine(writer, change.machine);
      }
      let previousTerm = 0;
      for (const entry of change.entries) {
        encodeEntry(writer, entry, previousTerm);
        previousTerm = entry.term;
      }
      return;
    }
    case "checkpoint":
      encodeConfiguration(writer, change.base.configuration);
      writeMachine(writer, change.machine);
      return;
    case "remove":
      return;
    case "node":
      writeNode(writer, change);
      return;
    default:
      unreachable(change);
  }
}

function readBody(bytes: Uint8Array, header: SectionHeader): StoreChange {
  const reader = new ByteReader(bytes);
  const change = readChange(reader, header);
  reader.expectEnd();
  return change;
}

function readChange(reader: ByteReader, header: SectionHeader): StoreChange {
  switch (header.type) {
    case "group": {
      const { type, group, hardState, first } = header;
      const base =
        header.base === null ? null : { ...header.base, configuration: decodeConfiguration(reader) };
      const machine = base === null ? null : readMachine(reader);
      if (header.entries * ENTRY_BYTES_MIN > reader.remaining)
        throw new WireError(`${header.entries} entries are too many`, reader.offset);
      const entries: Entry[] = [];
      let previousTerm = 0;
      for (let item = 0; item < header.entries; item++) {
        const entry = decodeEntry(reader, logIndex(first + item), previousTerm);
        entries.push(entry);
        previousTerm = entry.term;
      }
      return { type, group, base, machine, entries, hardState };
    }
    case "checkpoint": {
      const base = { ...header.base, configuration: decodeConfiguration(reader) };
      return { type: "checkpoint", group: header.group, base, machine: readMachine(reader) };
    }
    case "remove":
      return header;
    case "node":
      return readNode(reader);
    default:
      return unreachable(header);
  }
}

function writeMachine(writer: ByteWriter, machine: StoredMachine): void {
  if (machine === null) {
    writer.u8(MACHINE.none);
  } else if ("file" in machine) {
    writer.u8(MACHINE.file);
    writer.utf8(machine.file);
    writer.varint(machine.bytes);
  } else {
    writer.u8(MACHINE.slices);
    writer.varint(machine.length);
    for (const slice of machine) writer.bytes(slice);
  }
}

function readMachine(reader: ByteReader): StoredMachine {
  const code = reader.u8();
  switch (code) {
    case MACHINE.none:
      return null;
    case MACHINE.file:
      return { file: reader.utf8(FILE_NAME_BYTES_MAX), bytes: reader.varint() };
    case MACHINE.slices: {
      const slices: Uint8Array[] = [];
      for (let rest = reader.count(1); rest > 0; rest--) slices.push(reader.bytes());
      return slices;
    }
    default:
      throw new WireError(`unknown kind of checkpoint ${code}`, reader.offset - 1);
  }
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
  return { type: "node", nodeId, boots, clusterId, map, founding: readOptionalBytes(reader) };
}

function readHardState(reader: ByteReader): HardState {
  return { term: readTerm(reader), vote: readOptionalNode(reader), commit: readIndex(reader) };
}

function writePosition(writer: ByteWriter, { index, term }: LogPosition): void {
  writer.varint(index);
  writer.varint(term);
}

function readPosition(reader: ByteReader): LogPosition {
  return { index: readIndex(reader), term: readTerm(reader) };
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
