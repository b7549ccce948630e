/**
 * LZ4 over whole buffers, for what goes to files. The packing itself is the package `lz4-wasm-nodejs` (lz4_flex, compiled
 * with its checked decoder, so that damaged input is an error and never a read out of bounds).
 *
 * Layout: the unpacked length as a little-endian u32, then one LZ4 block. The length comes from outside, so nothing is
 * allocated for it before it has been compared with what the caller allows and with what so few bytes could unfold to.
 */
import { Buffer } from "node:buffer";
import { compress, decompress } from "lz4-wasm-nodejs";
import { WireError } from "./wire-error.ts";

const LENGTH_BYTES = 4;
/** No LZ4 block unfolds further: each byte of a match length stands for at most 255 bytes. */
const RATIO_MAX = 255;

/** `bytes` packed; at worst about half a percent and 24 bytes longer than before. Belongs to the caller. */
export function lz4Compress(bytes: Uint8Array): Uint8Array {
  return compress(bytes);
}

/**
 * What `lz4Compress` packed, owned by the caller. Throws `WireError` for anything else, and for more than
 * `decompressedBytesMax` bytes. Which of several possible texts damaged input unfolds to is not checked here: put a checksum
 * around it.
 */
export function lz4Decompress(bytes: Uint8Array, decompressedBytesMax: number): Uint8Array {
  if (bytes.length <= LENGTH_BYTES) throw new WireError("packed bytes end too early", bytes.length);
  const length = Buffer.from(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).readUInt32LE();
  if (length > decompressedBytesMax) {
    throw new WireError(`packed bytes announce ${length} where at most ${decompressedBytesMax} may come`, 0);
  }
  if (length > (bytes.length - LENGTH_BYTES) * RATIO_MAX) {
    throw new WireError(`packed bytes announce ${length}, more than they can unfold to`, 0);
  }
  let unpacked: Uint8Array;
  try {
    unpacked = decompress(bytes);
  } catch (error) {
    throw new WireError(`packed bytes do not unfold: ${reasonOf(error)}`, LENGTH_BYTES);
  }
  if (unpacked.length !== length) {
    throw new WireError(`packed bytes unfold to ${unpacked.length} where they announced ${length}`, 0);
  }
  return unpacked;
}

/** The package throws plain strings. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
