/**
 * What a store keeps comes back as it was, and bytes that are not a record are refused, never misread.
 */
import { describe, expect, it } from "vitest";
import { bootNonce, clusterId, groupId, logIndex, nodeId, term } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import { decodeStoreRecord, encodeStoreRecord, type StoreRecord } from "../../src/wire/store-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";

const group = groupId(7);
const node = nodeId("00000000000000aa");
const base = { index: logIndex(9), term: term(3), configuration: configurationOf([node]) };
const slices = [Buffer.from("first"), Buffer.alloc(0), Buffer.from("third")];

const RECORDS: readonly StoreRecord[] = [
  { type: "turn", changes: [] },
  {
    type: "turn",
    changes: [
      {
        group,
        base,
        checkpoint: slices,
        entries: [],
        hardState: { term: term(3), vote: node, commit: logIndex(9) },
      },
      {
        group: groupId(0),
        base: null,
        checkpoint: null,
        entries: [
          { kind: "data", index: logIndex(10), term: term(3), data: Buffer.from("x") },
          { kind: "noop", index: logIndex(11), term: term(5) },
          { kind: "membership", index: logIndex(12), term: term(5), configuration: base.configuration },
        ],
        hardState: null,
      },
      {
        group,
        base,
        checkpoint: null,
        entries: [],
        hardState: { term: term(0), vote: null, commit: logIndex(0) },
      },
    ],
  },
  { type: "checkpoint", group, base, checkpoint: slices },
  {
    type: "remove",
    group,
    tombstone: { term: term(4), vote: null, lastIndex: logIndex(12), lastTerm: term(3) },
  },
  { type: "node", node: { nodeId: node, boots: [], clusterId: null, map: null, founding: null } },
  {
    type: "node",
    node: {
      nodeId: node,
      boots: [bootNonce("b000000000000001"), bootNonce("b000000000000002")],
      clusterId: clusterId("c1c1c1c1c1c1c1c1"),
      map: Buffer.from("map"),
      founding: Buffer.from("founding"),
    },
  },
];

describe("a record of a store", () => {
  it.each(RECORDS.map((record) => [record.type, record] as const))(
    "of type %s comes back",
    (_type, record) => {
      expect(decodeStoreRecord(encodeStoreRecord(record))).toEqual(record);
    },
  );

  it.each(RECORDS.map((record) => [record.type, record] as const))(
    "of type %s is refused when cut",
    (_, record) => {
      const bytes = encodeStoreRecord(record);
      for (let length = 0; length < bytes.length; length++)
        expect(() => decodeStoreRecord(bytes.subarray(0, length))).toThrow(WireError);
      expect(() => decodeStoreRecord(Buffer.concat([bytes, Buffer.from([0])]))).toThrow(WireError);
    },
  );

  it("never fails otherwise than with a WireError, whatever the bytes are", () => {
    const random = new Random(1, 2);
    for (let round = 0; round < 5_000; round++) {
      const record = RECORDS[random.nextBelow(RECORDS.length)] as StoreRecord;
      const bytes = encodeStoreRecord(record);
      bytes[random.nextBelow(bytes.length)] = random.nextBelow(256);
      try {
        decodeStoreRecord(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }
  });
});
