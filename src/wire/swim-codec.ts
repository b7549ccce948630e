/**
 * Gossip on the wire: datagrams, and state exchanges inside a stream frame. All of it comes from outside and is not
 * trusted: whatever does not decode is a `WireError`, and what decodes is within the limits of `swim/`.
 *
 *   header   "CR" | version u8 | flags u8 (bit 0: encrypted) | cluster id 8 (zero: none)
 *   body     sender 8 | messages up to the end, or member and rumour lists
 *
 * An encrypted body will begin with key id u8 and nonce 12 and end with a tag of 16: the core leaves room for them.
 */
import type { Address } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import type { ClusterId } from "../base/ids.ts";
import { INCARNATION_MAX, type MemberMeta, type MemberState, memberMetaProblem } from "../swim/member.ts";
import { PACKET_BYTES_MAX, RUMOUR_KEY_BYTES_MAX, RUMOUR_PAYLOAD_BYTES_MAX } from "../swim/message-size.ts";
import type {
  DeathReason,
  MemberRecord,
  Rumour,
  StateExchange,
  SwimMessage,
  SwimPacket,
} from "../swim/messages.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { WireError } from "./wire-error.ts";

/** The version of this encoding. Another one is refused. */
export const SWIM_WIRE_VERSION = 1;

/** A state exchange larger than this is refused. */
export const STATE_EXCHANGE_BYTES_MAX = 8 * 1024 * 1024;

/** Members, and rumours, in one state exchange. */
const STATE_ELEMENTS_MAX = 65_536;
const STATE_EXCHANGE_INITIAL_BYTES = 4_096;

const MAGIC = 0x4352;
const FLAG_ENCRYPTED = 1;
const NO_CLUSTER = "0000000000000000";

const TYPES = ["ping", "ping-request", "ack", "nack", "alive", "suspect", "dead", "left", "rumour"] as const;
const TYPE_CODES = new Map<string, number>(TYPES.map((type, code) => [type, code]));
const STATES: readonly MemberState[] = ["alive", "suspect", "dead", "left"];
const REASONS: readonly DeathReason[] = ["unreachable", "replaced"];

/** The sender encrypts its gossip and this node holds no key, or the sender's is another. */
export class EncryptedGossipError extends WireError {
  constructor(offset: number) {
    super("encrypted gossip, and no key to read it", offset);
  }
}

/** One buffer for all encoding; what leaves is an exact copy. */
const writer = new ByteWriter(PACKET_BYTES_MAX);

/** One datagram, at most `PACKET_BYTES_MAX` bytes when the core packed it. The bytes belong to the caller. */
export function encodePacket(packet: SwimPacket): Uint8Array {
  writer.reset();
  writeHeader(writer, packet);
  for (const message of packet.messages) writeMessage(writer, message);
  return writer.copy();
}

/** Throws `WireError`, and nothing else, unless `bytes` are one whole datagram. Keeps no view of them. */
export function decodePacket(bytes: Uint8Array): SwimPacket {
  if (bytes.length > PACKET_BYTES_MAX) throw new WireError("datagram too large", PACKET_BYTES_MAX);
  const reader = new ByteReader(bytes);
  const header = readHeader(reader);
  const messages: SwimMessage[] = [];
  while (reader.remaining > 0) messages.push(readMessage(reader));
  return { ...header, messages };
}

/** The body of one stream frame. The bytes belong to the caller. */
export function encodeStateExchange(state: StateExchange): Uint8Array {
  const writer = new ByteWriter(STATE_EXCHANGE_INITIAL_BYTES);
  writeHeader(writer, state);
  writer.varint(state.members.length);
  for (const { state: memberState, incarnation, meta } of state.members) {
    writer.u8(STATES.indexOf(memberState));
    writer.varint(incarnation);
    writeMeta(writer, meta);
  }
  writer.varint(state.rumours.length);
  for (const rumour of state.rumours) writeRumour(writer, rumour);
  return writer.take();
}

/** Throws `WireError`, and nothing else, unless `bytes` are one whole state exchange. Keeps no view of them. */
export function decodeStateExchange(bytes: Uint8Array): StateExchange {
  if (bytes.length > STATE_EXCHANGE_BYTES_MAX)
    throw new WireError("state too large", STATE_EXCHANGE_BYTES_MAX);
  const reader = new ByteReader(bytes);
  const header = readHeader(reader);
  const members: MemberRecord[] = [];
  for (let left = reader.count(META_BYTES_MIN, STATE_ELEMENTS_MAX); left > 0; left--) {
    const state = readOneOf(reader, STATES);
    const incarnation = readIncarnation(reader);
    members.push({ state, incarnation, meta: readMeta(reader) });
  }
  const rumours: Rumour[] = [];
  for (let left = reader.count(RUMOUR_BYTES_MIN, STATE_ELEMENTS_MAX); left > 0; left--) {
    rumours.push(readRumour(reader));
  }
  reader.expectEnd();
  return { ...header, members, rumours };
}

/** Fixed fields and three empty texts; key length, version, origin and payload length. */
const META_BYTES_MIN = 45;
const RUMOUR_BYTES_MIN = 12;

type Header = Pick<SwimPacket, "sender" | "clusterId">;

function writeHeader(writer: ByteWriter, header: Header): void {
  writer.u16(MAGIC);
  writer.u8(SWIM_WIRE_VERSION);
  writer.u8(0);
  writeClusterId(writer, header.clusterId);
  writer.nodeId(header.sender);
}

function readHeader(reader: ByteReader): Header {
  if (reader.u16() !== MAGIC) throw new WireError("not gossip of crema", reader.offset);
  const version = reader.u8();
  if (version !== SWIM_WIRE_VERSION) {
    throw new WireError(`gossip version ${version}, ${SWIM_WIRE_VERSION} wanted`, reader.offset);
  }
  const flags = reader.u8();
  if ((flags & FLAG_ENCRYPTED) !== 0) throw new EncryptedGossipError(reader.offset);
  if (flags !== 0) throw new WireError(`unknown flags ${flags}`, reader.offset);
  const clusterId = readClusterId(reader);
  return { sender: reader.nodeId(), clusterId };
}

function writeMessage(writer: ByteWriter, message: SwimMessage): void {
  writer.u8(TYPE_CODES.get(message.type) ?? 0);
  switch (message.type) {
    case "ping":
      writer.u32(message.sequence);
      writer.nodeId(message.target);
      break;
    case "ping-request":
      writer.u32(message.sequence);
      writer.nodeId(message.target);
      writeAddress(writer, message.address);
      break;
    case "ack":
      writer.u32(message.sequence);
      writer.nodeId(message.member);
      break;
    case "nack":
      writer.u32(message.sequence);
      break;
    case "alive":
      writer.varint(message.incarnation);
      writeMeta(writer, message.meta);
      break;
    case "suspect":
      writer.nodeId(message.member);
      writer.varint(message.incarnation);
      writer.nodeId(message.accuser);
      break;
    case "dead":
      writer.nodeId(message.member);
      writer.varint(message.incarnation);
      writer.nodeId(message.accuser);
      writer.u8(REASONS.indexOf(message.reason));
      break;
    case "left":
      writer.nodeId(message.member);
      writer.varint(message.incarnation);
      break;
    case "rumour":
      writeRumour(writer, message);
      break;
    default:
      unreachable(message);
  }
}

function readMessage(reader: ByteReader): SwimMessage {
  const type = readOneOf(reader, TYPES);
  switch (type) {
    case "ping":
      return { type, sequence: reader.u32(), target: reader.nodeId() };
    case "ping-request":
      return { type, sequence: reader.u32(), target: reader.nodeId(), address: readAddress(reader) };
    case "ack":
      return { type, sequence: reader.u32(), member: reader.nodeId() };
    case "nack":
      return { type, sequence: reader.u32() };
    case "alive":
      return { type, incarnation: readIncarnation(reader), meta: readMeta(reader) };
    case "suspect":
      return {
        type,
        member: reader.nodeId(),
        incarnation: readIncarnation(reader),
        accuser: reader.nodeId(),
      };
    case "dead":
      return {
        type,
        member: reader.nodeId(),
        incarnation: readIncarnation(reader),
        accuser: reader.nodeId(),
        reason: readOneOf(reader, REASONS),
      };
    case "left":
      return { type, member: reader.nodeId(), incarnation: readIncarnation(reader) };
    case "rumour":
      return readRumour(reader);
    default:
      return unreachable(type);
  }
}

/** `swim/member` counts these bytes (`memberMetaBytes`): change both or neither. */
function writeMeta(writer: ByteWriter, meta: MemberMeta): void {
  writer.nodeId(meta.id);
  writer.hex64(meta.nonce);
  writeAddress(writer, meta.address);
  writer.u16(meta.respPort);
  writer.u16(meta.httpPort);
  writer.utf8(meta.name);
  writer.utf8(meta.zone);
  writer.f64(meta.weight);
  writer.u16(meta.protocolMin);
  writer.u16(meta.protocolMax);
  writeClusterId(writer, meta.clusterId);
  writer.bool(meta.reluctant);
}

function readMeta(reader: ByteReader): MemberMeta {
  const meta: MemberMeta = {
    id: reader.nodeId(),
    nonce: reader.bootNonce(),
    address: readAddress(reader),
    respPort: reader.u16(),
    httpPort: reader.u16(),
    name: reader.utf8(),
    zone: reader.utf8(),
    weight: reader.f64(),
    protocolMin: reader.u16(),
    protocolMax: reader.u16(),
    clusterId: readClusterId(reader),
    reluctant: reader.bool(),
  };
  const problem = memberMetaProblem(meta);
  if (problem !== null) throw new WireError(`member metadata: ${problem}`, reader.offset);
  return meta;
}

function writeRumour(writer: ByteWriter, rumour: Rumour): void {
  writer.latin1(rumour.key);
  writer.varint(rumour.version);
  writer.nodeId(rumour.origin);
  writer.bytes(rumour.payload);
}

function readRumour(reader: ByteReader): Rumour {
  const key = reader.latin1(RUMOUR_KEY_BYTES_MAX);
  if (key === "") throw new WireError("broadcast without a key", reader.offset);
  const version = reader.varint();
  const origin = reader.nodeId();
  // A copy: what is kept for long must not pin the buffer it came in.
  const payload = new Uint8Array(reader.bytes(RUMOUR_PAYLOAD_BYTES_MAX));
  return { type: "rumour", key, version, origin, payload };
}

function writeAddress(writer: ByteWriter, address: Address): void {
  writer.latin1(address.host);
  writer.u16(address.port);
}

function readAddress(reader: ByteReader): Address {
  const host = reader.latin1(HOST_BYTES_MAX);
  const port = reader.u16();
  if (!/^[\x21-\x7e]+$/.test(host) || port === 0) throw new WireError("malformed address", reader.offset);
  return { host, port };
}

const HOST_BYTES_MAX = 255;

function writeClusterId(writer: ByteWriter, id: ClusterId | null): void {
  if (id === null) {
    writer.u32(0);
    writer.u32(0);
  } else {
    writer.hex64(id);
  }
}

function readClusterId(reader: ByteReader): ClusterId | null {
  const id = reader.clusterId();
  return id === NO_CLUSTER ? null : id;
}

function readIncarnation(reader: ByteReader): number {
  const incarnation = reader.varint();
  if (incarnation > INCARNATION_MAX) throw new WireError("incarnation out of range", reader.offset);
  return incarnation;
}

function readOneOf<T>(reader: ByteReader, values: readonly T[]): T {
  const code = reader.u8();
  const value = values[code];
  if (value === undefined) throw new WireError(`unknown code ${code}`, reader.offset - 1);
  return value;
}
