import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logIndex, type NodeId, nodeId, type Term, term as toTerm } from "../../src/base/ids.ts";
import type { Configuration } from "../../src/raft/configuration.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { RaftMessage } from "../../src/raft/messages.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { decodeRaftMessage, encodeRaftMessage } from "../../src/wire/raft-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";

const FROM = nodeId("00000000000000aa");
const TO = nodeId("00000000000000bb");

function encode(message: RaftMessage): Uint8Array {
  const writer = new ByteWriter(16);
  encodeRaftMessage(writer, message);
  return writer.copy();
}

const ordinals = fc.oneof(
  fc.nat(300),
  fc.nat(2 ** 31 - 1),
  fc.maxSafeNat().map((value) => Math.floor(value / 4)),
);
const indexes = ordinals.map(logIndex);
const nodes: fc.Arbitrary<NodeId> = fc
  .bigInt(0n, 2n ** 64n - 1n)
  .map((value) => nodeId(value.toString(16).padStart(16, "0")));
const nodeLists = fc.array(nodes, { maxLength: 7 }).map((list) => [...new Set(list)].sort());
const configurations: fc.Arbitrary<Configuration> = fc.record({
  voters: nodeLists,
  votersOutgoing: nodeLists,
  learners: nodeLists,
  learnersNext: nodeLists,
  autoLeave: fc.boolean(),
});

/** A run of entries after `previousIndex` whose terms rise from `previousTerm`. */
function entriesAfter(previousIndex: number, previousTerm: number): fc.Arbitrary<Entry[]> {
  const item = fc.record({
    kind: fc.constantFrom("noop" as const, "data" as const, "membership" as const),
    step: fc.oneof(fc.constant(0), fc.nat(5)),
    data: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    configuration: configurations,
  });
  return fc.array(item, { maxLength: 8 }).map((items) => {
    let reached = previousTerm;
    return items.map(({ kind, step, data, configuration }, at): Entry => {
      reached += step;
      const index = logIndex(previousIndex + 1 + at);
      const term = toTerm(reached);
      if (kind === "noop") return { kind, index, term };
      return kind === "data" ? { kind, index, term, data } : { kind, index, term, configuration };
    });
  });
}

const envelope = { from: fc.constant(FROM), to: fc.constant(TO) };
const logEnds = fc.tuple(ordinals, ordinals, ordinals).map(([a, b, lastIndex]) => ({
  term: toTerm(Math.max(a, b)),
  lastTerm: toTerm(Math.min(a, b)),
  lastIndex: logIndex(lastIndex),
}));
const terms = ordinals.map(toTerm);

function appendRequests(): fc.Arbitrary<RaftMessage> {
  return fc.tuple(ordinals, ordinals, ordinals, indexes).chain(([a, b, previousIndex, commit]) => {
    const previousTerm: Term = toTerm(Math.min(a, b));
    return entriesAfter(previousIndex, previousTerm).map(
      (entries): RaftMessage => ({
        type: "append-request",
        from: FROM,
        to: TO,
        term: toTerm(Math.max(a, b, entries[entries.length - 1]?.term ?? 0)),
        session: previousIndex % 1_000,
        previousIndex: logIndex(previousIndex),
        previousTerm,
        entries,
        commit,
      }),
    );
  });
}

const messages: fc.Arbitrary<RaftMessage> = fc.oneof(
  logEnds.map((end): RaftMessage => ({ type: "pre-vote-request", from: FROM, to: TO, ...end })),
  fc
    .tuple(logEnds, fc.boolean())
    .map(([end, transfer]): RaftMessage => ({ type: "vote-request", from: FROM, to: TO, ...end, transfer })),
  fc.record({
    type: fc.constant("pre-vote-response" as const),
    ...envelope,
    term: terms,
    granted: fc.boolean(),
  }),
  fc.record({ type: fc.constant("vote-response" as const), ...envelope, term: terms, granted: fc.boolean() }),
  appendRequests(),
  fc.record({
    type: fc.constant("append-response" as const),
    ...envelope,
    term: terms,
    session: fc.nat(),
    rejected: fc.boolean(),
    index: indexes,
    hintIndex: indexes,
    hintTerm: terms,
  }),
  fc.record({
    type: fc.constant("heartbeat" as const),
    ...envelope,
    term: terms,
    commit: indexes,
    readRound: fc.maxSafeNat(),
    quiesce: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("heartbeat-response" as const),
    ...envelope,
    term: terms,
    readRound: fc.maxSafeNat(),
  }),
  fc.tuple(logEnds, configurations).map(
    ([end, configuration]): RaftMessage => ({
      type: "install-snapshot",
      from: FROM,
      to: TO,
      term: end.term,
      snapshot: { index: end.lastIndex, term: end.lastTerm, configuration },
    }),
  ),
  fc.record({ type: fc.constant("timeout-now" as const), ...envelope, term: terms }),
);

describe("the raft codec", () => {
  test("decodes every message to what was encoded, at any offset", () => {
    fc.assert(
      fc.property(messages, fc.nat(9), (message, offset) => {
        const bytes = encode(message);
        const shifted = new Uint8Array(offset + bytes.length);
        shifted.set(bytes, offset);
        expect(decodeRaftMessage(shifted, offset, FROM, TO)).toEqual(message);
      }),
      { numRuns: 2_000 },
    );
  });

  test("refuses a message cut short at any byte", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const bytes = encode(message);
        for (let length = 0; length < bytes.length; length++) {
          expect(() => decodeRaftMessage(bytes.subarray(0, length), 0, FROM, TO)).toThrow(WireError);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("refuses a byte too many", () => {
    const bytes = encode({ type: "timeout-now", from: FROM, to: TO, term: toTerm(3) });
    expect(() => decodeRaftMessage(new Uint8Array([...bytes, 0]), 0, FROM, TO)).toThrow(/too many/);
  });

  test("answers garbage with a message or a WireError, never with anything else", () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(messages, fc.nat(), fc.nat(255)).map(([message, at, value]) => {
        const bytes = encode(message);
        bytes[at % bytes.length] = value;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(garbage, (bytes) => {
        try {
          decodeRaftMessage(bytes, 0, FROM, TO);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 10_000 },
    );
  });

  test("keeps nothing of the input: entries outlive the buffer they came in", () => {
    const entry: Entry = { kind: "data", index: logIndex(1), term: toTerm(1), data: Buffer.of(7, 8) };
    const bytes = encode({
      type: "append-request",
      from: FROM,
      to: TO,
      term: toTerm(1),
      session: 1,
      previousIndex: logIndex(0),
      previousTerm: toTerm(0),
      entries: [entry],
      commit: logIndex(0),
    });
    const decoded = decodeRaftMessage(bytes, 0, FROM, TO);
    bytes.fill(0xff);
    expect(decoded.type === "append-request" && decoded.entries).toEqual([entry]);
  });

  test.each([
    ["an entry of a later term than its sender", [5, 1, 1, 0, 0, 0, 1, 0, 2]],
    ["a log end of a later term than its sender", [1, 1, 9, 2]],
    ["a snapshot of a later term than its sender", [9, 1, 9, 2, 0, 0, 0, 0, 0]],
    ["a flag that is neither 0 nor 1", [2, 1, 2]],
    ["more entries than bytes could hold", [5, 1, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ["an unknown message", [0, 1]],
    ["a term beyond 2^52", [10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    [
      "a configuration that names a node twice",
      [9, 1, 9, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
    ],
  ])("refuses %s", (_what, bytes) => {
    expect(() => decodeRaftMessage(new Uint8Array(bytes), 0, FROM, TO)).toThrow(WireError);
  });
});
