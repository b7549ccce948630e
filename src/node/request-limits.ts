/**
 * Checks keys and values against the product's limits before anything is sent.
 */
import { CremaError } from "../base/errors.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../base/limits.ts";
import type { Command } from "../cache/command.ts";

/** Why `command` is beyond a limit; null when it is not. */
export function limitError(command: Command): CremaError | null {
  switch (command.type) {
    case "set":
    case "append":
    case "set-range":
      return keyError(command.key) ?? valueError(command.value);
    case "set-many":
      for (const [key, value] of command.pairs) {
        const error = keyError(key) ?? valueError(value);
        if (error !== null) return error;
      }
      return null;
    case "rename":
      return keyError(command.from) ?? keyError(command.to);
    case "delete":
      for (const key of command.keys) {
        const error = keyError(key);
        if (error !== null) return error;
      }
      return null;
    case "clear":
    case "remove-expired":
    case "open-session":
      return null;
    default:
      return keyError(command.key);
  }
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
