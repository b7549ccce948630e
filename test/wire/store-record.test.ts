/**
 * What a store keeps comes back as it was; damage is told from what is sound, section by section; and bytes that are no record
 * are refused, never misread.
 */
import { describe, expect, it } from "vitest";
import { bootNonce, clusterId, groupId, logIndex, nodeId, term } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import { crc32 } from "../../src/wire/crc32.ts";
import {
  decodeStoreRecord,
  headerOf,
  type StoreChange,
  StoreRecordEncoder,
} from "../../src/wire/store-record.ts";
import { WireError } from "../../src/wire/wire-error.ts";

const group = groupId(7);
const node = nodeId("00000000000000aa");
const base = { index: logIndex(9), term: term(3), configuration: configurationOf([node]) };
const slices = [Buffer.from("first"), Buffer.alloc(0), Buffer.from("third")];
const hardState = { term: term(3), vote: node, commit: logIndex(9) };

const CHANGES: readonly StoreChange[] = [
  { type: "group", group, base, machine: slices, entries: [], hardState },
  {
    type: "group",
    group: groupId(0),
    base: null,
    machine: null,
    entries: [
      { kind: "data", index: logIndex(10), term: term(3), data: Buffer.from("x") },
      { kind: "noop", index: logIndex(11), term: term(5) },
      { kind: "membership", index: logIndex(12), term: term(5), configuration: base.configuration },
    ],
    hardState: null,
  },
  { type: "group", group, base, machine: { file: "group-7-1.ckpt", bytes: 12_345 }, entries: [], hardState },
  { type: "checkpoint", group, base, machine: slices },
  { type: "checkpoint", group, base, machine: null },
  {
    type: "remove",
    group,
    tombstone: { term: term(4), vote: null, lastIndex: logIndex(12), lastTerm: term(3) },
  },
  { type: "node", nodeId: node, boots: [], clusterId: null, map: null, founding: null },
  {
    type: "node",
    nodeId: node,
    boots: [bootNonce("b000000000000001"), bootNonce("b000000000000002")],
    clusterId: clusterId("c1c1c1c1c1c1c1c1"),
    map: Buffer.from("map"),
    founding: Buffer.from("founding"),
  },
];

const encoder = new StoreRecordEncoder();
const RECORD = encoder.encode(42, CHANGES).bytes;

describe("a record of a store", () => {
  it("comes back, with a header that says of every section what must not be lost with it", () => {
    const { sequence, sections } = decodeStoreRecord(RECORD);
    expect(sequence).toBe(42);
    expect(sections.map((section) => section.read())).toEqual(CHANGES);
    expect(sections.map(({ header, damaged }) => [headerOnly(header), damaged])).toEqual(
      CHANGES.map((change) => [headerOnly(headerOf(change)), false]),
    );
    expect(decodeStoreRecord(encoder.encode(1, []).bytes)).toEqual({ sequence: 1, sections: [] });
  });

  it("begins with the CRC-32 of its header", () => {
    const prefix = new DataView(RECORD.buffer, RECORD.byteOffset, 8);
    expect(prefix.getUint32(0)).toBe(crc32(RECORD.subarray(8, 8 + prefix.getUint32(4))));
  });

  it("that is cut says which sections are not whole, or that it is none", () => {
    for (let length = 0; length < RECORD.length; length++) {
      const cut = RECORD.subarray(0, length);
      let whole = 0;
      try {
        for (const [at, section] of decodeStoreRecord(cut).sections.entries()) {
          if (section.damaged) continue;
          expect(section.read()).toEqual(CHANGES[at]);
          whole++;
        }
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
      expect(whole).toBeLessThan(CHANGES.length);
    }
    expect(() => decodeStoreRecord(Buffer.concat([RECORD, Buffer.from([0])]))).toThrow(WireError);
  });

  it("with any bit flipped is refused, or has exactly one damaged section and the others as they were", () => {
    const outcomes = { refused: 0, damaged: 0 };
    for (let bit = 0; bit < RECORD.length * 8; bit++) {
      const bytes = new Uint8Array(RECORD);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      try {
        const { sequence, sections } = decodeStoreRecord(bytes);
        expect(sequence).toBe(42);
        expect(sections.filter(({ damaged }) => damaged)).toHaveLength(1);
        for (const [at, section] of sections.entries()) {
          expect(headerOnly(section.header)).toEqual(headerOnly(headerOf(CHANGES[at] as StoreChange)));
          if (!section.damaged) expect(section.read()).toEqual(CHANGES[at]);
        }
        outcomes.damaged++;
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        outcomes.refused++;
      }
    }
    expect(outcomes.refused).toBeGreaterThan(100);
    expect(outcomes.damaged).toBeGreaterThan(100);
  });

  it("never fails otherwise than with a WireError, whatever the bytes are", () => {
    const random = new Random(1, 2);
    const blind = (): number => 0;
    const bytes = new StoreRecordEncoder(blind).encode(3, CHANGES).bytes;
    for (let round = 0; round < 5_000; round++) {
      const broken = new Uint8Array(bytes);
      broken[random.nextBelow(broken.length)] = random.nextBelow(256);
      try {
        for (const section of decodeStoreRecord(broken, blind).sections) section.read();
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }
  });
});

/** Without what only the section itself holds: the configuration of a base. */
function headerOnly(header: ReturnType<typeof headerOf>): unknown {
  if (!("base" in header) || header.base === null) return header;
  return { ...header, base: { index: header.base.index, term: header.base.term } };
}
