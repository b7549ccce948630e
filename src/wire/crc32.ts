/**
 * CRC-32 (the one of Ethernet, gzip and zip). Node.js has it in native code, which takes a third of the time that four bytes at a time take in JavaScript.
 */
import { crc32 as checksum } from "node:zlib";

/** The checksum of `bytes` from `start`: 0 .. 2^32-1. */
export function crc32(bytes: Uint8Array, start = 0): number {
  return checksum(start === 0 ? bytes : bytes.subarray(start));
}
