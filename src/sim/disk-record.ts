/**
 * One record on a virtual disk: length, checksum of length and payload, payload. A reader sees at once whether it is whole.
 */
import { crc32 } from "../wire/crc32.ts";

/** CRC-32, then the length, four bytes each, big-endian. */
export const RECORD_HEADER_BYTES = 8;
const LENGTH_AT = 4;

/** What is found where a record was written. */
export interface FoundRecord {
  /** A view. When it is not intact, whatever is there. */
  readonly payload: Uint8Array;
  readonly intact: boolean;
}

/** `payload` as it lies on the disk. Copies it. */
export function frameRecord(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + payload.length);
  bytes.set(payload, RECORD_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(LENGTH_AT, payload.length);
  view.setUint32(0, crc32(bytes, LENGTH_AT));
  return bytes;
}

/** Intact when `bytes` are exactly one whole record. */
export function readRecord(bytes: Uint8Array): FoundRecord {
  const payload = bytes.subarray(RECORD_HEADER_BYTES);
  if (bytes.length < RECORD_HEADER_BYTES) return { payload, intact: false };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const intact =
    view.getUint32(LENGTH_AT) === payload.length && view.getUint32(0) === crc32(bytes, LENGTH_AT);
  return { payload, intact };
}
