/**
 * Control-plane calls and their answers as frame bodies. The value goes last and fills the rest of the frame.
 */
import { CremaError, isCremaErrorCode } from "../base/errors.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { decodeValue, writeValue } from "./value-codec.ts";
import { WireError } from "./wire-error.ts";

const METHOD_BYTES_MAX = 128;
const CODE_BYTES_MAX = 64;
const MESSAGE_BYTES_MAX = 4_096;
const OUTCOME_VALUE = 0;
const OUTCOME_ERROR = 1;

export interface CallFrame {
  /** Chosen by the caller, unique among its open calls on this channel. */
  readonly id: number;
  readonly method: string;
  /** How long the caller will wait from now on, in milliseconds. */
  readonly timeoutMs: number;
  readonly params: unknown;
}

export type CallResultFrame =
  | { readonly type: "value"; readonly id: number; readonly value: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: CremaError };

/** Throws `UnsendableValueError`; what was written then must be taken back. */
export function writeCall(writer: ByteWriter, call: CallFrame): void {
  writer.varint(call.id);
  writer.latin1(call.method);
  writer.varint(Math.ceil(call.timeoutMs));
  writeValue(writer, call.params);
}

/** Throws {@link WireError}. */
export function readCall(reader: ByteReader): CallFrame {
  return {
    id: reader.varint(),
    method: reader.latin1(METHOD_BYTES_MAX),
    timeoutMs: reader.varint(),
    params: decodeValue(reader.raw(reader.remaining)),
  };
}

/** Throws `UnsendableValueError`; what was written then must be taken back. */
export function writeCallResult(writer: ByteWriter, result: CallResultFrame): void {
  writer.varint(result.id);
  if (result.type === "value") {
    writer.u8(OUTCOME_VALUE);
    writeValue(writer, result.value);
  } else {
    writer.u8(OUTCOME_ERROR);
    writeCremaError(writer, result.error);
  }
}

/** Throws {@link WireError}. */
export function readCallResult(reader: ByteReader): CallResultFrame {
  const id = reader.varint();
  const outcome = reader.u8();
  if (outcome === OUTCOME_VALUE) {
    return { type: "value", id, value: decodeValue(reader.raw(reader.remaining)) };
  }
  if (outcome === OUTCOME_ERROR) return { type: "error", id, error: readCremaError(reader) };
  throw new WireError(`unknown outcome ${outcome}`, reader.offset - 1);
}

/** An error as it crosses the wire: code, message and flags; never its stack or cause. */
export function writeCremaError(writer: ByteWriter, error: CremaError): void {
  writer.latin1(error.code);
  writer.utf8(error.message.slice(0, MESSAGE_BYTES_MAX / 4));
  writer.bool(error.retryable);
  writer.bool(error.ambiguous);
  writer.bool(error.retryAfterMs !== undefined);
  if (error.retryAfterMs !== undefined) writer.varint(Math.max(0, Math.ceil(error.retryAfterMs)));
}

/** A code that this version does not know becomes `CREMA_INTERNAL`, with the code in the message. */
export function readCremaError(reader: ByteReader): CremaError {
  const code = reader.latin1(CODE_BYTES_MAX);
  const message = reader.utf8(MESSAGE_BYTES_MAX);
  const flags = { retryable: reader.bool(), ambiguous: reader.bool() };
  const options = reader.bool() ? { ...flags, retryAfterMs: reader.varint() } : flags;
  if (isCremaErrorCode(code)) return new CremaError(code, message, options);
  return new CremaError("CREMA_INTERNAL", `${code}: ${message}`, options);
}
