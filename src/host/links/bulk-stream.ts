/**
 * What both ends of a bulk stream agree on: the frames' bodies, the window, and what sources and sinks are.
 * A window of bytes is granted by the receiver as it digests them, so a slow disk at one end slows the other end down
 * instead of filling memory between them.
 *
 * A stream outlives its connection. Every offset that is told counts from the beginning of the stream, so what a
 * broken connection swallowed does no harm: on a new one the receiver tells how many bytes it has taken, the sender goes
 * on from exactly there, and it still has them, because it lets go of nothing that was not told to be digested and
 * nothing is digested before it is taken. Hence the invariant: the sink gets every byte once, in order, and `finish` once.
 */
import { CremaError } from "../../base/errors.ts";
import { ByteReader } from "../../wire/byte-reader.ts";
import { readCremaError, writeCremaError } from "../../wire/call-codec.ts";
import {
  FRAME_BULK_ABORT,
  FRAME_BULK_ACCEPTED,
  type FRAME_BULK_CREDIT,
  type FRAME_BULK_FINISH,
  FRAME_BULK_OPEN,
} from "../../wire/frame-types.ts";
import { decodeValue, UnsendableValueError, writeValue } from "../../wire/value-codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Channel } from "./channel.ts";

/** Largest piece of a stream in one frame: to read or to take in one of a snapshot is a step of background work. */
export const BULK_CHUNK_BYTES_MAX = 64 * 1024;
/** Bytes sent and not yet digested by the receiver. */
export const BULK_WINDOW_BYTES = 2 * 1024 * 1024;

/** Where a stream comes from. */
export interface BulkSource {
  /** The next piece, 1 to `bytesMax` bytes, which may be a view that is valid until the next call; null at the end, and not asked again. */
  next(bytesMax: number): Uint8Array | null;
}

/** Where a stream goes. After `finish` or `abort` nothing more is called. */
export interface BulkSink {
  /** Somebody waits who would rather begin anew than wait for a broken connection to come back. Default false. */
  readonly isImpatient?: boolean;
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

/** How a connection for a stream begins. */
export interface BulkOpening {
  /** Drawn at random by the sender, whose process it is unique in: together with its boot nonce it names the stream. */
  readonly streamHigh: number;
  readonly streamLow: number;
  /** The receiver took this stream before: it must know it, or say that it does not. */
  readonly resumed: boolean;
  readonly header: unknown;
}

/** Where the receiver is: bytes given to its sink, and those of them that the sink has digested. */
export interface BulkPosition {
  readonly takenBytes: number;
  readonly digestedBytes: number;
}

/** False when it cannot be sent. Throws `UnsendableValueError`. */
export function sendOpening(channel: Channel, opening: BulkOpening): boolean {
  const writer = channel.beginFrame(FRAME_BULK_OPEN);
  if (writer === null) return false;
  try {
    writer.u32(opening.streamHigh);
    writer.u32(opening.streamLow);
    writer.bool(opening.resumed);
    writeValue(writer, opening.header);
  } catch (error) {
    channel.cancelFrame();
    throw error;
  }
  channel.endFrame();
  return true;
}

export function readOpening(body: Uint8Array): BulkOpening {
  const reader = new ByteReader(body);
  const streamHigh = reader.u32();
  const streamLow = reader.u32();
  const resumed = reader.bool();
  return { streamHigh, streamLow, resumed, header: decodeValue(reader.raw(reader.remaining)) };
}

export function sendAccepted(channel: Channel, position: BulkPosition): void {
  const writer = channel.beginFrame(FRAME_BULK_ACCEPTED);
  if (writer === null) return;
  writer.varint(position.takenBytes);
  writer.varint(position.digestedBytes);
  channel.endFrame();
}

export function readAccepted(body: Uint8Array): BulkPosition {
  const reader = new ByteReader(body);
  const position = { takenBytes: reader.varint(), digestedBytes: reader.varint() };
  reader.expectEnd();
  if (position.digestedBytes > position.takenBytes) throw new WireError("digested before it was taken", 0);
  return position;
}

/** An offset of the stream: how much is digested, or where it ends. */
export function sendOffset(
  channel: Channel,
  type: typeof FRAME_BULK_CREDIT | typeof FRAME_BULK_FINISH,
  bytes: number,
): void {
  const writer = channel.beginFrame(type);
  if (writer === null) return;
  writer.varint(bytes);
  channel.endFrame();
}

export function readOffset(body: Uint8Array): number {
  const reader = new ByteReader(body);
  const bytes = reader.varint();
  reader.expectEnd();
  return bytes;
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
