/**
 * Assertions that stay on in production. A broken invariant means that the code is wrong, not the input:
 * it throws, the group that meets it stops loudly, and the process goes on serving the others.
 */

/** Thrown when an invariant is broken. Never caught to carry on: whatever met it must stop. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(Object.keys(details).length === 0 ? message : `${message} ${JSON.stringify(details)}`);
    this.details = details;
  }
}

/** Throws {@link InvariantError} unless `condition` holds. `message` states what must be true. */
export function assert(
  condition: boolean,
  message: string,
  details?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${message}`, details);
}

/** Ends every switch over a union: the compiler proves that no case is missing. */
export function unreachable(value: never): never {
  throw new InvariantError("invariant broken: unreachable case", { value });
}
