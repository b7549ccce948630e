/**
 * CRC-32C (Castagnoli: polynomial 0x1EDC6F41, reflected), the checksum of what lies on disks: files of backups and
 * checkpoints. Over blocks of this size it misses fewer patterns of damage than the CRC-32 of the links.
 * Eight bytes at a time, by eight tables ("slicing by 8").
 *
 * @see RFC 3720 §12.1 and Appendix B.4 (known answers)
 */

const POLYNOMIAL_REFLECTED = 0x82f6_3b78;
const SLICES = 8;
/** Eight tables of 256: what a byte does when 0 .. 7 bytes follow it in the same step. */
const TABLES = tables();

/** The checksum of `bytes` from `start` up to, and not including, `end`: 0 .. 2^32-1. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const tables = TABLES;
  const stepsEnd = end - (SLICES - 1);
  let crc = -1;
  let at = start;
  for (; at < stepsEnd; at += SLICES) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (tables[1792 + (crc & 0xff)] as number) ^
      (tables[1536 + ((crc >>> 8) & 0xff)] as number) ^
      (tables[1280 + ((crc >>> 16) & 0xff)] as number) ^
      (tables[1024 + (crc >>> 24)] as number) ^
      (tables[768 + (bytes[at + 4] as number)] as number) ^
      (tables[512 + (bytes[at + 5] as number)] as number) ^
      (tables[256 + (bytes[at + 6] as number)] as number) ^
      (tables[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) {
    crc = (tables[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function tables(): Int32Array {
  const made = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL_REFLECTED : crc >>> 1;
    made[byte] = crc;
  }
  for (let at = 256; at < made.length; at++) {
    const shorter = made[at - 256] as number;
    made[at] = (made[shorter & 0xff] as number) ^ (shorter >>> 8);
  }
  return made;
}
