/**
 * Structured values of the control plane as MessagePack: null, undefined, booleans, numbers, bigints, strings, dates,
 * `Uint8Array`, arrays and plain objects of these. Nothing else travels: a `Map` or `Set` arrives as object or array.
 * What arrives is looked through before it is built, because a stranger may have sent it.
 */
import { Packr } from "msgpackr";
import type { ByteWriter } from "./byte-writer.ts";
import { checkMessagePack } from "./messagepack-check.ts";
import { WireError } from "./wire-error.ts";

/** Largest encoded value. Bigger things travel as bulk streams. */
export const STRUCTURED_VALUE_BYTES_MAX = 4 * 1024 * 1024;

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  copyBuffers: true,
  useBigIntExtension: true,
});

/** Thrown by {@link writeValue}: the value cannot travel, for the reason in the message. */
export class UnsendableValueError extends TypeError {
  override readonly name = "UnsendableValueError";
}

/** Appends `value`, without a length: it goes last, or the writer notes where it ends. Writes nothing when it throws. */
export function writeValue(writer: ByteWriter, value: unknown): void {
  const bytes = encodeValue(value);
  writer.raw(bytes);
}

/** `value` as bytes of its own. Throws {@link UnsendableValueError}. */
export function encodeValue(value: unknown): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = packr.pack(value);
  } catch (cause) {
    throw new UnsendableValueError(`value cannot be encoded: ${reasonOf(cause)}`, { cause });
  }
  if (bytes.length > STRUCTURED_VALUE_BYTES_MAX) {
    throw new UnsendableValueError(
      `value of ${bytes.length} encoded bytes, limit ${STRUCTURED_VALUE_BYTES_MAX}`,
    );
  }
  return bytes;
}

/**
 * Reads one value that fills `bytes` to the end. The result holds no view on `bytes`.
 * Throws {@link WireError} for anything malformed, too large, too deep, or of a kind this node does not accept.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  if (bytes.length > STRUCTURED_VALUE_BYTES_MAX) throw new WireError("value too large", 0);
  checkMessagePack(bytes);
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    throw new WireError(`malformed value: ${reasonOf(cause)}`, 0);
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
