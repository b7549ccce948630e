/**
 * The errors a user of crema can meet. Each code is stable within a major version and explained in
 * `docs/errors.md` (a test fails when one is missing there).
 */

/** Every code there is, sorted. */
export const CREMA_ERROR_CODES = [
  "CREMA_ABORTED",
  "CREMA_ADDRESS_IN_USE",
  "CREMA_ADDRESS_UNAVAILABLE",
  "CREMA_BUSY",
  "CREMA_CAPACITY",
  "CREMA_CLOSED",
  "CREMA_CLUSTER_MISMATCH",
  "CREMA_CROSS_SHARD",
  "CREMA_DISK_FULL",
  "CREMA_ID_CONFLICT",
  "CREMA_INSECURE_HOST",
  "CREMA_INTERNAL",
  "CREMA_KEY_INVALID",
  "CREMA_NO_LEADER",
  "CREMA_NO_QUORUM",
  "CREMA_NOT_LEADER",
  "CREMA_NOT_READY",
  "CREMA_PROTOCOL",
  "CREMA_RECOVERY_REFUSED",
  "CREMA_REMOVED",
  "CREMA_SEED_MISMATCH",
  "CREMA_STORE_DAMAGED",
  "CREMA_STORE_FORMAT",
  "CREMA_STORE_LOCKED",
  "CREMA_STORE_UNWRITABLE",
  "CREMA_TIMEOUT",
  "CREMA_UNREACHABLE",
  "CREMA_VALUE_TOO_LARGE",
  "CREMA_WATCH_LAGGED",
  "CREMA_WRONG_TYPE",
] as const;

/** What went wrong, for programs. */
export type CremaErrorCode = (typeof CREMA_ERROR_CODES)[number];

/** Whether `text` is one of our codes; for errors that came over the wire. */
export function isCremaErrorCode(text: string): text is CremaErrorCode {
  return (CREMA_ERROR_CODES as readonly string[]).includes(text);
}

export interface CremaErrorOptions {
  /** The same call may succeed later, unchanged. */
  readonly retryable?: boolean;
  /** The write may or may not have been applied. */
  readonly ambiguous?: boolean;
  /** How long to wait before trying again, in milliseconds, where known. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** An operating failure: what happened, to what, and what to do about it. */
export class CremaError extends Error {
  override readonly name = "CremaError";
  readonly code: CremaErrorCode;
  readonly retryable: boolean;
  readonly ambiguous: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: CremaErrorCode, message: string, options: CremaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.ambiguous = options.ambiguous ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
