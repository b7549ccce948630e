/**
 * How asking a node can fail, apart enough for commands that try again.
 */
import { CommandFailed } from "../command-failed.ts";

export interface Refusal {
  readonly status: number;
  /** The node's code, where it gave one. */
  readonly code?: string;
  /** The same request may succeed later; or nobody knows whether it did. */
  readonly retryable?: boolean;
}

/** A node answered, and the answer is no. */
export class AnswerRefused extends CommandFailed {
  readonly status: number;
  readonly code: string | undefined;
  readonly retryable: boolean;

  constructor(message: string, { status, code, retryable = false }: Refusal) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryable = retryable;
  }
}

/** Nobody answered, or not to the end. */
export class NodeUnreachable extends CommandFailed {}
