/**
 * The origin's book of a session, against one that keeps every number for ever.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OUTSTANDING_PER_SESSION_MAX, Session } from "../../src/node/session.ts";

describe("a session", () => {
  test("answers in any order move the low-water mark to the oldest sequence without an answer", () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 2, arbitrary: fc.constant("take" as const) },
        // Near the mark mostly, so that it moves; the same one may be answered twice.
        { weight: 2, arbitrary: fc.nat(20) },
        { weight: 1, arbitrary: fc.nat(5_000) },
      ),
      { maxLength: 4_000, size: "max" },
    );
    let furthest = 0;
    fc.assert(
      fc.property(steps, (each) => {
        const session = new Session();
        session.open(7);
        const answered = new Set<number>();
        let taken = 0;
        let lowWater = 1;
        for (const step of each) {
          if (step === "take") expect(session.take()).toBe(++taken);
          else if (taken > 0) {
            const sequence = Math.min(taken, lowWater + step);
            session.answered(7, sequence);
            answered.add(sequence);
            while (answered.has(lowWater)) lowWater++;
          }
          expect(session.lowWater).toBe(lowWater);
          expect(session.outstanding).toBe(taken + 1 - lowWater);
        }
        furthest = Math.max(furthest, lowWater);
      }),
      { numRuns: 60 },
    );
    // Beyond what is forgotten at once.
    expect(furthest).toBeGreaterThan(600);
  });

  test("is full with as many as may be outstanding, and begins anew when it is opened again", () => {
    const session = new Session();
    session.open(7);
    for (let count = 0; count < OUTSTANDING_PER_SESSION_MAX; count++) session.take();
    expect(session.isFull).toBe(true);
    session.answered(6, 1);
    expect(session.lowWater, "an answer of another session").toBe(1);
    session.answered(7, 1);
    expect([session.isFull, session.lowWater]).toEqual([false, 2]);
    session.open(8);
    expect([session.take(), session.lowWater, session.outstanding]).toEqual([1, 1, 1]);
    session.answered(8, 1);
    expect([session.take(), session.lowWater]).toEqual([2, 2]);
  });
});
