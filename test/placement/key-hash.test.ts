import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type KeyHash, loadKeyHash } from "../../src/placement/key-hash.ts";

let hash: KeyHash;
beforeAll(async () => {
  hash = await loadKeyHash();
});

const MASK = (1n << 64n) - 1n;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;
const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (64n - by))) & MASK;
const round = (acc: bigint, lane: bigint) => (rotate((acc + lane * P2) & MASK, 31n) * P1) & MASK;

/** The specification of XXH64, word by word and slow: an oracle of its own. */
function xxh64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let acc: bigint;
  if (bytes.length >= 32) {
    const lanes = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) {
        lanes[lane] = round(lanes[lane] ?? 0n, view.getBigUint64(at + lane * 8, true));
      }
    }
    const [a = 0n, b = 0n, c = 0n, d = 0n] = lanes;
    acc = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & MASK;
    for (const lane of [a, b, c, d]) acc = ((acc ^ round(0n, lane)) * P1 + P4) & MASK;
  } else {
    acc = P5;
  }
  acc = (acc + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    acc = (rotate(acc ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4) & MASK;
  }
  if (at + 4 <= bytes.length) {
    acc = (rotate(acc ^ ((BigInt(view.getUint32(at, true)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++)
    acc = (rotate(acc ^ ((BigInt(bytes[at] ?? 0) * P5) & MASK), 11n) * P1) & MASK;
  acc = ((acc ^ (acc >> 33n)) * P2) & MASK;
  acc = ((acc ^ (acc >> 29n)) * P3) & MASK;
  return acc ^ (acc >> 32n);
}

describe("key hash", () => {
  it.each([
    ["", 0xef46db3751d8e999n],
    ["a", 0xd24ec4f1a98c6e5bn],
    ["abc", 0x44bc2cf5ad770999n],
    ["Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1n],
    ["The string that is being hashed", 0x502b0c5fc4a5704cn],
  ])("is xxhash64 with seed 0: %j", (text, expected) => {
    expect(hash.hash(text)).toBe(expected);
  });

  it("hashes the bytes of a binary string, not their UTF-8 form", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(hash.hash(Buffer.from(bytes).toString("latin1"))).toBe(xxh64(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it("takes keys up to the limit", () => {
    const key = "k".repeat(65_535);
    expect(hash.hash(key)).toBe(xxh64(Buffer.from(key)));
    expect(() => hash.hash(`${key}k`)).toThrow(/limit/);
  });

  it("maps a key to xxhash64(key) modulo shards, short or long", () => {
    const key = fc.string({ unit: "binary-ascii", maxLength: 100, size: "max" });
    fc.assert(
      fc.property(key, fc.integer({ min: 1, max: 4_096 }), (text, shards) => {
        fc.pre(!text.includes("{"));
        expect(hash.shardOf(text, shards)).toBe(Number(xxh64(Buffer.from(text, "latin1")) % BigInt(shards)));
      }),
      { numRuns: 500 },
    );
  });

  it("maps keys to the same shard where the hash of short keys ends and the library begins", () => {
    for (let length = 0; length <= 70; length++) {
      for (const text of ["k".repeat(length), "\xff".repeat(length), `{${"\x80".repeat(length)}`]) {
        const expected = Number(xxh64(Buffer.from(text, "latin1")) % 4_096n);
        expect(hash.shardOf(text, 4_096)).toBe(expected);
        if (length > 0) expect(hash.shardOf(`cart{${text}}{other}`, 4_096)).toBe(expected);
      }
    }
  });

  it.each([
    ["{user:1}:cart", "user:1"],
    ["a{tag}b{other}", "tag"],
    ["{}{tag}", "{}{tag}"],
    ["{", "{"],
    ["}{tag}", "tag"],
    ["{{tag}}", "{tag"],
    ["no tag}", "no tag}"],
    ["{open", "{open"],
  ])("of %j hashes only %j", (key, hashed) => {
    for (const shards of [7, 64, 4_096]) {
      expect(hash.shardOf(key, shards)).toBe(Number(xxh64(Buffer.from(hashed)) % BigInt(shards)));
    }
  });

  it("spreads a thousand keys over four shards to between 150 and 350 each", () => {
    const counts = [0, 0, 0, 0];
    for (let key = 0; key < 1_000; key++) {
      const shard = hash.shardOf(`key-${key}`, 4);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    for (const count of counts) {
      expect(count).toBeGreaterThan(150);
      expect(count).toBeLessThan(350);
    }
  });

  it("refuses a number of shards that cannot be", () => {
    expect(() => hash.shardOf("key", 0)).toThrow();
    expect(() => hash.shardOf("key", 4_097)).toThrow();
  });
});
