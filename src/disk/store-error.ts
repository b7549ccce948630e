/**
 * What a file system or LevelDB says, in the words of a person who has to do something about it.
 */
import { CremaError } from "../base/errors.ts";

/** Whether `error`, or what caused it, means that the disk has no space left (or the user no quota). */
export function isNoSpace(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && (at.code === "ENOSPC" || at.code === "EDQUOT")) return true;
    if (/No space left on device|Disk quota exceeded/i.test(at.message)) return true;
  }
  return false;
}

/** `error`, met in the data directory `directory`. */
export function storeError(directory: string, error: unknown): CremaError {
  if (error instanceof CremaError) return error;
  const text = textOf(error);
  if (/LEVEL_LOCKED|already held|Resource temporarily unavailable|lock .*\/LOCK/i.test(text))
    return new CremaError(
      "CREMA_STORE_LOCKED",
      `the data directory ${directory} is in use by another process: two nodes cannot share one`,
      { cause: error },
    );
  if (isNoSpace(error))
    return new CremaError(
      "CREMA_DISK_FULL",
      `the disk of the data directory ${directory} is full: make space and start again`,
      { cause: error, retryable: true },
    );
  if (/EROFS|EACCES|EPERM|Permission denied|Read-only file system|ENOTDIR|EEXIST/i.test(text))
    return new CremaError(
      "CREMA_STORE_UNWRITABLE",
      `the data directory ${directory} cannot be written: ${reasonOf(error)}`,
      { cause: error },
    );
  return new CremaError("CREMA_STORE_UNWRITABLE", `the data directory ${directory}: ${reasonOf(error)}`, {
    cause: error,
  });
}

/** `error`, met while the log in `directory` was read. A file that LevelDB counts on may be gone. */
export function logError(directory: string, error: unknown): CremaError {
  if (
    error instanceof CremaError ||
    !/LEVEL_CORRUPTION|Corruption|No such file or directory|missing files|does not exist/i.test(textOf(error))
  )
    return storeError(directory, error);
  return new CremaError("CREMA_STORE_DAMAGED", `the log in ${directory}: ${reasonOf(error)}`, {
    cause: error,
  });
}

/** The innermost message. */
function reasonOf(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return at instanceof Error ? at.message : String(at);
}

function textOf(error: unknown): string {
  let text = "";
  for (let at = error; at instanceof Error; at = at.cause)
    text += `${"code" in at ? String(at.code) : ""} ${at.message}\n`;
  return text;
}
