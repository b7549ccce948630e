/**
 * The first words on every connection between nodes: hello from the dialling end, then welcome or refusal.
 * The layout of these three is the one thing that all versions share, so fields are only ever added at the end and
 * readers ignore what follows the fields they know.
 */
import type { Address } from "../base/address.ts";
import type { BootNonce, ClusterId, NodeId } from "../base/ids.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { WireError } from "./wire-error.ts";

/** "CRMA". */
const MAGIC = 0x4352_4d41;
/** Oldest and newest link protocol that this program speaks. */
export const PROTOCOL_MIN = 1;
export const PROTOCOL_MAX = 1;
/** Frames before the end of the handshake are limited to this. */
export const HANDSHAKE_FRAME_BYTES_MAX = 2_048;
const HOST_BYTES_MAX = 255;
const PROOF_BYTES_MAX = 512;
const CODE_BYTES_MAX = 64;
const MESSAGE_BYTES_MAX = 1_024;

/**
 * What a connection is for. `link`: the standing connection of two members; `call`: one question, perhaps between
 * strangers; `bulk`: one large stream.
 */
export type Purpose = "link" | "call" | "bulk";
const PURPOSES: readonly Purpose[] = ["link", "call", "bulk"];

/** Who an end of a connection is. */
export interface Identity {
  readonly node: NodeId;
  readonly boot: BootNonce;
  /** null before this node belongs to a cluster. */
  readonly clusterId: ClusterId | null;
  /** What others dial to reach this node. */
  readonly address: Address;
}

/** How an end proves that it knows the cluster's secret. Scheme 0: no secret, no proof. */
export interface Proof {
  /** 0 .. 255. */
  readonly scheme: number;
  /** At most 512 bytes. */
  readonly bytes: Uint8Array;
}

export const NO_PROOF: Proof = Object.freeze({ scheme: 0, bytes: new Uint8Array(0) });

export interface Hello {
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly purpose: Purpose;
  readonly identity: Identity;
  readonly proof: Proof;
  /** Whom the dialling end looks for; null: whoever is there. Another node refuses, and nothing of its own is disturbed. */
  readonly expected: NodeId | null;
}

export interface Welcome {
  /** The protocol version both ends speak from now on. */
  readonly protocol: number;
  readonly identity: Identity;
  readonly proof: Proof;
}

export interface Refusal {
  /** One of the error codes of `base/errors.ts`, or a newer one. */
  readonly code: string;
  /** For people. */
  readonly message: string;
  /** Who refuses, so that the caller learns whom it met. */
  readonly identity: Identity;
}

export function writeHello(writer: ByteWriter, hello: Hello): void {
  writer.u32(MAGIC);
  writer.u16(hello.protocolMin);
  writer.u16(hello.protocolMax);
  writer.u8(PURPOSES.indexOf(hello.purpose));
  writeIdentity(writer, hello.identity);
  writeProof(writer, hello.proof);
  writer.bool(hello.expected !== null);
  if (hello.expected !== null) writer.nodeId(hello.expected);
}

/** Throws {@link WireError} for anything that is not a hello. */
export function readHello(reader: ByteReader): Hello {
  readMagic(reader);
  const protocolMin = reader.u16();
  const protocolMax = reader.u16();
  const purpose = PURPOSES[reader.u8()];
  if (purpose === undefined) throw new WireError("unknown purpose", reader.offset - 1);
  return {
    protocolMin,
    protocolMax,
    purpose,
    identity: readIdentity(reader),
    proof: readProof(reader),
    expected: reader.bool() ? reader.nodeId() : null,
  };
}

export function writeWelcome(writer: ByteWriter, welcome: Welcome): void {
  writer.u32(MAGIC);
  writer.u16(welcome.protocol);
  writeIdentity(writer, welcome.identity);
  writeProof(writer, welcome.proof);
}

/** Throws {@link WireError} for anything that is not a welcome. */
export function readWelcome(reader: ByteReader): Welcome {
  readMagic(reader);
  return { protocol: reader.u16(), identity: readIdentity(reader), proof: readProof(reader) };
}

export function writeRefusal(writer: ByteWriter, refusal: Refusal): void {
  writer.u32(MAGIC);
  writer.latin1(refusal.code);
  writer.utf8(refusal.message.slice(0, MESSAGE_BYTES_MAX / 4));
  writeIdentity(writer, refusal.identity);
}

/** Throws {@link WireError} for anything that is not a refusal. */
export function readRefusal(reader: ByteReader): Refusal {
  readMagic(reader);
  return {
    code: reader.latin1(CODE_BYTES_MAX),
    message: reader.utf8(MESSAGE_BYTES_MAX),
    identity: readIdentity(reader),
  };
}

function writeIdentity(writer: ByteWriter, identity: Identity): void {
  writer.nodeId(identity.node);
  writer.hex64(identity.boot);
  writer.bool(identity.clusterId !== null);
  if (identity.clusterId !== null) writer.hex64(identity.clusterId);
  writer.utf8(identity.address.host);
  writer.u16(identity.address.port);
}

function readIdentity(reader: ByteReader): Identity {
  return {
    node: reader.nodeId(),
    boot: reader.bootNonce(),
    clusterId: reader.bool() ? reader.clusterId() : null,
    address: { host: reader.utf8(HOST_BYTES_MAX), port: reader.u16() },
  };
}

function writeProof(writer: ByteWriter, proof: Proof): void {
  writer.u8(proof.scheme);
  writer.bytes(proof.bytes);
}

function readProof(reader: ByteReader): Proof {
  return { scheme: reader.u8(), bytes: new Uint8Array(reader.bytes(PROOF_BYTES_MAX)) };
}

function readMagic(reader: ByteReader): void {
  if (reader.u32() !== MAGIC) throw new WireError("not a crema node", 0);
}
