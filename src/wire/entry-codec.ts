/**
 * Log entries and configurations as bytes, for peer links and for log stores. An entry is written without its index
 * (entries travel in contiguous runs) and its term as the step from the one before it, which is nearly always 0.
 */
import { unreachable } from "../base/assert.ts";
import { type LogIndex, type NodeId, term as toTerm } from "../base/ids.ts";
import type { Configuration } from "../raft/configuration.ts";
import type { Entry } from "../raft/entry.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteSlab } from "./byte-slab.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { WireError } from "./wire-error.ts";

/** Terms and log indexes on the wire stay below this, so that the next one is always a safe integer. */
export const ORDINAL_MAX = 2 ** 52;

const NOOP = 0;
const DATA = 1;
const MEMBERSHIP = 2;

/** Kind and term step. */
export const ENTRY_BYTES_MIN = 2;

/** `previousTerm` is the term of the entry before this one, 0 when it stands alone. */
export function encodeEntry(writer: ByteWriter, entry: Entry, previousTerm: number): void {
  const step = entry.term - previousTerm;
  switch (entry.kind) {
    case "noop":
      writer.u8(NOOP);
      writer.varint(step);
      return;
    case "data":
      writer.u8(DATA);
      writer.varint(step);
      writer.lend(entry.data);
      return;
    case "membership":
      writer.u8(MEMBERSHIP);
      writer.varint(step);
      encodeConfiguration(writer, entry.configuration);
      return;
    default:
      unreachable(entry);
  }
}

/** The entry's `data` is a view on the input, or a copy that outlives it, in `keeper`. */
export function decodeEntry(
  reader: ByteReader,
  index: LogIndex,
  previousTerm: number,
  keeper: ByteSlab | null = null,
): Entry {
  const kind = reader.u8();
  const term = toTerm(ordinal(reader, previousTerm + reader.varint()));
  switch (kind) {
    case NOOP:
      return { kind: "noop", index, term };
    case DATA:
      return {
        kind: "data",
        index,
        term,
        data: keeper === null ? reader.bytes() : keeper.keep(reader.bytes()),
      };
    case MEMBERSHIP:
      return { kind: "membership", index, term, configuration: decodeConfiguration(reader) };
    default:
      throw new WireError(`unknown kind of entry ${kind}`, reader.offset);
  }
}

export function encodeConfiguration(writer: ByteWriter, configuration: Configuration): void {
  encodeNodes(writer, configuration.voters);
  encodeNodes(writer, configuration.votersOutgoing);
  encodeNodes(writer, configuration.learners);
  encodeNodes(writer, configuration.learnersNext);
  writer.bool(configuration.autoLeave);
}

/** Refuses lists that are not sorted or name a node twice: a majority would be miscounted. */
export function decodeConfiguration(reader: ByteReader): Configuration {
  return {
    voters: decodeNodes(reader),
    votersOutgoing: decodeNodes(reader),
    learners: decodeNodes(reader),
    learnersNext: decodeNodes(reader),
    autoLeave: reader.bool(),
  };
}

/** `value`, which was just read, when it may be a term or an index. */
export function ordinal(reader: ByteReader, value: number): number {
  if (value > ORDINAL_MAX) throw new WireError(`term or index ${value} is too large`, reader.offset);
  return value;
}

function encodeNodes(writer: ByteWriter, nodes: readonly NodeId[]): void {
  writer.varint(nodes.length);
  for (const node of nodes) writer.nodeId(node);
}

function decodeNodes(reader: ByteReader): readonly NodeId[] {
  const count = reader.count(8);
  const nodes: NodeId[] = [];
  let previous = "";
  for (let item = 0; item < count; item++) {
    const node = reader.nodeId();
    if (node <= previous) throw new WireError("nodes of a configuration are out of order", reader.offset);
    nodes.push(node);
    previous = node;
  }
  return nodes;
}
