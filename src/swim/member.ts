/**
 * What gossip knows of a member: who it is, where it listens, how it is. Members are immutable values:
 * a change makes a new one, so that an event keeps showing what was true when it was raised.
 */
import { type Address, sameAddress } from "../base/address.ts";
import type { BootNonce, ClusterId, NodeId } from "../base/ids.ts";
import { MEMBER_META_BYTES_MAX } from "../base/limits.ts";

/** What a member says of itself. Only that member may change it, with a new incarnation. */
export interface MemberMeta {
  readonly id: NodeId;
  /** Drawn at every start of the process; two of them under one id are two processes. */
  readonly nonce: BootNonce;
  /** Where gossip (UDP) and links (TCP) reach it. */
  readonly address: Address;
  /** Port of the Redis door; 0 = closed. */
  readonly respPort: number;
  /** Port of the HTTP door; 0 = closed. */
  readonly httpPort: number;
  /** For people; may be empty. */
  readonly name: string;
  /** Failure domain, for placement; empty = none. */
  readonly zone: string;
  /** Capacity relative to the others, > 0. */
  readonly weight: number;
  /** Oldest and newest protocol version it speaks. */
  readonly protocolMin: number;
  readonly protocolMax: number;
  /** Null until it belongs to a cluster. */
  readonly clusterId: ClusterId | null;
  /** It should not lead: its disk is full, or it is about to stop. */
  readonly reluctant: boolean;
}

/** `dead` was declared by others, `left` by the member itself. @see SWIM §4.2 */
export type MemberState = "alive" | "suspect" | "dead" | "left";

export interface Member {
  readonly id: NodeId;
  readonly meta: MemberMeta;
  /** The same as `meta.address`. */
  readonly address: Address;
  readonly state: MemberState;
  /** Grows by one whenever the member refutes or changes what it says. @see SWIM §4.2 */
  readonly incarnation: number;
  /** In the time of the caller's clock. */
  readonly stateChangedAtMs: number;
}

/** Alive or suspect: probed, gossiped to, counted in every formula. */
export function isLiving(member: Member): boolean {
  return member.state === "alive" || member.state === "suspect";
}

/** No incarnation ever exceeds this; it leaves room below 2^53. */
export const INCARNATION_MAX = 2 ** 52;

/**
 * A claim whose incarnation exceeds what is known by more than this is not believed. It takes 2^16 forged claims to
 * exhaust the incarnations of a member, and no honest one comes near it in a thousand years.
 */
export const INCARNATION_JUMP_MAX = 2 ** 36;

export function sameMeta(left: MemberMeta, right: MemberMeta): boolean {
  return (
    left.id === right.id &&
    left.nonce === right.nonce &&
    sameAddress(left.address, right.address) &&
    left.respPort === right.respPort &&
    left.httpPort === right.httpPort &&
    left.name === right.name &&
    left.zone === right.zone &&
    left.weight === right.weight &&
    left.protocolMin === right.protocolMin &&
    left.protocolMax === right.protocolMax &&
    left.clusterId === right.clusterId &&
    left.reluctant === right.reluctant
  );
}

/**
 * Bytes of `meta` on the wire, exactly as `wire/swim-codec` writes it: fixed fields, then a varint length and the
 * bytes of each text.
 */
export function memberMetaBytes(meta: MemberMeta): number {
  return FIXED_META_BYTES + textBytes(meta.address.host) + textBytes(meta.name) + textBytes(meta.zone);
}

/** id 8, nonce 8, cluster id 8, weight 8, three ports 6, two protocol versions 4, one flag. */
const FIXED_META_BYTES = 43;

/** Why `meta` cannot be gossiped, in words; null when it can. For input of our own and from outside alike. */
export function memberMetaProblem(meta: MemberMeta): string | null {
  const { host, port } = meta.address;
  if (!/^[\x21-\x7e]{1,255}$/.test(host)) return "host must be 1 to 255 printable ASCII characters";
  if (!isPort(port) || port === 0) return `port must be 1..65535, got ${port}`;
  if (!isPort(meta.respPort)) return `respPort must be 0..65535, got ${meta.respPort}`;
  if (!isPort(meta.httpPort)) return `httpPort must be 0..65535, got ${meta.httpPort}`;
  if (!isText(meta.name)) return "name must be text without control characters";
  if (!isText(meta.zone)) return "zone must be text without control characters";
  if (!(meta.weight > 0 && meta.weight <= WEIGHT_MAX))
    return `weight must be > 0 and <= ${WEIGHT_MAX}, got ${meta.weight}`;
  if (!isPort(meta.protocolMin) || !isPort(meta.protocolMax) || meta.protocolMin > meta.protocolMax) {
    return `protocol versions must be 0..65535 and in order, got ${meta.protocolMin}..${meta.protocolMax}`;
  }
  const bytes = memberMetaBytes(meta);
  if (bytes > MEMBER_META_BYTES_MAX) {
    return `metadata takes ${bytes} bytes, ${MEMBER_META_BYTES_MAX} are allowed: shorten host, name or zone`;
  }
  return null;
}

/** Throws `RangeError` unless `meta` can be gossiped. */
export function checkMemberMeta(meta: MemberMeta): void {
  const problem = memberMetaProblem(meta);
  if (problem !== null) throw new RangeError(`member metadata: ${problem}`);
}

const WEIGHT_MAX = 1_000_000;

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 65_535;
}

/** No control characters and no lone surrogates, which would not survive UTF-8. */
function isText(text: string): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(text);
}

function textBytes(text: string): number {
  const bytes = utf8Bytes(text);
  return varintBytes(bytes) + bytes;
}

/** Length of well-formed `text` in UTF-8. */
function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes; other units above 0x7ff take three.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}

/** Bytes of a safe integer at seven bits per byte. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
