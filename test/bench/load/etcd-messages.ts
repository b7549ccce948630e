/**
 * The few messages of etcd's key-value service that the load needs, written and read by hand: protobuf fields of
 * `etcdserverpb.PutRequest`, `RangeRequest` and `TxnRequest`, with the five bytes before each that gRPC asks for.
 * @see https://github.com/etcd-io/etcd/blob/release-3.4/etcdserver/etcdserverpb/rpc.proto
 */
import { Buffer } from "node:buffer";

export const PUT_PATH = "/etcdserverpb.KV/Put";
export const RANGE_PATH = "/etcdserverpb.KV/Range";
export const TXN_PATH = "/etcdserverpb.KV/Txn";
/** Not compressed, then the length of the message. */
export const GRPC_PREFIX_BYTES = 5;

const LENGTH_DELIMITED = 2;

export function putRequest(key: string, value: string): Buffer {
  return Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]);
}

/** One key. Linearizable: that is what an absent `serializable` means. */
export function rangeRequest(key: string): Buffer {
  return field(1, Buffer.from(key));
}

/** Does all `puts` in one revision. */
export function txnRequest(puts: readonly Buffer[]): Buffer {
  // TxnRequest.success = 2, of RequestOp.request_put = 2.
  return Buffer.concat(puts.map((put) => field(2, field(2, put))));
}

/** `message` as gRPC sends it. */
export function grpcMessage(message: Buffer): Buffer {
  const prefix = Buffer.alloc(GRPC_PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Whether a message has a field of bytes or of a message with this number. Throws when it is cut off. */
export function hasField(bytes: Uint8Array, start: number, end: number, number: number): boolean {
  let at = start;
  while (at < end) {
    const tag = readVarint(bytes, at, end);
    if (tag.value >> 3 === number && (tag.value & 7) === LENGTH_DELIMITED) return true;
    const value = readVarint(bytes, tag.end, end);
    at = (tag.value & 7) === LENGTH_DELIMITED ? value.end + value.value : value.end;
  }
  return false;
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | LENGTH_DELIMITED]), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** Exact below 2^53; what is larger (etcd's ids) is only skipped. */
function readVarint(bytes: Uint8Array, start: number, end: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end; at++, scale *= 128) {
    const byte = bytes[at] as number;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: at + 1 };
  }
  throw new Error("a protobuf message is cut off");
}
