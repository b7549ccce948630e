/**
 * The identifiers every room speaks, as brands: a term cannot be passed where a log index is meant.
 *
 * Each brand has exactly one checked constructor, here. Nothing else in the code base casts to a brand.
 * A node id, cluster id or boot nonce is 64 random bits, written as 16 lower-case hexadecimal digits.
 */
import { assert } from "./assert.ts";
import type { Random } from "./random.ts";

declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A Raft term: an integer >= 0 that only grows. @see Raft §5.1 */
export type Term = Brand<number, "Term">;
/** A position in a Raft log: an integer >= 0; the first entry has index 1, 0 stands before it. */
export type LogIndex = Brand<number, "LogIndex">;
/** One process life of one machine in memory mode, one data directory in durable mode. Never reused. */
export type NodeId = Brand<string, "NodeId">;
/** One cluster, decided at its founding. Two clusters never merge. */
export type ClusterId = Brand<string, "ClusterId">;
/** Drawn afresh at every start; tells two live holders of one node id apart. */
export type BootNonce = Brand<string, "BootNonce">;
/** A shard of the key space: 0 .. shards-1. */
export type ShardId = Brand<number, "ShardId">;
/** A Raft group on the wire: 0 is the system group, shard `s` is group `s + 1`. */
export type GroupId = Brand<number, "GroupId">;

const HEX_64 = /^[0-9a-f]{16}$/;

export function term(value: number): Term {
  assert(Number.isSafeInteger(value) && value >= 0, "a term is an integer >= 0", { value });
  return value as Term;
}

export function logIndex(value: number): LogIndex {
  assert(Number.isSafeInteger(value) && value >= 0, "a log index is an integer >= 0", { value });
  return value as LogIndex;
}

export function nodeId(value: string): NodeId {
  assert(HEX_64.test(value), "a node id is 16 hexadecimal digits", { value });
  return value as NodeId;
}

export function clusterId(value: string): ClusterId {
  assert(HEX_64.test(value), "a cluster id is 16 hexadecimal digits", { value });
  return value as ClusterId;
}

export function bootNonce(value: string): BootNonce {
  assert(HEX_64.test(value), "a boot nonce is 16 hexadecimal digits", { value });
  return value as BootNonce;
}

export function shardId(value: number): ShardId {
  assert(Number.isInteger(value) && value >= 0 && value < SHARDS_MAX, "a shard id is 0..4095", { value });
  return value as ShardId;
}

export function groupId(value: number): GroupId {
  assert(Number.isInteger(value) && value >= 0 && value <= SHARDS_MAX, "a group id is 0..4096", { value });
  return value as GroupId;
}

/** Most shards a cluster can have. */
export const SHARDS_MAX = 4_096;

/** The group that owns the cluster map. */
export const SYSTEM_GROUP: GroupId = groupId(0);

export function groupOfShard(shard: ShardId): GroupId {
  return groupId(shard + 1);
}

/** The shard a group serves. Must not be asked of the system group. */
export function shardOfGroup(group: GroupId): ShardId {
  return shardId(group - 1);
}

/** Whether `text` has the form of a node id; for input that came from outside. */
export function isHex64(text: string): boolean {
  return HEX_64.test(text);
}

export function randomNodeId(random: Random): NodeId {
  return nodeId(randomHex64(random));
}

export function randomClusterId(random: Random): ClusterId {
  return clusterId(randomHex64(random));
}

export function randomBootNonce(random: Random): BootNonce {
  return bootNonce(randomHex64(random));
}

function randomHex64(random: Random): string {
  return hex32(random.nextU32()) + hex32(random.nextU32());
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}
