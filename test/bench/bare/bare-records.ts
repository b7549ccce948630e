/**
 * Requests as bare nodes know them: all keys have {@link KEY_BYTES} and all values {@link VALUE_BYTES}, so everything lies at a fixed place and
 * nothing has to be parsed.
 */
import type { Buffer } from "node:buffer";
import { KEY_BYTES, keyText, VALUE_BYTES, valueText } from "../job.ts";
import { request } from "../load/resp-batches.ts";

export const SET_BYTES = request("SET", keyText(0), valueText(0)).length;
export const GET_BYTES = request("GET", keyText(0)).length;
/** Of the key in a request of either kind, and of the value in a SET. */
export const KEY_AT = GET_BYTES - KEY_BYTES - 2;
export const VALUE_AT = SET_BYTES - VALUE_BYTES - 2;
/** Key and value, as they are replicated. */
export const PAIR_BYTES = KEY_BYTES + VALUE_BYTES;
/** Second byte of a request: of how many parts it is. */
export const PARTS = { set: 0x33, get: 0x32 };

/** Which of `nodes` leads for the key at `at`: by the last digit of its number. */
export function leaderOf(bytes: Buffer, at: number, nodes: number): number {
  return (bytes[at + KEY_BYTES - 1] as number) % nodes;
}

export function readKey(bytes: Buffer, at: number): string {
  return bytes.toString("latin1", at, at + KEY_BYTES);
}

export function readValue(bytes: Buffer, at: number): string {
  return bytes.toString("latin1", at, at + VALUE_BYTES);
}
