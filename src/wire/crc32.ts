/**
 * CRC-32, the one of Ethernet, gzip and zip.
 */
import { crcOf, crcTables } from "./crc-tables.ts";

/** 0x04C11DB7, reflected. */
const TABLES = crcTables(0xedb8_8320);

/** The checksum of `bytes` from `start`: 0 .. 2^32-1. */
export function crc32(bytes: Uint8Array, start = 0): number {
  return crcOf(TABLES, bytes, start);
}
