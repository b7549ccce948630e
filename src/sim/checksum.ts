/**
 * A fingerprint of bytes for the trace of a run: equal bytes, equal number, everywhere. Against accidents, not enemies.
 * @see FNV-1a
 */

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** 32 bits, unsigned. */
export function checksum(bytes: Uint8Array): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), PRIME);
  return hash >>> 0;
}

/** The same over the code units of a text. */
export function textChecksum(text: string): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
  return hash >>> 0;
}
