/**
 * How a shard's answer is written to a client. A form is one of a handful of constant functions: a request keeps a
 * reference to one, and nothing is allocated to say how its answer will look.
 */
import { InvariantError } from "../base/assert.ts";
import type { RespWriter } from "../wire/resp/resp-writer.ts";
import type { Reply } from "./vocabulary.ts";

/** Writes `value` as one reply. Never gets a fault: those become errors before. */
export type ReplyForm = (writer: RespWriter, value: Reply) => void;

/** The status OK, whatever the value. */
export const okForm: ReplyForm = (writer) => {
  writer.simple("OK");
};

/** OK, or null when the value is null: SET under a condition. */
export const okOrNullForm: ReplyForm = (writer, value) => {
  if (value === null) writer.null();
  else writer.simple("OK");
};

export const integerForm: ReplyForm = (writer, value) => {
  if (typeof value !== "number" && typeof value !== "bigint") throw unexpected("a number", value);
  writer.integer(value);
};

/** 1 for a value, 0 for null: SETNX. */
export const presenceForm: ReplyForm = (writer, value) => {
  writer.integer(value === null ? 0 : 1);
};

/** Bytes, or null. */
export const bulkForm: ReplyForm = (writer, value) => {
  if (typeof value === "string") writer.bulk(value);
  else if (value === null) writer.null();
  else throw unexpected("a string", value);
};

/** A one-line status. */
export const statusForm: ReplyForm = (writer, value) => {
  if (typeof value !== "string") throw unexpected("a string", value);
  writer.simple(value);
};

/** Bytes shown as they are, as text for people: INFO and CLIENT LIST. */
export const verbatimForm: ReplyForm = (writer, value) => {
  if (typeof value !== "string") throw unexpected("a string", value);
  writer.verbatim(value);
};

/** Strings, numbers, nulls and arrays of them, as they are. */
export const plainForm: ReplyForm = (writer, value) => {
  if (value === null) writer.null();
  else if (typeof value === "string") writer.bulk(value);
  else if (typeof value === "number" || typeof value === "bigint") writer.integer(value);
  else {
    const items = replyArray(value);
    writer.array(items.length);
    for (const item of items) plainForm(writer, item);
  }
};

/** A flat array of names and values as a map. */
export const mapForm: ReplyForm = (writer, value) => {
  const items = replyArray(value);
  writer.map(items.length / 2);
  for (const item of items) plainForm(writer, item);
};

/** The second of two values, as bytes or null: SET with GET, and GETSET. */
export const oldValueForm: ReplyForm = (writer, value) => {
  bulkForm(writer, replyArray(value)[1] ?? null);
};

/** `value` as the array that a shard promised. */
export function replyArray(value: Reply): readonly Reply[] {
  if (!isReplyArray(value)) throw unexpected("an array", value);
  return value;
}

/** `value` as the number that a shard promised. */
export function replyNumber(value: Reply | undefined): number {
  if (typeof value !== "number") throw unexpected("a number", value ?? null);
  return value;
}

function isReplyArray(value: Reply): value is readonly Reply[] {
  return Array.isArray(value);
}

function unexpected(wanted: string, got: Reply): Error {
  return new InvariantError(`invariant broken: a shard answers ${wanted}`, { got: typeof got });
}
