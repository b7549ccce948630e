/**
 * What both ends of a bulk stream agree on: the frames' bodies, the window, and what sources and sinks are.
 * A window of bytes is granted by the receiver as it digests them, so a slow disk at one end slows the other end down
 * instead of filling memory between them.
 */
import { CremaError } from "../../base/errors.ts";
import { ByteReader } from "../../wire/byte-reader.ts";
import { readCremaError, writeCremaError } from "../../wire/call-codec.ts";
import { FRAME_BULK_ABORT } from "../../wire/frame-types.ts";
import { decodeValue, UnsendableValueError, writeValue } from "../../wire/value-codec.ts";
import type { Channel } from "./channel.ts";

/** Largest piece of a stream in one frame. */
export const BULK_CHUNK_BYTES_MAX = 256 * 1024;
/** Bytes sent and not yet digested by the receiver. */
export const BULK_WINDOW_BYTES = 4 * 1024 * 1024;

/** Where a stream comes from. */
export interface BulkSource {
  /** The next piece, 1 to `bytesMax` bytes that stay as they are until the next call; null at the end. */
  next(bytesMax: number): Uint8Array | null;
}

/** Where a stream goes. After `finish` or `abort` nothing more is called. */
export interface BulkSink {
  /**
   * `chunk` is valid during the call only. A promise delays the grant for more, not the next call: pieces come in
   * order, up to a window of them before the first promise is kept. A throw or rejection aborts the stream.
   */
  write(chunk: Uint8Array): void | Promise<void>;
  /** Everything was written, and every promise kept. What it returns is the sender's result. */
  finish(): unknown | Promise<unknown>;
  /** The stream ended early. Must not throw. */
  abort(error: Error): void;
}

/** Sends a frame whose body is one value; false when it cannot be sent. Throws `UnsendableValueError`. */
export function sendValueFrame(channel: Channel, type: number, value: unknown): boolean {
  const writer = channel.beginFrame(type);
  if (writer === null) return false;
  try {
    writeValue(writer, value);
  } catch (error) {
    channel.cancelFrame();
    throw error;
  }
  channel.endFrame();
  return true;
}

/** Tells the other end why this one gives up, and closes. */
export function abortChannel(channel: Channel, error: CremaError): void {
  const writer = channel.beginFrame(FRAME_BULK_ABORT);
  if (writer !== null) {
    writeCremaError(writer, error);
    channel.endFrame();
  }
  channel.close();
}

/** The reason in an abort frame. */
export function readAbort(body: Uint8Array): CremaError {
  return readCremaError(new ByteReader(body));
}

export function readValueFrame(body: Uint8Array): unknown {
  return decodeValue(body);
}

/** Any failure as something that can cross the wire. */
export function bulkErrorOf(error: unknown): CremaError {
  if (error instanceof CremaError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UnsendableValueError) return new CremaError("CREMA_INTERNAL", message);
  return new CremaError("CREMA_INTERNAL", `bulk stream failed: ${message}`, { cause: error });
}
