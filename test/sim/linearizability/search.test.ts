import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { checkHistory } from "../../../src/sim/linearizability/check-history.ts";
import { ABSENT } from "../../../src/sim/linearizability/key-model.ts";
import type {
  Operation,
  OperationInput,
  OperationResult,
} from "../../../src/sim/linearizability/operation.ts";
import { searchOrder } from "../../../src/sim/linearizability/search.ts";
import { isLinearizableByBruteForce } from "./brute-force.ts";
import {
  cas,
  evict,
  expire,
  get,
  getVersioned,
  increment,
  put,
  registerHistory,
  remove,
} from "./histories.ts";

/** Few values and versions, so that chance meets. */
function smallInput(random: Random, counters: boolean, lastVersion: number): OperationInput {
  const value = String.fromCharCode(97 + random.nextBelow(3));
  const ttlMs = random.nextBelow(2) === 0 ? null : random.nextBetween(1, 12);
  switch (random.nextBelow(counters ? 10 : 8)) {
    case 0:
      return get;
    case 1:
    case 2:
      return getVersioned;
    case 3:
      return put(counters ? String(random.nextBelow(3)) : value, ttlMs);
    case 4:
      return put(value, ttlMs, random.nextBelow(2) === 0 ? "if-absent" : "if-present");
    case 5:
      return cas(random.nextBelow(3) === 0 ? random.nextBelow(5) : lastVersion, value);
    case 6:
      return remove;
    case 7:
      return random.nextBelow(3) === 0 ? evict(lastVersion) : expire(random.nextBetween(0, 12));
    default:
      return increment(random.nextBetween(-1, 2));
  }
}

function smallHistory(random: Random, operations: number, toleranceMs: number): Operation[] {
  const counters = random.nextBelow(3) === 0;
  const onlyCounter = random.nextBelow(6) === 0;
  return registerHistory(random, {
    operations,
    clients: random.nextBetween(1, 4),
    ambiguousPercent: random.nextBelow(3) * 20,
    latencyMsMax: random.nextBetween(1, 15),
    toleranceMs,
    choose: (chance, _, lastVersion) =>
      onlyCounter
        ? chance.nextBelow(2) === 0
          ? get
          : increment(chance.nextBetween(1, 2))
        : smallInput(chance, counters, lastVersion),
  });
}

function mutated(random: Random, { input }: Operation, result: OperationResult): OperationResult {
  const value = random.nextBelow(4) === 0 ? "1" : String.fromCharCode(97 + random.nextBelow(3));
  switch (input.type) {
    case "get":
      return random.nextBelow(4) === 0 ? null : value;
    case "get-versioned":
      if (random.nextBelow(4) === 0) return null;
      if (typeof result === "object" && result !== null && random.nextBelow(2) === 0)
        return { ...result, version: random.nextBetween(1, 6) };
      return { value, version: random.nextBetween(1, 6) };
    case "put":
    case "cas":
      return random.nextBelow(3) === 0 ? null : random.nextBetween(1, 6);
    case "delete":
    case "expire":
      return result !== true;
    case "evict":
      return Number(result) + random.nextBetween(-1, 1);
    case "increment":
      return Number(result) + random.nextBetween(-1, 1);
  }
}

/** Changes an answer, loses one, or moves one in time. */
function withMutation(random: Random, operations: Operation[]): void {
  const index = random.nextBelow(operations.length);
  const operation = operations[index];
  if (operation === undefined || operation.returned === null) return;
  const { returned, invokedAtMs } = operation;
  const kind = random.nextBelow(8);
  operations[index] = {
    ...operation,
    returned:
      kind === 0
        ? null
        : kind === 1
          ? { ...returned, atMs: invokedAtMs + random.nextBelow(10) }
          : { ...returned, result: mutated(random, operation, returned.result) },
  };
}

const seeds = fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff));

describe("searchOrder", () => {
  test("agrees with the definition, spelled out, on every small history", () => {
    const verdicts = { linearizable: 0, violation: 0 };
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 1, max: 7 }),
        fc.nat(3),
        fc.nat(2),
        (seed, count, mutations, tolerance) => {
          const random = new Random(...seed);
          const operations = smallHistory(random, count, tolerance);
          for (let done = 0; done < mutations; done++) withMutation(random, operations);
          const expected = isLinearizableByBruteForce(operations, tolerance) ? "linearizable" : "violation";
          verdicts[expected]++;
          const limits = { toleranceMs: tolerance, configurationsMax: 100_000 };
          const patient = searchOrder(operations, [ABSENT], limits).type;
          // Asks at once whether there would be an order if open writes could be applied repeatedly.
          const suspicious = searchOrder(operations, [ABSENT], { ...limits, suspicionMax: 0 }).type;
          const type = patient === expected ? suspicious : patient;
          if (type !== expected)
            throw new Error(`${type}, not ${expected}: ${JSON.stringify(operations, null, 1)}`);
        },
      ),
      { numRuns: 1_500 },
    );
    // The test is worth something only if both happen often.
    expect(Math.min(verdicts.linearizable, verdicts.violation)).toBeGreaterThan(250);
  }, 60_000);

  test("accepts whatever one register can have answered", () => {
    fc.assert(
      fc.property(seeds, fc.nat(3), (seed, tolerance) => {
        const operations = smallHistory(new Random(...seed), 60, tolerance);
        const verdict = checkHistory(operations, { toleranceMs: tolerance });
        expect(verdict.type, verdict.type === "violation" ? verdict.explanation : "").toBe("linearizable");
      }),
      { numRuns: 500 },
    );
  });
});
