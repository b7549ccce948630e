/**
 * xxhash64 (seed 0) of short keys, in JavaScript: the same numbers as the library gives, three times sooner. For a key of 16 bytes most
 * of the library's time goes into what surrounds the hash: bytes copied to WebAssembly, a BigInt made and divided.
 * Here a 64-bit number is two 32-bit halves, `low` and `high`, and nothing is allocated. Data lies where this says: a test
 * holds it against the library. @see docs/decisions/0018-keys-hashed-in-javascript.md
 * @see https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md (XXH64)
 */

/** From 32 bytes on the algorithm is another one. */
export const SHORT_BYTES_MAX = 31;

const PRIME1_LOW = 0x85ebca87 | 0;
const PRIME1_HIGH = 0x9e3779b1 | 0;
const PRIME2_LOW = 0x27d4eb4f | 0;
const PRIME2_HIGH = 0xc2b2ae3d | 0;
const PRIME3_LOW = 0x9e3779f9 | 0;
const PRIME3_HIGH = 0x165667b1 | 0;
const PRIME4_LOW = 0xc2b2ae63 | 0;
const PRIME4_HIGH = 0x85ebca77 | 0;
const PRIME5_LOW = 0x165667c5 | 0;
const PRIME5_HIGH = 0x27d4eb2f | 0;

/**
 * xxhash64 of the bytes `start` .. `end` (at most {@link SHORT_BYTES_MAX}) of the binary string `text`, modulo `divisor`, an integer
 * 1 .. 32,768. Every code unit must be 0 .. 255.
 */
export function shortHashModulo(text: string, start: number, end: number, divisor: number): number {
  let low = (PRIME5_LOW + (end - start)) | 0;
  let high = PRIME5_HIGH;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const first = fourBytes(text, at);
    const second = fourBytes(text, at + 4);
    // (eight bytes * prime 2), rotated left by 31, * prime 1
    let x = Math.imul(first, PRIME2_LOW);
    let y =
      (highOfProduct(first, PRIME2_LOW) + Math.imul(first, PRIME2_HIGH) + Math.imul(second, PRIME2_LOW)) | 0;
    const turned = (x << 31) | (y >>> 1);
    y = (y << 31) | (x >>> 1);
    low ^= Math.imul(turned, PRIME1_LOW);
    high ^= highOfProduct(turned, PRIME1_LOW) + Math.imul(turned, PRIME1_HIGH) + Math.imul(y, PRIME1_LOW);
    // rotated left by 27, * prime 1, + prime 4
    x = (low << 27) | (high >>> 5);
    y = (high << 27) | (low >>> 5);
    low = Math.imul(x, PRIME1_LOW);
    high = highOfProduct(x, PRIME1_LOW) + Math.imul(x, PRIME1_HIGH) + Math.imul(y, PRIME1_LOW);
    const sum = (low + PRIME4_LOW) | 0;
    high = (high + PRIME4_HIGH + carryOf(sum, low)) | 0;
    low = sum;
  }
  if (at + 4 <= end) {
    const bytes = fourBytes(text, at);
    low ^= Math.imul(bytes, PRIME1_LOW);
    high ^= highOfProduct(bytes, PRIME1_LOW) + Math.imul(bytes, PRIME1_HIGH);
    // rotated left by 23, * prime 2, + prime 3
    const x = (low << 23) | (high >>> 9);
    const y = (high << 23) | (low >>> 9);
    low = Math.imul(x, PRIME2_LOW);
    high = highOfProduct(x, PRIME2_LOW) + Math.imul(x, PRIME2_HIGH) + Math.imul(y, PRIME2_LOW);
    const sum = (low + PRIME3_LOW) | 0;
    high = (high + PRIME3_HIGH + carryOf(sum, low)) | 0;
    low = sum;
    at += 4;
  }
  for (; at < end; at++) {
    const byte = text.charCodeAt(at);
    low ^= Math.imul(byte, PRIME5_LOW);
    high ^= highOfProduct(byte, PRIME5_LOW) + Math.imul(byte, PRIME5_HIGH);
    // rotated left by 11, * prime 1
    const x = (low << 11) | (high >>> 21);
    const y = (high << 11) | (low >>> 21);
    low = Math.imul(x, PRIME1_LOW);
    high = (highOfProduct(x, PRIME1_LOW) + Math.imul(x, PRIME1_HIGH) + Math.imul(y, PRIME1_LOW)) | 0;
  }
  // The avalanche: ^ itself >> 33, * prime 2, ^ itself >> 29, * prime 3, ^ itself >> 32.
  low ^= high >>> 1;
  high = (highOfProduct(low, PRIME2_LOW) + Math.imul(low, PRIME2_HIGH) + Math.imul(high, PRIME2_LOW)) | 0;
  low = Math.imul(low, PRIME2_LOW);
  low ^= (low >>> 29) | (high << 3);
  high ^= high >>> 29;
  high = (highOfProduct(low, PRIME3_LOW) + Math.imul(low, PRIME3_HIGH) + Math.imul(high, PRIME3_LOW)) | 0;
  low = Math.imul(low, PRIME3_LOW) ^ high;
  return modulo(low, high, divisor >>> 0);
}

/** Four bytes of `text`, the first one lowest. */
function fourBytes(text: string, at: number): number {
  return (
    text.charCodeAt(at) |
    (text.charCodeAt(at + 1) << 8) |
    (text.charCodeAt(at + 2) << 16) |
    (text.charCodeAt(at + 3) << 24)
  );
}

/**
 * The upper half of the 64-bit product of two 32-bit halves, from 16-bit digits. Each sum is below 2^32 however large the digits are
 * ((2^16-1)² + 2^16-1 < 2^32), so what wraps is only its sign.
 */
function highOfProduct(one: number, other: number): number {
  const oneLow = one & 0xffff;
  const oneHigh = one >>> 16;
  const otherLow = other & 0xffff;
  const otherHigh = other >>> 16;
  const middle = (Math.imul(oneHigh, otherLow) + (Math.imul(oneLow, otherLow) >>> 16)) | 0;
  const cross = (Math.imul(oneLow, otherHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(oneHigh, otherHigh) + (middle >>> 16) + (cross >>> 16)) | 0;
}

/** 1 when the addition of something to `addend` that gave `sum` went beyond 32 bits. */
function carryOf(sum: number, addend: number): 0 | 1 {
  return sum >>> 0 < addend >>> 0 ? 1 : 0;
}

/** Long division in digits of 16 bits; of a power of two, which the default number of shards is, only the last bits count. */
function modulo(low: number, high: number, divisor: number): number {
  if ((divisor & (divisor - 1)) === 0) return low & (divisor - 1);
  let rest = (high >>> 0) % divisor;
  rest = ((rest << 16) | (low >>> 16)) % divisor;
  return ((rest << 16) | (low & 0xffff)) % divisor;
}
