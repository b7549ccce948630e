/**
 * The chain of a lane's requests, against an array.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { shardId } from "../../src/base/ids.ts";
import { PendingRequest } from "../../src/node/pending-request.ts";
import { RequestList } from "../../src/node/request-list.ts";

const OWNER = { onReply: () => {}, onAttemptFailed: () => {} };
const SINK = { reply: () => {}, fail: () => {} };

function newRequest(deadlineMs: number): PendingRequest {
  return new PendingRequest(OWNER, "read", shardId(0), null, { type: "get", key: "k" }, deadlineMs, SINK);
}

test("requests come at the end and go from anywhere, of two lists", () => {
  const steps = fc.array(
    fc.record({ of: fc.nat(1), what: fc.constantFrom("append", "append", "remove"), at: fc.nat(40) }),
    { maxLength: 200, size: "max" },
  );
  fc.assert(
    fc.property(steps, (each) => {
      const lists = [new RequestList(), new RequestList()] as const;
      const models: [PendingRequest[], PendingRequest[]] = [[], []];
      const gone: PendingRequest[] = [];
      for (const { of, what, at } of each) {
        const [list, model] = of === 0 ? [lists[0], models[0]] : [lists[1], models[1]];
        // Also one that has gone already, or is in the other list: that changes nothing.
        const others = [...(models[1 - of] ?? []), ...gone];
        if (what === "append") {
          const request = gone.pop() ?? newRequest(at);
          list.append(request);
          model.push(request);
        } else if (at < model.length) {
          const [request] = model.splice(at, 1);
          list.remove(request as PendingRequest);
          gone.push(request as PendingRequest);
        } else {
          const other = others[at % Math.max(1, others.length)];
          if (other !== undefined) list.remove(other);
        }
        for (const [index, listed] of lists.entries()) {
          const expected = models[index] as PendingRequest[];
          expect(listed.size).toBe(expected.length);
          expect(listed.first).toBe(expected[0] ?? null);
          const all = listed.select(() => true);
          expect(all.length === expected.length && all.every((one, i) => one === expected[i])).toBe(true);
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("those that are selected are those of that moment, whatever becomes of the list meanwhile", () => {
  const list = new RequestList();
  const requests = [1, 2, 3, 4].map(newRequest);
  for (const request of requests) list.append(request);
  const seen: number[] = [];
  for (const request of list.select(({ deadlineMs }) => deadlineMs !== 2)) {
    seen.push(request.deadlineMs);
    for (const each of requests) list.remove(each);
    list.append(newRequest(5));
  }
  expect(seen).toEqual([1, 3, 4]);
  expect(list.size).toBe(3);
});
