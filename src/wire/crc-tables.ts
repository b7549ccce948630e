/**
 * Cyclic redundancy checks of 32 bits, reflected, four bytes at a time. What distinguishes one from the other is its polynomial.
 */

/** Four tables of 256: what a byte does when 0, 1, 2 or 3 bytes follow it in the same word. */
export function crcTables(polynomialReflected: number): Int32Array {
  const tables = new Int32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomialReflected : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const shorter = tables[at - 256] as number;
    tables[at] = (tables[shorter & 0xff] as number) ^ (shorter >>> 8);
  }
  return tables;
}

/** The checksum of `bytes` from `start`: 0 .. 2^32-1. */
export function crcOf(tables: Int32Array, bytes: Uint8Array, start: number): number {
  const wordsEnd = bytes.length - 3;
  let crc = -1;
  let at = start;
  for (; at < wordsEnd; at += 4) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (tables[768 + (crc & 0xff)] as number) ^
      (tables[512 + ((crc >>> 8) & 0xff)] as number) ^
      (tables[256 + ((crc >>> 16) & 0xff)] as number) ^
      (tables[crc >>> 24] as number);
  }
  for (; at < bytes.length; at++) {
    crc = (tables[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
