/**
 * Commands as bytes. The node that receives a request encodes its session command once; the leader joins those bytes
 * into a batch without looking at them (`batch-builder.ts`); every replica decodes the batch when it applies it.
 *
 * A session command is: session, sequence, low water (varints), a tag, and what the tag announces. The format is part
 * of the log and of the protocol: tags are only ever added.
 */
import { assert, unreachable } from "../base/assert.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../base/limits.ts";
import type {
  Command,
  EvictCommand,
  EvictItem,
  ExpireCommand,
  ExpiryItem,
  SessionCommand,
  SetCommand,
} from "../cache/command.ts";
import { KEEP_TTL, NO_TTL } from "../cache/command.ts";
import { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { readInt64, readSigned, writeInt64, writeSigned } from "./signed-codec.ts";
import { WireError } from "./wire-error.ts";

const SET = 1;
const SET_MANY = 2;
const DELETE = 3;
const DELETE_IF_VERSION = 4;
const GET_DELETE = 5;
const GET_EXPIRE = 6;
const EXPIRE = 7;
const PERSIST = 8;
const INCREMENT = 9;
const INCREMENT_LARGE = 10;
const INCREMENT_FLOAT = 11;
const APPEND = 12;
const SET_RANGE = 13;
const RENAME = 14;
const CLEAR = 15;
const REMOVE_EXPIRED = 16;
const OPEN_SESSION = 17;
const EVICT = 18;

/** Flags of `set`: bits 0-1 the condition, bit 2 `returnOld`, bits 3-4 how the expiry is given. */
const SET_CONDITIONS: readonly SetCommand["condition"][] = [
  "always",
  "if-absent",
  "if-present",
  "if-version",
];
const SET_RETURN_OLD = 0b0_0100;
const SET_KEEP_TTL = 0b0_1000;
const SET_WITH_TTL = 0b1_0000;
const SET_FLAGS_MAX = 0b1_1111;
const EXPIRE_CONDITIONS: readonly ExpireCommand["condition"][] = [
  "always",
  "if-none",
  "if-some",
  "if-later",
  "if-earlier",
];

const EVICT_REASONS: readonly EvictCommand["reason"][] = ["memory", "idle"];

/** Three varints and a tag. */
const COMMAND_BYTES_MIN = 4;

/** What a log entry of a shard holds. */
export interface Batch {
  /** The leader's machine time when it was proposed. */
  readonly stampMs: number;
  readonly commands: readonly SessionCommand[];
}

/** Reads a whole entry. It keeps nothing of `bytes`. Empty bytes (a leader's first entry) are an empty batch of stamp 0. */
export function decodeBatch(bytes: Uint8Array): Batch {
  const commands: SessionCommand[] = [];
  if (bytes.length === 0) return { stampMs: 0, commands };
  const reader = new ByteReader(bytes);
  const stampMs = reader.f64();
  if (!(stampMs >= 0 && stampMs <= Number.MAX_SAFE_INTEGER)) {
    throw new WireError(`stamp ${stampMs} is not a time`, reader.offset);
  }
  const count = reader.count(COMMAND_BYTES_MIN);
  for (let done = 0; done < count; done++) commands.push(decodeSessionCommand(reader));
  reader.expectEnd();
  return { stampMs, commands };
}

export function encodeSessionCommand(writer: ByteWriter, command: SessionCommand): void {
  writer.varint(command.session);
  writer.varint(command.sequence);
  writer.varint(command.lowWater);
  encodeCommand(writer, command.command);
}

export function decodeSessionCommand(reader: ByteReader): SessionCommand {
  const session = reader.varint();
  const sequence = reader.varint();
  const lowWater = reader.varint();
  return { session, sequence, lowWater, command: decodeCommand(reader) };
}

function encodeCommand(writer: ByteWriter, command: Command): void {
  switch (command.type) {
    case "set":
      encodeSet(writer, command);
      return;
    case "set-many":
      writer.u8(SET_MANY);
      writer.bool(command.onlyIfAllAbsent);
      writer.varint(command.pairs.length);
      for (const [key, value] of command.pairs) {
        writeKey(writer, key);
        writeValue(writer, value);
      }
      return;
    case "delete":
      writer.u8(DELETE);
      writer.varint(command.keys.length);
      for (const key of command.keys) writeKey(writer, key);
      return;
    case "delete-if-version":
      writer.u8(DELETE_IF_VERSION);
      writeKey(writer, command.key);
      writer.varint(command.expectedVersion);
      return;
    case "get-delete":
      writer.u8(GET_DELETE);
      writeKey(writer, command.key);
      return;
    case "get-expire":
      writer.u8(GET_EXPIRE);
      writeKey(writer, command.key);
      writeSigned(writer, command.ttlMs);
      return;
    case "expire":
      writer.u8(EXPIRE);
      writer.u8(EXPIRE_CONDITIONS.indexOf(command.condition));
      writeKey(writer, command.key);
      writeSigned(writer, command.ttlMs);
      return;
    case "persist":
      writer.u8(PERSIST);
      writeKey(writer, command.key);
      return;
    case "increment":
      writer.u8(typeof command.by === "number" ? INCREMENT : INCREMENT_LARGE);
      writeKey(writer, command.key);
      if (typeof command.by === "number") writeSigned(writer, command.by);
      else writeInt64(writer, command.by);
      return;
    case "increment-float":
      writer.u8(INCREMENT_FLOAT);
      writeKey(writer, command.key);
      writer.f64(command.by);
      return;
    case "append":
      writer.u8(APPEND);
      writeKey(writer, command.key);
      writeValue(writer, command.value);
      return;
    case "set-range":
      writer.u8(SET_RANGE);
      writeKey(writer, command.key);
      writer.varint(command.offset);
      writeValue(writer, command.value);
      return;
    case "rename":
      writer.u8(RENAME);
      writer.bool(command.onlyIfAbsent);
      writeKey(writer, command.from);
      writeKey(writer, command.to);
      return;
    case "clear":
      writer.u8(CLEAR);
      return;
    case "remove-expired":
      writer.u8(REMOVE_EXPIRED);
      writer.varint(command.items.length);
      for (const { key, expiresAtMs } of command.items) {
        writeKey(writer, key);
        writer.f64(expiresAtMs);
      }
      return;
    case "evict":
      writer.u8(EVICT);
      writer.u8(EVICT_REASONS.indexOf(command.reason));
      writer.varint(command.items.length);
      for (const { key, version } of command.items) {
        writeKey(writer, key);
        writer.varint(version);
      }
      return;
    case "open-session":
      writer.u8(OPEN_SESSION);
      writer.nodeId(command.node);
      writer.hex64(command.boot);
      return;
    default:
      unreachable(command);
  }
}

function decodeCommand(reader: ByteReader): Command {
  const tag = reader.u8();
  switch (tag) {
    case SET:
      return decodeSet(reader);
    case SET_MANY: {
      const onlyIfAllAbsent = reader.bool();
      const pairs: [key: string, value: string][] = [];
      const count = reader.count(2);
      for (let done = 0; done < count; done++) pairs.push([readKey(reader), readValue(reader)]);
      return { type: "set-many", pairs, onlyIfAllAbsent };
    }
    case DELETE: {
      const keys: string[] = [];
      const count = reader.count(1);
      for (let done = 0; done < count; done++) keys.push(readKey(reader));
      return { type: "delete", keys };
    }
    case DELETE_IF_VERSION:
      return { type: "delete-if-version", key: readKey(reader), expectedVersion: reader.varint() };
    case GET_DELETE:
      return { type: "get-delete", key: readKey(reader) };
    case GET_EXPIRE:
      return { type: "get-expire", key: readKey(reader), ttlMs: readSigned(reader) };
    case EXPIRE: {
      const condition = oneOf(reader, EXPIRE_CONDITIONS, reader.u8());
      return { type: "expire", key: readKey(reader), ttlMs: readSigned(reader), condition };
    }
    case PERSIST:
      return { type: "persist", key: readKey(reader) };
    case INCREMENT:
      return { type: "increment", key: readKey(reader), by: readSigned(reader) };
    case INCREMENT_LARGE:
      return { type: "increment", key: readKey(reader), by: readInt64(reader) };
    case INCREMENT_FLOAT:
      return { type: "increment-float", key: readKey(reader), by: reader.f64() };
    case APPEND:
      return { type: "append", key: readKey(reader), value: readValue(reader) };
    case SET_RANGE:
      return { type: "set-range", key: readKey(reader), offset: reader.varint(), value: readValue(reader) };
    case RENAME: {
      const onlyIfAbsent = reader.bool();
      return { type: "rename", from: readKey(reader), to: readKey(reader), onlyIfAbsent };
    }
    case CLEAR:
      return { type: "clear" };
    case REMOVE_EXPIRED: {
      const items: ExpiryItem[] = [];
      const count = reader.count(9);
      for (let done = 0; done < count; done++)
        items.push({ key: readKey(reader), expiresAtMs: reader.f64() });
      return { type: "remove-expired", items };
    }
    case OPEN_SESSION:
      return { type: "open-session", node: reader.nodeId(), boot: reader.bootNonce() };
    case EVICT: {
      const reason = oneOf(reader, EVICT_REASONS, reader.u8());
      const items: EvictItem[] = [];
      const count = reader.count(2);
      for (let done = 0; done < count; done++) items.push({ key: readKey(reader), version: reader.varint() });
      return { type: "evict", reason, items };
    }
    default:
      throw new WireError(`command with unknown tag ${tag}`, reader.offset - 1);
  }
}

function encodeSet(writer: ByteWriter, command: SetCommand): void {
  const { ttlMs, condition } = command;
  let flags = SET_CONDITIONS.indexOf(condition);
  if (command.returnOld) flags |= SET_RETURN_OLD;
  if (ttlMs === KEEP_TTL) flags |= SET_KEEP_TTL;
  else if (ttlMs !== NO_TTL) flags |= SET_WITH_TTL;
  writer.u8(SET);
  writer.u8(flags);
  writeKey(writer, command.key);
  writeValue(writer, command.value);
  if ((flags & SET_WITH_TTL) !== 0) writer.varint(ttlMs);
  if (condition === "if-version") writer.varint(command.expectedVersion);
}

function decodeSet(reader: ByteReader): SetCommand {
  const flags = reader.u8();
  const keepTtl = (flags & SET_KEEP_TTL) !== 0;
  const withTtl = (flags & SET_WITH_TTL) !== 0;
  if (flags > SET_FLAGS_MAX || (keepTtl && withTtl))
    throw new WireError(`set with flags ${flags}`, reader.offset - 1);
  const condition = oneOf(reader, SET_CONDITIONS, flags & 0b11);
  const key = readKey(reader);
  const value = readValue(reader);
  const ttlMs = withTtl ? reader.varint() : keepTtl ? KEEP_TTL : NO_TTL;
  const expectedVersion = condition === "if-version" ? reader.varint() : 0;
  return {
    type: "set",
    key,
    value,
    ttlMs,
    condition,
    expectedVersion,
    returnOld: (flags & SET_RETURN_OLD) !== 0,
  };
}

/** An entry that replicas cannot decode would stop the shard: what is too long must not get that far. */
function writeKey(writer: ByteWriter, key: string): void {
  assert(key.length <= KEY_BYTES_MAX, "a key fits its limit", { bytes: key.length });
  writer.latin1(key);
}

function writeValue(writer: ByteWriter, value: string): void {
  assert(value.length <= VALUE_BYTES_MAX, "a value fits its limit", { bytes: value.length });
  writer.latin1(value);
}

function readKey(reader: ByteReader): string {
  return reader.latin1(KEY_BYTES_MAX);
}

function readValue(reader: ByteReader): string {
  return reader.latin1(VALUE_BYTES_MAX);
}

function oneOf<T>(reader: ByteReader, choices: readonly T[], at: number): T {
  const choice = choices[at];
  if (choice === undefined) throw new WireError(`choice ${at} of ${choices.length}`, reader.offset - 1);
  return choice;
}
