/**
 * Queries as bytes, for reads that are forwarded to another node: a tag, then what it announces.
 */
import { assert, unreachable } from "../base/assert.ts";
import { KEY_BYTES_MAX } from "../base/limits.ts";
import type { Query } from "../cache/query.ts";
import { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { readSigned, writeSigned } from "./signed-codec.ts";
import { WireError } from "./wire-error.ts";

const GET = 1;
const GET_VERSIONED = 2;
const GET_MANY = 3;
const EXISTS = 4;
const LENGTH = 5;
const GET_RANGE = 6;
const TTL = 7;
const TYPE_OF = 8;
const COUNT = 9;
const KEYS = 10;
const SCAN = 11;
const RANDOM_KEY = 12;
const STATS = 13;

export function encodeQuery(writer: ByteWriter, query: Query): void {
  switch (query.type) {
    case "get":
      encodeKeyed(writer, GET, query.key);
      return;
    case "get-versioned":
      encodeKeyed(writer, GET_VERSIONED, query.key);
      return;
    case "get-many":
      encodeKeys(writer, GET_MANY, query.keys);
      return;
    case "exists":
      encodeKeys(writer, EXISTS, query.keys);
      return;
    case "length":
      encodeKeyed(writer, LENGTH, query.key);
      return;
    case "get-range":
      encodeKeyed(writer, GET_RANGE, query.key);
      writeSigned(writer, query.first);
      writeSigned(writer, query.last);
      return;
    case "ttl":
      encodeKeyed(writer, TTL, query.key);
      return;
    case "type-of":
      encodeKeyed(writer, TYPE_OF, query.key);
      return;
    case "count":
      writer.u8(COUNT);
      return;
    case "keys":
      writer.u8(KEYS);
      writer.latin1(query.pattern);
      writer.varint(query.limit);
      return;
    case "scan":
      writer.u8(SCAN);
      writer.varint(query.position);
      writer.varint(query.count);
      writer.bool(query.pattern !== null);
      if (query.pattern !== null) writer.latin1(query.pattern);
      return;
    case "random-key":
      writer.u8(RANDOM_KEY);
      writer.varint(query.pick);
      return;
    case "stats":
      writer.u8(STATS);
      return;
    default:
      unreachable(query);
  }
}

/** Reads one query that fills `bytes`; it keeps nothing of them. */
export function decodeQuery(bytes: Uint8Array): Query {
  const reader = new ByteReader(bytes);
  const query = readQuery(reader);
  reader.expectEnd();
  return query;
}

function readQuery(reader: ByteReader): Query {
  const tag = reader.u8();
  switch (tag) {
    case GET:
      return { type: "get", key: readKey(reader) };
    case GET_VERSIONED:
      return { type: "get-versioned", key: readKey(reader) };
    case GET_MANY:
      return { type: "get-many", keys: readKeys(reader) };
    case EXISTS:
      return { type: "exists", keys: readKeys(reader) };
    case LENGTH:
      return { type: "length", key: readKey(reader) };
    case GET_RANGE:
      return { type: "get-range", key: readKey(reader), first: readSigned(reader), last: readSigned(reader) };
    case TTL:
      return { type: "ttl", key: readKey(reader) };
    case TYPE_OF:
      return { type: "type-of", key: readKey(reader) };
    case COUNT:
      return { type: "count" };
    case KEYS:
      return { type: "keys", pattern: reader.latin1(), limit: reader.varint() };
    case SCAN: {
      const position = reader.varint();
      const count = reader.varint();
      return { type: "scan", position, count, pattern: reader.bool() ? reader.latin1() : null };
    }
    case RANDOM_KEY:
      return { type: "random-key", pick: reader.varint() };
    case STATS:
      return { type: "stats" };
    default:
      throw new WireError(`query with unknown tag ${tag}`, reader.offset - 1);
  }
}

function encodeKeyed(writer: ByteWriter, tag: number, key: string): void {
  writer.u8(tag);
  writeKey(writer, key);
}

function encodeKeys(writer: ByteWriter, tag: number, keys: readonly string[]): void {
  writer.u8(tag);
  writer.varint(keys.length);
  for (const key of keys) writeKey(writer, key);
}

function readKeys(reader: ByteReader): string[] {
  const count = reader.count(1);
  const keys: string[] = [];
  for (let done = 0; done < count; done++) keys.push(readKey(reader));
  return keys;
}

function writeKey(writer: ByteWriter, key: string): void {
  assert(key.length <= KEY_BYTES_MAX, "a key fits its limit", { bytes: key.length });
  writer.latin1(key);
}

function readKey(reader: ByteReader): string {
  return reader.latin1(KEY_BYTES_MAX);
}
