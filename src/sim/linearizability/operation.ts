/**
 * What a simulated client asked of one key, when, and what it was told. A history is a list of these and nothing else:
 * the checker never looks into a node. Operations that were definitely not applied are left out of a history; those of
 * which nobody knows stay in it, open for ever.
 */

/** What was asked. A `ttlMs` of 0 or less means what it means to the cache: no expiry for a put, gone at once for an expire. */
export type OperationInput =
  | { readonly type: "get" }
  | { readonly type: "get-versioned" }
  | {
      readonly type: "put";
      readonly value: string;
      /** Null clears any expiry. */
      readonly ttlMs: number | null;
      readonly condition: "always" | "if-absent" | "if-present";
    }
  /** `expectedVersion` 0 means "absent". The expiry stays. */
  | { readonly type: "cas"; readonly expectedVersion: number; readonly value: string }
  | { readonly type: "delete" }
  /** An absent key counts as 0. The expiry stays, the version changes to one that is not told. */
  | { readonly type: "increment"; readonly by: number }
  /** Sets the expiry from now on. The version stays. */
  | { readonly type: "expire"; readonly ttlMs: number }
  /** Not asked by a client: a leader chose `version` of the key for removal, and an entry that says so was applied. */
  | { readonly type: "evict"; readonly version: number };

/** What a client can ask. */
export type ClientInput = Exclude<OperationInput, { readonly type: "evict" }>;

export interface VersionedValue {
  readonly value: string;
  readonly version: number;
}

/**
 * What was answered. get: the value or null. get-versioned: {@link VersionedValue} or null. put, cas: the new version, or
 * null when the condition failed. delete, expire: whether the key existed. increment: the sum. evict: its revision.
 */
export type OperationResult = string | number | boolean | VersionedValue | null;

export interface Operation {
  /** Unique, rising. */
  readonly id: number;
  /** For people. */
  readonly client: string;
  /** For people: which node was asked. */
  readonly node: string;
  readonly key: string;
  readonly input: OperationInput;
  readonly invokedAtMs: number;
  /** Null: nobody knows whether it was or ever will be applied. */
  readonly returned: { readonly atMs: number; readonly result: OperationResult } | null;
}

/** An operation whose answer is known. */
export type CompletedOperation = Operation & { readonly returned: NonNullable<Operation["returned"]> };

export function isCompleted(operation: Operation): operation is CompletedOperation {
  return operation.returned !== null;
}

/** Only asks, whatever the answer. */
export function isRead(operation: Operation): boolean {
  return operation.input.type === "get" || operation.input.type === "get-versioned";
}

/** Answered, and by its answer known to have changed nothing: a read, a failed condition, a key that did not exist. */
export function isPassive(operation: Operation): operation is CompletedOperation {
  if (operation.returned === null) return false;
  const { result } = operation.returned;
  return isRead(operation) || result === null || result === false;
}

/** The value a completed read saw; undefined when it saw none, or is no completed read. */
export function observedValue(operation: Operation): string | undefined {
  if (operation.returned === null || !isRead(operation)) return undefined;
  const { result } = operation.returned;
  if (typeof result === "string") return result;
  return typeof result === "object" && result !== null ? result.value : undefined;
}

/** The operation as if its answer had never come: it may have been applied, may yet be, may never be. */
export function opened(operation: Operation): Operation {
  return operation.returned === null ? operation : { ...operation, returned: null };
}
