import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logIndex, term } from "../../src/base/ids.ts";
import { configurationOf, EMPTY_CONFIGURATION } from "../../src/raft/configuration.ts";
import { ConfigurationHistory } from "../../src/raft/configuration-history.ts";
import { Inflights } from "../../src/raft/inflights.ts";
import { ENTRY_OVERHEAD_BYTES, RaftLog } from "../../src/raft/log.ts";
import { resolveRaftOptions } from "../../src/raft/options.ts";
import { Persistence } from "../../src/raft/persistence.ts";
import { Progress } from "../../src/raft/progress.ts";
import { nodeOf } from "./cluster.ts";
import { entriesOf } from "./messages.ts";

function logWith(base: readonly [number, number], terms: readonly number[]): RaftLog {
  const log = new RaftLog(logIndex(base[0]), term(base[1]));
  for (const entry of entriesOf(base[0], terms)) log.append(entry);
  return log;
}

describe("the log", () => {
  test("knows the term of every entry, of its base, and of nothing else", () => {
    const log = logWith([5, 2], [3, 3, 4]);
    expect([4, 5, 6, 7, 8, 9].map((index) => log.termAt(index))).toEqual([null, 2, 3, 3, 4, null]);
  });

  test("finds the last index within a term, as a scan would", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 12 }), fc.nat(20), fc.nat(12), (steps, index, value) => {
        let reached = 1;
        const terms = steps.map((step) => {
          reached += step;
          return reached;
        });
        const log = logWith([3, 1], terms);
        let scanned = Math.min(Math.max(index, 3), log.lastIndex);
        while (scanned > 3 && (log.termAt(scanned) ?? 0) > value) scanned--;
        expect(log.lastIndexWithin(index, term(value))).toBe(scanned);
      }),
    );
  });

  test("cuts a slice at the byte limit, but never to nothing", () => {
    const log = logWith([0, 0], [1, 1, 1, 1]);
    const one = ENTRY_OVERHEAD_BYTES + 3;
    expect(log.slice(1, 4, 0)).toHaveLength(1);
    expect(log.slice(1, 4, one * 2)).toHaveLength(2);
    expect(log.slice(2, 4, one * 3 - 1)).toHaveLength(2);
    expect(log.slice(1, 4, Number.POSITIVE_INFINITY)).toHaveLength(4);
    expect(log.slice(5, 4, 99)).toEqual([]);
  });

  test("counts its bytes through truncation and compaction", () => {
    const log = logWith([0, 0], [1, 1, 2, 2]);
    const one = ENTRY_OVERHEAD_BYTES + 3;
    log.truncateFrom(logIndex(4));
    expect(log.bytes).toBe(one * 3);
    log.compactTo(logIndex(2));
    expect(log.bytes).toBe(one);
    expect(log.bytesBetween(logIndex(2), logIndex(3))).toBe(one);
    for (const entry of entriesOf(3, [2])) log.append(entry);
    expect(log.bytes).toBe(one * 2);
    log.compactTo(logIndex(4));
    expect([log.bytes, log.baseTerm, log.lastIndex, log.lastTerm]).toEqual([0, 2, 4, 2]);
  });

  test("refuses gaps and falling terms", () => {
    const log = logWith([0, 0], [2]);
    expect(() => log.append({ kind: "noop", index: logIndex(3), term: term(2) })).toThrow(/gaps/);
    expect(() => log.append({ kind: "noop", index: logIndex(2), term: term(1) })).toThrow(/never fall/);
  });
});

describe("the history of configurations", () => {
  const [a, b, c] = [1, 2, 3].map((number) => configurationOf([nodeOf(number)]));

  test("answers what was in force where, back to the base, and forgets what is truncated or compacted", () => {
    const history = new ConfigurationHistory(logIndex(0), EMPTY_CONFIGURATION);
    history.append(logIndex(2), a ?? EMPTY_CONFIGURATION);
    history.append(logIndex(5), b ?? EMPTY_CONFIGURATION);
    history.append(logIndex(7), c ?? EMPTY_CONFIGURATION);
    expect([1, 2, 4, 5, 9].map((index) => history.at(logIndex(index)))).toEqual([
      EMPTY_CONFIGURATION,
      a,
      a,
      b,
      c,
    ]);
    expect(history.truncateFrom(logIndex(8))).toBe(false);
    expect(history.truncateFrom(logIndex(6))).toBe(true);
    expect(history.current).toBe(b);
    history.compactTo(logIndex(3));
    expect(history.at(logIndex(3))).toBe(a);
    expect(history.currentIndex).toBe(5);
    expect(() => history.at(logIndex(2))).toThrow(/base/);
  });
});

describe("the window of requests in flight", () => {
  test("is full by count or by bytes, and frees everything up to an index", () => {
    const window = new Inflights(3, 100);
    window.add(1, 10);
    window.add(5, 10);
    expect(window.full).toBe(false);
    window.add(9, 10);
    expect(window.full).toBe(true);
    window.freeTo(4);
    expect([window.count, window.bytes]).toEqual([2, 20]);
    window.add(12, 90);
    expect(window.full).toBe(true);
    window.freeTo(11);
    expect(window.full, "one request may overshoot the byte limit").toBe(false);
    window.add(13, 20);
    expect(window.full).toBe(true);
    window.freeTo(99);
    expect([window.count, window.bytes]).toEqual([0, 0]);
  });

  test("behaves like a plain list, however it wraps and grows", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(30)), { maxLength: 60 }), (acts) => {
        const window = new Inflights(9, 1_000_000);
        let plain: [number, number][] = [];
        let last = 0;
        for (const [adds, value] of acts) {
          if (adds && !window.full) {
            last += 1 + (value % 3);
            window.add(last, value);
            plain.push([last, value]);
          } else {
            const to = last - (value % 10);
            window.freeTo(to);
            plain = plain.filter(([index]) => index > to);
          }
          expect(window.count).toBe(plain.length);
          expect(window.bytes).toBe(plain.reduce((sum, [, bytes]) => sum + bytes, 0));
        }
      }),
    );
  });
});

describe("the progress of a member", () => {
  const fresh = () => new Progress(nodeOf(2), 1, logIndex(10), 0, resolveRaftOptions());

  test("goes back to the hint at a refusal, never below what is certain, and ignores stale refusals", () => {
    const progress = fresh();
    expect(progress.backtrack(logIndex(8), logIndex(3)), "not the probe that is out").toBe(false);
    expect(progress.backtrack(logIndex(9), logIndex(3))).toBe(true);
    expect(progress.next).toBe(4);
    progress.acknowledge(logIndex(2));
    expect(progress.backtrack(logIndex(3), logIndex(0))).toBe(true);
    expect(progress.next).toBe(3);
    expect(progress.backtrack(logIndex(2), logIndex(0)), "below match").toBe(false);
  });

  test("probes from after its match when the pipeline broke", () => {
    const progress = fresh();
    progress.acknowledge(logIndex(4));
    progress.becomeReplicate();
    progress.next = logIndex(9);
    progress.inflights.add(8, 1);
    expect(progress.backtrack(logIndex(4), logIndex(0))).toBe(false);
    expect(progress.backtrack(logIndex(7), logIndex(0))).toBe(true);
    expect([progress.state, progress.next, progress.inflights.count]).toEqual(["probe", 5, 0]);
  });

  test("probes after the snapshot that was delivered", () => {
    const progress = fresh();
    progress.becomeSnapshot(logIndex(20));
    expect(progress.backtrack(logIndex(9), logIndex(0))).toBe(false);
    progress.becomeProbe(logIndex(20));
    expect(progress.next).toBe(21);
  });
});

describe("what is durable", () => {
  const hardState = () => ({ term: term(1), vote: null, commit: logIndex(0) });

  test("is vouched for by a confirmation only as far as the log is still the one that was written", () => {
    const log = logWith([0, 0], []);
    const persistence = new Persistence(log);
    for (const entry of entriesOf(0, [1, 1, 1])) log.append(entry);
    expect(persistence.request(hardState)).toMatchObject({ receipt: 1, entries: { length: 3 } });
    // Overwritten from 2 on, and back again with the same terms, while the first write is on its way.
    log.truncateFrom(logIndex(2));
    persistence.truncatedFrom(logIndex(2), log.lastIndex);
    for (const entry of entriesOf(1, [2])) log.append(entry);
    expect(persistence.request(hardState)).toMatchObject({ receipt: 2, entries: [{ index: 2, term: 2 }] });
    log.truncateFrom(logIndex(2));
    persistence.truncatedFrom(logIndex(2), log.lastIndex);
    for (const entry of entriesOf(1, [1, 1])) log.append(entry);
    expect(persistence.request(hardState)).toMatchObject({ receipt: 3, entries: { length: 2 } });
    persistence.confirm(1);
    expect(persistence.stableIndex).toBe(1);
    persistence.confirm(2);
    expect(persistence.stableIndex).toBe(1);
    persistence.confirm(3);
    expect(persistence.stableIndex).toBe(3);
  });

  test("is asked for once, and never with nothing in it", () => {
    const log = logWith([0, 0], []);
    const persistence = new Persistence(log);
    expect(persistence.request(hardState)).toBeNull();
    persistence.voteChanged();
    expect(persistence.receiptToAwait).toBe(1);
    expect(persistence.request(hardState)).toMatchObject({ receipt: 1, entries: [], hardState: hardState() });
    expect(persistence.request(hardState)).toBeNull();
    expect(persistence.receiptToAwait).toBe(1);
    persistence.confirm(1);
    expect(persistence.receiptToAwait).toBe(0);
  });

  test("includes the commit index with company, or alone when told that it waited long enough; nobody is promised it", () => {
    const persistence = new Persistence(logWith([0, 0], []));
    persistence.commitChanged();
    expect(persistence.due).toBe(false);
    persistence.commitIsDue();
    expect(persistence.due).toBe(true);
    expect(persistence.receiptToAwait).toBe(0);
    expect(persistence.request(hardState)?.hardState).toEqual(hardState());
    expect(persistence.receiptToAwait).toBe(0);
    persistence.commitIsDue();
    expect(persistence.due).toBe(false);
  });

  test("may be confirmed cumulatively, but not before it was asked for", () => {
    const log = logWith([0, 0], []);
    const persistence = new Persistence(log);
    for (const entry of entriesOf(0, [1])) log.append(entry);
    persistence.request(hardState);
    for (const entry of entriesOf(1, [1])) log.append(entry);
    persistence.request(hardState);
    expect(() => persistence.confirm(3)).toThrow(/requested/);
    persistence.confirm(2);
    expect(persistence.stableIndex).toBe(2);
    persistence.confirm(1);
    expect(persistence.stableIndex).toBe(2);
  });
});
