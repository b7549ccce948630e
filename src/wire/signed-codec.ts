/**
 * Integers below zero. A signed number is a sign byte and a varint; a 64-bit integer is eight bytes, two's complement.
 */
import { assert } from "../base/assert.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { WireError } from "./wire-error.ts";

/** A safe integer. */
export function writeSigned(writer: ByteWriter, value: number): void {
  writer.bool(value < 0);
  writer.varint(Math.abs(value));
}

/** What {@link writeSigned} wrote. There is one form of each number: a negative zero is refused. */
export function readSigned(reader: ByteReader): number {
  const negative = reader.bool();
  const magnitude = reader.varint();
  if (!negative) return magnitude;
  if (magnitude === 0) throw new WireError("negative zero", reader.offset - 1);
  return -magnitude;
}

/** -2^63 .. 2^63-1. */
export function writeInt64(writer: ByteWriter, value: bigint): void {
  assert(BigInt.asIntN(64, value) === value, "a large integer has 64 bits");
  const bits = BigInt.asUintN(64, value);
  writer.u32(Number(bits >> 32n));
  writer.u32(Number(bits & 0xffff_ffffn));
}

export function readInt64(reader: ByteReader): bigint {
  const high = BigInt(reader.u32());
  return BigInt.asIntN(64, (high << 32n) | BigInt(reader.u32()));
}
