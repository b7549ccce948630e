/**
 * CRC-32C (Castagnoli), the one of iSCSI, ext4 and LevelDB: better than CRC-32 at telling damaged blocks.
 * @see RFC 3720 B.4
 */
import { crcOf, crcTables } from "./crc-tables.ts";

/** 0x1EDC6F41, reflected. */
const TABLES = crcTables(0x82f6_3b78);

/** The checksum of `bytes` from `start`: 0 .. 2^32-1. */
export function crc32c(bytes: Uint8Array, start = 0): number {
  return crcOf(TABLES, bytes, start);
}
