/**
 * Cluster maps and map commands as bytes: what the system group's log and snapshots hold, and what a node that asks for
 * the map receives. Written by hand rather than by msgpackr: node ids, of which a map has thousands, take 8 bytes
 * instead of 17, and every count is checked before anything is allocated for it. Anything odd is a `WireError`.
 */
import type { Address } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import { type BootNonce, type NodeId, SHARDS_MAX, shardId } from "../base/ids.ts";
import {
  FORMER_BOOTS_MAX,
  MEMBERS_MAX,
  REMOVED_MEMBERS_MAX,
  REPLICATION_FACTOR_MAX,
  SYSTEM_VOTERS_MAX,
} from "../base/limits.ts";
import { ByteReader } from "../wire/byte-reader.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { WireError } from "../wire/wire-error.ts";
import type { ClusterMap, MapMember, MapMemberState, MemberIdentity, ShardPlacement } from "./cluster-map.ts";
import type { MapCommand, WantedReplicas } from "./map-command.ts";

/** First byte of a map and of a command. Raised when the layout changes. */
const VERSION = 1;
const HOST_BYTES_MAX = 255;
/** Names and zones have at most 64 characters, so at most 256 bytes. */
const TEXT_BYTES_MAX = 256;
const STATES: readonly MapMemberState[] = ["alive", "dead", "draining"];
const COMMANDS: readonly MapCommand["type"][] = [
  "add-member",
  "update-member",
  "set-member-state",
  "remove-member",
  "set-placement",
  "set-settings",
  "remove-lost",
];
/** Least bytes of an identity, and of a shard's placement: what a count is checked against. */
const IDENTITY_BYTES_MIN = 8 + 8 + 1 + 2 + 1 + 1 + 8 + 2 + 2;
const NODE_BYTES = 8;

export function encodeMap(map: ClusterMap): Uint8Array {
  const writer = new ByteWriter(1_024);
  writer.u8(VERSION);
  writer.varint(map.version);
  writer.varint(map.placementVersion);
  writer.hex64(map.clusterId);
  writer.u8(map.replicationFactor);
  writer.bool(map.settings.rebalancePaused);
  writeNodes(writer, map.systemVoters);
  writeNodes(writer, map.removed);
  writer.varint(map.members.length);
  for (const member of map.members) writeMember(writer, member);
  writer.varint(map.shardCount);
  for (const { founding, wanted } of map.shards) {
    writeNodes(writer, founding);
    writeNodes(writer, wanted);
  }
  return writer.take();
}

/** Reads what {@link encodeMap} wrote. Throws `WireError`; never looks at whether the map makes sense as a whole. */
export function decodeMap(bytes: Uint8Array): ClusterMap {
  const reader = new ByteReader(bytes);
  expectVersion(reader);
  const version = reader.varint();
  const placementVersion = reader.varint();
  const clusterId = reader.clusterId();
  const replicationFactor = within(reader, reader.u8(), 1, REPLICATION_FACTOR_MAX);
  const rebalancePaused = reader.bool();
  const systemVoters = readNodes(reader, SYSTEM_VOTERS_MAX);
  const removed = readNodes(reader, REMOVED_MEMBERS_MAX);
  const members: MapMember[] = [];
  for (let rest = reader.count(IDENTITY_BYTES_MIN + 2, MEMBERS_MAX); rest > 0; rest--) {
    members.push(readMember(reader));
  }
  const shardCount = within(reader, reader.count(2, SHARDS_MAX), 1, SHARDS_MAX);
  const shards: ShardPlacement[] = [];
  for (let rest = shardCount; rest > 0; rest--) {
    const founding = readNodes(reader, REPLICATION_FACTOR_MAX);
    const wanted = readNodes(reader, REPLICATION_FACTOR_MAX);
    shards.push({ founding, wanted: sameList(founding, wanted) });
  }
  reader.expectEnd();
  const settings = { rebalancePaused };
  return {
    version,
    placementVersion,
    clusterId,
    shardCount,
    replicationFactor,
    members,
    removed,
    systemVoters,
    shards,
    settings,
  };
}

export function encodeMapCommand(command: MapCommand): Uint8Array {
  const writer = new ByteWriter(128);
  writer.u8(VERSION);
  writer.u8(COMMANDS.indexOf(command.type));
  switch (command.type) {
    case "add-member":
      writeIdentity(writer, command.member);
      writeBoots(writer, command.formerBoots);
      break;
    case "update-member":
      writeIdentity(writer, command.member);
      break;
    case "set-member-state":
      writer.nodeId(command.nodeId);
      writer.hex64(command.boot);
      writer.u8(STATES.indexOf(command.state));
      break;
    case "remove-member":
      writer.nodeId(command.nodeId);
      break;
    case "set-placement":
      writer.bool(command.systemVoters !== null);
      if (command.systemVoters !== null) writeNodes(writer, command.systemVoters);
      writeWanted(writer, command.shards);
      break;
    case "set-settings":
      writer.bool(command.settings.rebalancePaused);
      break;
    case "remove-lost":
      writeNodes(writer, command.lost);
      writeWanted(writer, command.shards);
      writeNodes(writer, command.systemVoters);
      break;
    default:
      unreachable(command);
  }
  return writer.take();
}

/** Reads what {@link encodeMapCommand} wrote. Throws `WireError`. */
export function decodeMapCommand(bytes: Uint8Array): MapCommand {
  const reader = new ByteReader(bytes);
  expectVersion(reader);
  const command = readCommand(reader);
  reader.expectEnd();
  return command;
}

export function writeBoots(writer: ByteWriter, boots: readonly BootNonce[]): void {
  writer.varint(boots.length);
  for (const boot of boots) writer.hex64(boot);
}

/** Throws `WireError`. */
export function readBoots(reader: ByteReader): readonly BootNonce[] {
  return Array.from({ length: reader.count(8, FORMER_BOOTS_MAX) }, () => reader.bootNonce());
}

function readCommand(reader: ByteReader): MapCommand {
  const type = COMMANDS[reader.u8()];
  switch (type) {
    case "add-member": {
      const member = readIdentity(reader);
      return { type, member, formerBoots: readBoots(reader) };
    }
    case "update-member":
      return { type, member: readIdentity(reader) };
    case "set-member-state": {
      const nodeId = reader.nodeId();
      const boot = reader.bootNonce();
      return { type, nodeId, boot, state: readState(reader) };
    }
    case "remove-member":
      return { type, nodeId: reader.nodeId() };
    case "set-placement": {
      const systemVoters = reader.bool() ? readNodes(reader, SYSTEM_VOTERS_MAX) : null;
      return { type, shards: readWanted(reader), systemVoters };
    }
    case "set-settings":
      return { type, settings: { rebalancePaused: reader.bool() } };
    case "remove-lost": {
      const lost = readNodes(reader, MEMBERS_MAX);
      const shards = readWanted(reader);
      return { type, lost, shards, systemVoters: readNodes(reader, SYSTEM_VOTERS_MAX) };
    }
    case undefined:
      throw new WireError("unknown map command", reader.offset - 1);
    default:
      return unreachable(type);
  }
}

/** Who a node is, as calls of the control plane carry it too. */
export function writeIdentity(writer: ByteWriter, identity: MemberIdentity): void {
  writer.nodeId(identity.nodeId);
  writer.hex64(identity.boot);
  writeAddress(writer, identity.address);
  writer.utf8(identity.name);
  writer.utf8(identity.zone);
  writer.f64(identity.weight);
  writer.u16(identity.respPort);
  writer.u16(identity.httpPort);
}

export function readIdentity(reader: ByteReader): MemberIdentity {
  const nodeId = reader.nodeId();
  const boot = reader.bootNonce();
  const address = readAddress(reader);
  const name = reader.utf8(TEXT_BYTES_MAX);
  const zone = reader.utf8(TEXT_BYTES_MAX);
  const weight = reader.f64();
  if (!(weight > 0 && weight < Number.POSITIVE_INFINITY))
    throw new WireError("weight not > 0", reader.offset);
  const respPort = reader.u16();
  const httpPort = reader.u16();
  return { nodeId, boot, address, name, zone, weight, respPort, httpPort };
}

export function writeAddress(writer: ByteWriter, address: Address): void {
  writer.utf8(address.host);
  writer.u16(address.port);
}

export function readAddress(reader: ByteReader): Address {
  const host = reader.utf8(HOST_BYTES_MAX);
  return { host, port: reader.u16() };
}

export function writeNodes(writer: ByteWriter, nodes: readonly NodeId[]): void {
  writer.varint(nodes.length);
  for (const node of nodes) writer.nodeId(node);
}

/** At most `countMax` node ids. */
export function readNodes(reader: ByteReader, countMax: number): NodeId[] {
  const nodes: NodeId[] = [];
  for (let rest = reader.count(NODE_BYTES, countMax); rest > 0; rest--) nodes.push(reader.nodeId());
  return nodes;
}

function writeWanted(writer: ByteWriter, shards: readonly WantedReplicas[]): void {
  writer.varint(shards.length);
  for (const { shard, wanted } of shards) {
    writer.u16(shard);
    writeNodes(writer, wanted);
  }
}

function readWanted(reader: ByteReader): WantedReplicas[] {
  const shards: WantedReplicas[] = [];
  for (let rest = reader.count(3, SHARDS_MAX); rest > 0; rest--) {
    const shard = shardId(within(reader, reader.u16(), 0, SHARDS_MAX - 1));
    shards.push({ shard, wanted: readNodes(reader, REPLICATION_FACTOR_MAX) });
  }
  return shards;
}

function writeMember(writer: ByteWriter, member: MapMember): void {
  writeIdentity(writer, member);
  writer.u8(STATES.indexOf(member.state));
  writer.varint(member.joinedAtVersion);
}

function readMember(reader: ByteReader): MapMember {
  const identity = readIdentity(reader);
  const state = readState(reader);
  return { ...identity, state, joinedAtVersion: reader.varint() };
}

function readState(reader: ByteReader): MapMemberState {
  const state = STATES[reader.u8()];
  if (state === undefined) throw new WireError("unknown member state", reader.offset - 1);
  return state;
}

function expectVersion(reader: ByteReader): void {
  const version = reader.u8();
  if (version !== VERSION)
    throw new WireError(`layout version ${version} is not ${VERSION}`, reader.offset - 1);
}

function within(reader: ByteReader, value: number, least: number, most: number): number {
  if (value < least || value > most) throw new WireError(`${value} is not ${least}..${most}`, reader.offset);
  return value;
}

/** The founding placement is often still the wanted one: keep one list of the two then. */
function sameList(founding: readonly NodeId[], wanted: readonly NodeId[]): readonly NodeId[] {
  const same = founding.length === wanted.length && founding.every((node, at) => node === wanted[at]);
  return same ? founding : wanted;
}
