/**
 * The definition of linearizability, spelled out: every order of the operations, every choice of open ones, every moment
 * of expiry, every version that could have been given. Shares nothing with the checker but the types. Exponential:
 * for a handful of operations.
 */
import type { Operation, OperationResult } from "../../../src/sim/linearizability/operation.ts";

interface Cell {
  readonly value: string;
  readonly version: number;
  readonly expiresAtMs: number;
}

interface World {
  readonly cell: Cell | null;
  readonly revision: number;
  readonly timeMs: number;
}

/** Whether some order explains `operations`, all of one key that is absent at first. */
export function isLinearizableByBruteForce(operations: readonly Operation[], toleranceMs = 0): boolean {
  const mentioned = operations.flatMap(({ input, returned }) => [
    0,
    input.type === "cas" ? input.expectedVersion : input.type === "evict" ? input.version : 0,
    typeof returned?.result === "number" && input.type !== "increment" ? returned.result : 0,
    typeof returned?.result === "object" && returned.result !== null ? returned.result.version : 0,
  ]);
  // Versions nobody mentions are all alike: one more than the highest is as good as any.
  const revisionMax = Math.max(...mentioned) + operations.length * 2;
  const explore = (left: readonly Operation[], world: World): boolean => {
    if (left.every((each) => each.returned === null)) return true;
    for (const next of left) {
      const timeMs = Math.max(world.timeMs, next.invokedAtMs);
      if (next.returned !== null && timeMs > next.returned.atMs) continue;
      const rest = left.filter((each) => each !== next);
      for (const [result, after] of outcomes({ ...world, timeMs }, next, toleranceMs, revisionMax)) {
        if (next.returned !== null && !same(result, next.returned.result)) continue;
        if (explore(rest, after)) return true;
      }
    }
    const { cell } = world;
    if (cell === null || cell.expiresAtMs === Number.POSITIVE_INFINITY) return false;
    const timeMs = Math.max(world.timeMs, cell.expiresAtMs);
    return explore(left, { cell: null, revision: world.revision + 1, timeMs });
  };
  return explore(operations, { cell: null, revision: 0, timeMs: Number.NEGATIVE_INFINITY });
}

function* outcomes(
  world: World,
  { input, invokedAtMs }: Operation,
  toleranceMs: number,
  revisionMax: number,
): Generator<[OperationResult, World]> {
  const { cell, revision, timeMs } = world;
  const never = Number.POSITIVE_INFINITY;
  function* writes(value: string, expiresAtMs: number): Generator<[number, World]> {
    for (let version = revision + 1; version <= revisionMax; version++) {
      yield [version, { cell: { value, version, expiresAtMs }, revision: version, timeMs }];
    }
  }
  switch (input.type) {
    case "get":
      return yield [cell?.value ?? null, world];
    case "get-versioned":
      return yield [cell === null ? null : { value: cell.value, version: cell.version }, world];
    case "put": {
      const refused =
        input.condition === "if-absent" ? cell !== null : input.condition === "if-present" && cell === null;
      if (refused) return yield [null, world];
      const expires = input.ttlMs === null ? never : invokedAtMs + input.ttlMs - toleranceMs;
      return yield* writes(input.value, expires);
    }
    case "cas":
      if ((cell?.version ?? 0) !== input.expectedVersion) return yield [null, world];
      return yield* writes(input.value, cell?.expiresAtMs ?? never);
    case "delete":
      if (cell === null) return yield [false, world];
      return yield [true, { cell: null, revision: revision + 1, timeMs }];
    case "increment": {
      if (cell !== null && !/^-?\d+$/.test(cell.value)) return;
      const sum = Number(cell?.value ?? 0) + input.by;
      for (const [, after] of writes(String(sum), cell?.expiresAtMs ?? never)) yield [sum, after];
      return;
    }
    case "expire":
      if (cell === null) return yield [false, world];
      if (input.ttlMs <= 0) return yield [true, { cell: null, revision: revision + 1, timeMs }];
      yield [true, { ...world, cell: { ...cell, expiresAtMs: invokedAtMs + input.ttlMs - toleranceMs } }];
      return;
    case "evict":
      if (cell?.version !== input.version) return;
      for (let removal = revision + 1; removal <= revisionMax; removal++)
        yield [removal, { cell: null, revision: removal, timeMs }];
  }
}

function same(one: OperationResult, other: OperationResult): boolean {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null)
    return one === other;
  return one.value === other.value && one.version === other.version;
}
