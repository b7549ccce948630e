/**
 * Between what callers hold (text, bytes) and what the pure rooms hold: binary strings, one code unit per byte.
 */
import { Buffer } from "node:buffer";

/** The UTF-8 bytes of `text` as a binary string. */
export function binaryFromText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

export function binaryFromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Reads `binary` as UTF-8; a malformed sequence becomes U+FFFD, as everywhere in Node.js. */
export function textFromBinary(binary: string): string {
  return isAscii(binary) ? binary : Buffer.from(binary, "latin1").toString("utf8");
}

export function bytesFromBinary(binary: string): Uint8Array {
  return new Uint8Array(Buffer.from(binary, "latin1"));
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
