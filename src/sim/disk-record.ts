/**
 * One record on a virtual disk: length, checksum of length and payload, payload. A reader sees at once whether it is whole.
 */
import { crc32 } from "../wire/crc32.ts";

/** CRC-32, then the length, four bytes each, big-endian. */
export const RECORD_HEADER_BYTES = 8;
const LENGTH_AT = 4;

/** `payload` as it lies on the disk. Copies it. */
export function frameRecord(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + payload.length);
  bytes.set(payload, RECORD_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(LENGTH_AT, payload.length);
  view.setUint32(0, crc32(bytes, LENGTH_AT));
  return bytes;
}

/** The payload, a view; null when `bytes` are not exactly one whole record. */
export function readRecord(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < RECORD_HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(LENGTH_AT) !== bytes.length - RECORD_HEADER_BYTES) return null;
  return view.getUint32(0) === crc32(bytes, LENGTH_AT) ? bytes.subarray(RECORD_HEADER_BYTES) : null;
}
