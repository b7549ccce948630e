/**
 * CRC-32 (the one of Ethernet, gzip and zip: polynomial 0x04C11DB7, reflected), four bytes at a time.
 */

import { crcTables } from "./crc-tables.ts";

const POLYNOMIAL_REFLECTED = 0xedb8_8320;
/** Four tables of 256: what a byte does when 0, 1, 2 or 3 bytes follow it in the same word. */
const TABLES = crcTables(POLYNOMIAL_REFLECTED, 4);

/** The checksum of `bytes` from `start`: 0 .. 2^32-1. */
export function crc32(bytes: Uint8Array, start = 0): number {
  const tables = TABLES;
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
