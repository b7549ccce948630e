/**
 * What one peer has not answered, against a table that keeps every number.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { shardId } from "../../src/base/ids.ts";
import { OutstandingRequests } from "../../src/node/outstanding-requests.ts";
import { PendingRequest } from "../../src/node/pending-request.ts";

const OWNER = { onReply: () => {}, onAttemptFailed: () => {} };
const SINK = { reply: () => {}, fail: () => {} };

function newRequest(): PendingRequest {
  const query = { type: "get", key: "k" } as const;
  return new PendingRequest(OWNER, "read", shardId(0), null, query, Number.POSITIVE_INFINITY, SINK);
}

test("an answer finds who asked, once, however many were sent meanwhile", () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ send: fc.integer({ min: 1, max: 700 }) }) },
      // Numbers near the last one, and any: answered, unanswered, and never sent.
      { weight: 4, arbitrary: fc.record({ back: fc.integer({ min: -2, max: 40 }) }) },
      { weight: 4, arbitrary: fc.record({ back: fc.integer({ min: 0, max: 5_000 }) }) },
      { weight: 1, arbitrary: fc.constant({ send: 1_024 }) },
    ),
    { maxLength: 60 },
  );
  let oldest = 0;
  fc.assert(
    fc.property(steps, (each) => {
      const outstanding = new OutstandingRequests();
      const model = new Map<number, PendingRequest>();
      let sent = 0;
      for (const step of each) {
        if ("send" in step)
          for (let count = 0; count < step.send; count++) {
            const request = newRequest();
            expect(outstanding.nextNumber).toBe(++sent);
            outstanding.add(request);
            model.set(sent, request);
          }
        else {
          const number = Math.max(0, sent - step.back);
          const expected = model.get(number) ?? null;
          if (expected !== null) oldest = Math.max(oldest, step.back);
          expect(outstanding.take(number) === expected).toBe(true);
          model.delete(number);
          expect(outstanding.take(number)).toBeNull();
        }
      }
      const rest = outstanding.takeAll();
      const expected = [...model.values()];
      expect(rest.length).toBe(expected.length);
      expect(rest.every((request, at) => request === expected[at])).toBe(true);
      expect(outstanding.takeAll()).toEqual([]);
    }),
    { numRuns: 100 },
  );
  expect(oldest, "some waited for longer than the ring holds").toBeGreaterThan(1_024);
});
