/**
 * Failures as HTTP answers: a status that proxies and people understand, and a body that programs do.
 */
import { CremaError, type CremaErrorCode } from "../../base/errors.ts";

/** The body of every answer that is not a success. */
export interface FailureBody {
  /** A `CREMA_*` code, or one of the door's own: NOT_FOUND, KEY_NOT_FOUND, BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE, TOO_LARGE, CLUSTER_FULL. */
  readonly code: string;
  readonly message: string;
  /** The same request may succeed later, unchanged. */
  readonly retryable: boolean;
  /** The write may or may not have been applied. */
  readonly ambiguous: boolean;
}

/** A request that cannot be served as it is: thrown by the routes, answered by the door. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A question that the door does not understand. */
export function badRequest(message: string): HttpFailure {
  return new HttpFailure(400, "BAD_REQUEST", message);
}

export interface FailureAnswer {
  readonly status: number;
  readonly body: FailureBody;
  readonly retryAfterSeconds: number | null;
}

/** How `error` is answered; null when it is a bug that belongs in the log. */
export function failureAnswer(error: unknown): FailureAnswer | null {
  if (error instanceof HttpFailure) {
    const { code, message } = error;
    return answerOf(error.status, { code, message, retryable: false, ambiguous: false });
  }
  if (error instanceof CremaError) {
    const { code, message, retryable, ambiguous, retryAfterMs } = error;
    const waitMs = retryAfterMs ?? (retryable ? 1_000 : null);
    const seconds = waitMs === null ? null : Math.max(1, Math.ceil(waitMs / 1_000));
    return answerOf(STATUSES[code] ?? 500, { code, message, retryable, ambiguous }, seconds);
  }
  return null;
}

/** What a bug is answered with: nothing about its inside. */
export const INTERNAL_FAILURE: FailureAnswer = Object.freeze({
  status: 500,
  body: {
    code: "CREMA_INTERNAL",
    message: "internal error, see the log of the node",
    retryable: false,
    ambiguous: true,
  },
  retryAfterSeconds: null,
});

const STATUSES: Readonly<Partial<Record<CremaErrorCode, number>>> = {
  CREMA_ABORTED: 503,
  CREMA_BUSY: 503,
  CREMA_CAPACITY: 507,
  CREMA_CLOSED: 503,
  CREMA_CLUSTER_MISMATCH: 409,
  CREMA_CROSS_SHARD: 400,
  CREMA_DISK_FULL: 503,
  CREMA_ID_CONFLICT: 409,
  CREMA_KEY_INVALID: 400,
  CREMA_NO_LEADER: 503,
  CREMA_NO_QUORUM: 503,
  CREMA_NOT_LEADER: 503,
  CREMA_NOT_READY: 503,
  CREMA_RECOVERY_REFUSED: 409,
  CREMA_REMOVED: 503,
  CREMA_SEED_MISMATCH: 409,
  CREMA_TIMEOUT: 504,
  CREMA_UNREACHABLE: 503,
  CREMA_VALUE_TOO_LARGE: 413,
  CREMA_WRONG_TYPE: 409,
};

function answerOf(status: number, body: FailureBody, retryAfterSeconds: number | null = null): FailureAnswer {
  return { status, body, retryAfterSeconds };
}
