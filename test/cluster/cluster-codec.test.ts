import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootNonce, clusterId, nodeId, shardId } from "../../src/base/ids.ts";
import { decodeMap, decodeMapCommand, encodeMap, encodeMapCommand } from "../../src/cluster/cluster-codec.ts";
import type { ClusterMap, MapMemberState, MemberIdentity } from "../../src/cluster/cluster-map.ts";
import type { MapCommand } from "../../src/cluster/map-command.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { idOf, mapOf } from "./example-map.ts";

const hex64 = fc
  .array(fc.constantFrom(..."0123456789abcdef"), { minLength: 16, maxLength: 16 })
  .map((digits) => digits.join(""));
const id = hex64.map(nodeId);
const port = fc.integer({ min: 0, max: 65_535 });
const text = fc.string({ maxLength: 64, unit: "grapheme" }).filter((drawn) => drawn.length <= 64);
const state = fc.constantFrom<MapMemberState>("alive", "dead", "draining");
const identity: fc.Arbitrary<MemberIdentity> = fc.record({
  nodeId: id,
  boot: hex64.map(bootNonce),
  address: fc.record({ host: fc.domain(), port }),
  name: text,
  zone: text,
  weight: fc.double({ min: 0.1, max: 100, noNaN: true }),
  respPort: port,
  httpPort: port,
});
const replicas = fc.array(id, { maxLength: 7 });
const version = fc.maxSafeNat();

const map: fc.Arbitrary<ClusterMap> = fc
  .record({
    version,
    placementVersion: version,
    clusterId: hex64.map(clusterId),
    replicationFactor: fc.integer({ min: 1, max: 7 }),
    members: fc.array(
      fc
        .tuple(identity, state, version)
        .map(([member, itsState, joinedAtVersion]) => ({ ...member, state: itsState, joinedAtVersion })),
      { maxLength: 6 },
    ),
    removed: fc.array(id, { maxLength: 4 }),
    systemVoters: fc.array(id, { maxLength: 5 }),
    shards: fc.array(fc.record({ founding: replicas, wanted: replicas }), { minLength: 1, maxLength: 8 }),
    settings: fc.record({ rebalancePaused: fc.boolean() }),
  })
  .map((parts) => ({ ...parts, shardCount: parts.shards.length }));

const command: fc.Arbitrary<MapCommand> = fc.oneof(
  fc.record({
    type: fc.constant("remove-lost" as const),
    lost: fc.array(id, { maxLength: 12 }),
    shards: fc.array(
      fc.record({ shard: fc.integer({ min: 0, max: 4_095 }).map(shardId), wanted: replicas }),
      {
        maxLength: 4,
      },
    ),
    systemVoters: fc.array(id, { maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant("add-member" as const),
    member: identity,
    formerBoots: fc.array(hex64.map(bootNonce), { maxLength: 64 }),
  }),
  fc.record({ type: fc.constant("update-member" as const), member: identity }),
  fc.record({
    type: fc.constant("set-member-state" as const),
    nodeId: id,
    boot: hex64.map(bootNonce),
    state,
  }),
  fc.record({ type: fc.constant("remove-member" as const), nodeId: id }),
  fc.record({
    type: fc.constant("set-placement" as const),
    shards: fc.array(
      fc.record({ shard: fc.integer({ min: 0, max: 4_095 }).map(shardId), wanted: replicas }),
      {
        maxLength: 8,
      },
    ),
    systemVoters: fc.option(fc.array(id, { maxLength: 5 })),
  }),
  fc.record({
    type: fc.constant("set-settings" as const),
    settings: fc.record({ rebalancePaused: fc.boolean() }),
  }),
);

/** Runs `decode`; the only error it may throw is a WireError. */
function wireErrorOrNothing(decode: () => unknown): boolean {
  try {
    decode();
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return true;
  }
}

describe("cluster maps as bytes", () => {
  it("come back as they went", () => {
    fc.assert(
      fc.property(map, (value) => {
        expect(decodeMap(encodeMap(value))).toEqual(value);
      }),
    );
  });

  it("are refused when cut anywhere or when anything follows", () => {
    const bytes = encodeMap(mapOf(3));
    for (let length = 0; length < bytes.length; length++) {
      expect(wireErrorOrNothing(() => decodeMap(bytes.subarray(0, length)))).toBe(true);
    }
    expect(wireErrorOrNothing(() => decodeMap(new Uint8Array([...bytes, 0])))).toBe(true);
  });

  it("raise nothing but a WireError when bytes are wrong", () => {
    fc.assert(
      fc.property(map, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, where, byte) => {
        const bytes = Uint8Array.from(encodeMap(value));
        bytes[where % bytes.length] = byte;
        wireErrorOrNothing(() => decodeMap(bytes));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        wireErrorOrNothing(() => decodeMap(bytes));
        wireErrorOrNothing(() => decodeMap(new Uint8Array([1, ...bytes])));
      }),
    );
  });

  it("share one list between founding and wanted where both are equal", () => {
    const shard = decodeMap(encodeMap(mapOf(3))).shards[0];
    expect(shard?.wanted).toBe(shard?.founding);
  });

  it("do not pin the bytes they came from", () => {
    const bytes = Uint8Array.from(encodeMap(mapOf(3)));
    const decoded = decodeMap(bytes);
    bytes.fill(0);
    expect(decoded).toEqual(mapOf(3));
  });

  it("of the largest cluster fit a frame easily", () => {
    expect(encodeMap(mapOf(1_000, 4_096)).length).toBeLessThan(512 * 1024);
  });
});

describe("map commands as bytes", () => {
  it("come back as they went", () => {
    fc.assert(
      fc.property(command, (value) => {
        expect(decodeMapCommand(encodeMapCommand(value))).toEqual(value);
      }),
    );
  });

  it("are refused when cut anywhere", () => {
    fc.assert(
      fc.property(command, (value) => {
        const bytes = encodeMapCommand(value);
        for (let length = 0; length < bytes.length; length++) {
          expect(wireErrorOrNothing(() => decodeMapCommand(bytes.subarray(0, length)))).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("raise nothing but a WireError when bytes are wrong", () => {
    fc.assert(
      fc.property(command, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, where, byte) => {
        const bytes = Uint8Array.from(encodeMapCommand(value));
        bytes[where % bytes.length] = byte;
        wireErrorOrNothing(() => decodeMapCommand(bytes));
      }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9 }),
        fc.uint8Array({ maxLength: 100 }),
        (type, bytes) => void wireErrorOrNothing(() => decodeMapCommand(new Uint8Array([1, type, ...bytes]))),
      ),
    );
  });

  it("of a shard beyond the limit are refused", () => {
    const shards = [{ shard: shardId(0x0123), wanted: [idOf(1)] }];
    const bytes = Uint8Array.from(encodeMapCommand({ type: "set-placement", shards, systemVoters: null }));
    const at = bytes.indexOf(0x23);
    expect(bytes[at - 1]).toBe(0x01);
    bytes[at - 1] = 0x10;
    expect(() => decodeMapCommand(bytes)).toThrow(WireError);
  });

  it("of another layout version are refused", () => {
    const bytes = Uint8Array.from(encodeMapCommand({ type: "remove-member", nodeId: idOf(1) }));
    bytes[0] = 2;
    expect(() => decodeMapCommand(bytes)).toThrow(/layout version 2/);
  });
});
