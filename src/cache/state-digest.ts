/**
 * A fingerprint of everything that must be equal on all replicas of a shard at one log index. Two replicas that were
 * built differently (by entries, by a snapshot) have the same one. Not for secrets: 64 bits against accidents.
 */
import type { Reply } from "./reply.ts";
import { Fault } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";

/** Sixteen hexadecimal digits. Costs O(keys + stored replies). */
export function stateDigest(shard: ShardState): string {
  const sums = new DigestSums();
  const hash = new TextHash();
  hash.number(shard.revision);
  hash.number(shard.machineTimeMs);
  hash.number(shard.appliedIndex);
  hash.number(shard.sessions.lastId);
  sums.add(hash);
  for (const session of shard.sessions.values()) {
    hash.number(session.id);
    hash.text(session.node);
    hash.text(session.boot);
    hash.number(session.lowWater);
    hash.number(session.lastUsedIndex);
    for (const [sequence, reply] of session.replies()) {
      hash.number(sequence);
      hashReply(hash, reply);
    }
    sums.add(hash);
  }
  for (const [key, entry] of shard.keyspace.entries) {
    hash.text(key);
    hash.text(entry.value);
    hash.number(entry.version);
    hash.number(entry.createdRevision);
    hash.number(shard.keyspace.expiryOf(entry));
    sums.add(hash);
  }
  return sums.digest();
}

function hashReply(hash: TextHash, reply: Reply): void {
  if (reply === null) hash.text("null");
  else if (typeof reply === "number") hash.number(reply);
  else if (typeof reply === "bigint") hash.text(`n${reply}`);
  else if (typeof reply === "string") hash.text(`s${reply}`);
  else if (reply instanceof Fault) hash.text(`f${reply.code}`);
  else {
    hash.number(reply.length);
    for (const part of reply) hashReply(hash, part);
  }
}

/** Two lanes of 32 bits, multiplicative (murmur-like), over tagged texts and numbers. */
class TextHash {
  readonly #words = new Uint32Array(2);
  readonly #double = new Float64Array(this.#words.buffer);
  #first = 0x9747b28c;
  #second = 0x3c6ef372;

  text(text: string): void {
    this.#word(text.length);
    for (let at = 0; at < text.length; at++) this.#word(text.charCodeAt(at) + 1);
  }

  number(value: number): void {
    this.#double[0] = value;
    this.#word(this.#words[0] ?? 0);
    this.#word(this.#words[1] ?? 0);
  }

  /** The two lanes, finished; begins anew. */
  take(): readonly [first: number, second: number] {
    const lanes = [finish(this.#first), finish(this.#second)] as const;
    this.#first = 0x9747b28c;
    this.#second = 0x3c6ef372;
    return lanes;
  }

  #word(word: number): void {
    this.#first = Math.imul(this.#first ^ word, 0x01000193);
    this.#first ^= this.#first >>> 15;
    this.#second = Math.imul(this.#second ^ word, 0x85ebca6b);
    this.#second = (this.#second << 13) | (this.#second >>> 19);
  }
}

/** Sums of the hashes of the parts: their order does not matter. */
class DigestSums {
  #first = 0;
  #second = 0;

  add(hash: TextHash): void {
    const [first, second] = hash.take();
    this.#first = (this.#first + first) >>> 0;
    this.#second = (this.#second + second) >>> 0;
  }

  digest(): string {
    return this.#first.toString(16).padStart(8, "0") + this.#second.toString(16).padStart(8, "0");
  }
}

function finish(lane: number): number {
  let mixed = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
