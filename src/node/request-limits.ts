/**
 * Checks keys and values against the product's limits before anything is sent.
 */
import { CremaError } from "../base/errors.ts";
import { COMMAND_BYTES_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../base/limits.ts";
import type { Command } from "../cache/command.ts";
import type { Query } from "../cache/query.ts";
import type { Reply } from "../cache/reply.ts";

/** Why `command` is beyond a limit; null when it is not. */
export function limitError(command: Command): CremaError | null {
  switch (command.type) {
    case "set":
    case "append":
    case "set-range":
      return keyError(command.key) ?? valueError(command.value);
    case "set-many": {
      let bytes = 0;
      for (const [key, value] of command.pairs) {
        const error = keyError(key) ?? valueError(value);
        if (error !== null) return error;
        bytes += key.length + value.length;
      }
      return sizeError(bytes);
    }
    case "rename":
      return keyError(command.from) ?? keyError(command.to);
    case "delete":
      return keysError(command.keys);
    case "clear":
    case "remove-expired":
    case "evict":
    case "open-session":
      return null;
    default:
      return keyError(command.key);
  }
}

/** Why `query` is beyond a limit; null when it is not. */
export function queryLimitError(query: Query): CremaError | null {
  if (query.type !== "get-many" && query.type !== "exists") return null;
  let bytes = 0;
  for (const key of query.keys) bytes += key.length;
  return sizeError(bytes);
}

/** Whether `reply` is too large to travel between nodes. */
export function isTooLarge(reply: Reply): boolean {
  if (!Array.isArray(reply)) return false;
  return replyBytes(reply) > COMMAND_BYTES_MAX;
}

function replyBytes(reply: Reply): number {
  if (typeof reply === "string") return reply.length;
  if (!Array.isArray(reply)) return 8;
  let bytes = 0;
  for (const each of reply as readonly Reply[]) bytes += replyBytes(each);
  return bytes;
}

/** What a caller is told whose answer is too large to travel. */
export function replySizeError(): CremaError {
  return new CremaError(
    "CREMA_VALUE_TOO_LARGE",
    `the answer holds more than ${COMMAND_BYTES_MAX} bytes; ask for fewer keys at a time`,
  );
}

function keysError(keys: readonly string[]): CremaError | null {
  let bytes = 0;
  for (const key of keys) {
    const error = keyError(key);
    if (error !== null) return error;
    bytes += key.length;
  }
  return sizeError(bytes);
}

function sizeError(bytes: number): CremaError | null {
  if (bytes <= COMMAND_BYTES_MAX) return null;
  return new CremaError(
    "CREMA_VALUE_TOO_LARGE",
    `one request to a shard holds at most ${COMMAND_BYTES_MAX} bytes, this one has ${bytes}; send fewer keys at a time`,
  );
}

/** Why `key` is no key; null when it is one. */
export function keyError(key: string): CremaError | null {
  if (key.length >= 1 && key.length <= KEY_BYTES_MAX) return null;
  return new CremaError(
    "CREMA_KEY_INVALID",
    `a key has 1 .. ${KEY_BYTES_MAX} bytes, this one has ${key.length}`,
  );
}

function valueError(value: string): CremaError | null {
  if (value.length <= VALUE_BYTES_MAX) return null;
  return new CremaError(
    "CREMA_VALUE_TOO_LARGE",
    `a value has at most ${VALUE_BYTES_MAX} bytes, this one has ${value.length}`,
  );
}
