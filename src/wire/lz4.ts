/**
 * LZ4 blocks behind their own length: u32 little-endian bytes of what was compressed, then the block.
 */
import { compress, decompress } from "lz4-wasm-nodejs";
import { WireError } from "./wire-error.ts";

const LENGTH_BYTES = 4;

/** A copy, owned by the caller. */
export function lz4Compress(bytes: Uint8Array): Uint8Array {
  return compress(bytes);
}

/**
 * What `lz4Compress` was given; a copy. Throws `WireError` when `bytes` are no such block, or when they claim to hold more than
 * `decompressedBytesMax`, before anything is allocated for it.
 */
export function lz4Decompress(bytes: Uint8Array, decompressedBytesMax: number): Uint8Array {
  if (bytes.length < LENGTH_BYTES) throw new WireError("a compressed block is too short", 0);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length > decompressedBytesMax)
    throw new WireError(`a compressed block of ${length} bytes is larger than ${decompressedBytesMax}`, 0);
  try {
    return decompress(bytes);
  } catch (error) {
    throw new WireError(`a compressed block cannot be read: ${String(error)}`, LENGTH_BYTES);
  }
}
