import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clusterId } from "../../src/base/ids.ts";
import {
  decodeFoundingAnswer,
  decodeFoundingMessage,
  encodeFoundingAnswer,
  encodeFoundingMessage,
  type FoundingAnswer,
  type FoundingMessage,
  type FoundingValue,
} from "../../src/cluster/founding.ts";
import { decodeAcceptorState, encodeAcceptorState } from "../../src/cluster/founding-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { identityOf } from "./example-map.ts";

const { nodeId, boot } = identityOf(1);
const value: FoundingValue = {
  clusterId: clusterId("c1c1c1c1c1c1c1c1"),
  founder: nodeId,
  voters: [identityOf(1), identityOf(2, { zone: "b", weight: 0.5 })],
  shardCount: 16,
  replicationFactor: 3,
};
const ballot = { round: 7, nodeId };
const sender = { nodeId, boot, seeds: ["a:1", "b:2"] };
const from = { identity: identityOf(2), seeds: ["a:1"], mayFound: true };

const MESSAGES: readonly FoundingMessage[] = [
  { type: "probe", from: sender },
  { type: "prepare", from: sender, ballot },
  { type: "accept", from: sender, ballot, value },
  { type: "decided", from: sender, value },
];

const ANSWERS: readonly FoundingAnswer[] = [
  { type: "none", from },
  { type: "cluster", from, clusterId: value.clusterId, member: true, value: null },
  { type: "cluster", from, clusterId: value.clusterId, member: false, value },
  { type: "promised", from, ballot, accepted: null },
  { type: "promised", from, ballot, accepted: { ballot, value } },
  { type: "accepted", from: { ...from, mayFound: false }, ballot },
  { type: "refused", from, reason: "seeds", promised: null },
  { type: "refused", from, reason: "ballot", promised: ballot },
];

/** `tuple` with the leaf number `at` (depth first) replaced. */
function withLeaf(tuple: unknown, at: number, leaf: unknown): unknown {
  let left = at;
  const walk = (part: unknown): unknown =>
    Array.isArray(part) ? part.map(walk) : left-- === 0 ? leaf : part;
  return walk(tuple);
}

function decodesOrRefuses(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
  }
}

describe("founding questions and answers", () => {
  it.each(MESSAGES)("$type survives the way there", (message) => {
    expect(decodeFoundingMessage(JSON.parse(JSON.stringify(encodeFoundingMessage(message))))).toEqual(
      message,
    );
  });

  it.each(ANSWERS)("$type survives the way back", (answer) => {
    expect(decodeFoundingAnswer(JSON.parse(JSON.stringify(encodeFoundingAnswer(answer))))).toEqual(answer);
  });

  it("that are anything else are refused with a WireError", () => {
    fc.assert(
      fc.property(fc.anything(), (data) => {
        expect(() => decodeFoundingMessage(data)).toThrow(WireError);
        expect(() => decodeFoundingAnswer(data)).toThrow(WireError);
      }),
    );
  });

  it("with one part replaced decode or are refused, and break nothing else", () => {
    const tuples = [...MESSAGES.map(encodeFoundingMessage), ...ANSWERS.map(encodeFoundingAnswer)];
    fc.assert(
      fc.property(fc.constantFrom(...tuples), fc.nat(40), fc.anything(), (tuple, at, leaf) => {
        const changed = withLeaf(tuple, at, leaf);
        decodesOrRefuses(() => decodeFoundingMessage(changed));
        decodesOrRefuses(() => decodeFoundingAnswer(changed));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["no voters", { voters: [] }],
    ["a voter twice", { voters: [identityOf(1), identityOf(1)] }],
    ["no shards", { shardCount: 0 }],
    ["too many shards", { shardCount: 4_097 }],
    ["half a replica", { replicationFactor: 1.5 }],
    ["a voter without weight", { voters: [identityOf(1, { weight: 0 })] }],
    ["a voter without a port", { voters: [identityOf(1, { address: { host: "a", port: 0 } })] }],
  ] satisfies [string, Partial<FoundingValue>][])("refuse a value with %s", (_, change) => {
    const data = encodeFoundingMessage({ type: "decided", from: sender, value: { ...value, ...change } });
    expect(() => decodeFoundingMessage(data)).toThrow(WireError);
  });

  it("refuse another layout version", () => {
    const [, ...rest] = encodeFoundingMessage({ type: "probe", from: sender });
    expect(() => decodeFoundingMessage([2, ...rest])).toThrow(WireError);
  });
});

describe("the memory of a founder", () => {
  it.each([
    { promised: null, accepted: null, decided: null },
    { promised: ballot, accepted: null, decided: null },
    { promised: ballot, accepted: { ballot, value }, decided: value },
  ])("comes back", (state) => {
    expect(decodeAcceptorState(encodeAcceptorState(state))).toEqual(state);
  });

  it("is refused when it is damaged", () => {
    const bytes = encodeAcceptorState({ promised: ballot, accepted: { ballot, value }, decided: null });
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeAcceptorState(bytes.subarray(0, length))).toThrow(WireError);
  });
});
