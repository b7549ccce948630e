/**
 * Generators of everything that gossip carries, within its limits.
 */
import fc from "fast-check";
import type { Address } from "../../src/base/address.ts";
import { bootNonce, type ClusterId, clusterId, nodeId } from "../../src/base/ids.ts";
import { INCARNATION_MAX, type MemberMeta, memberMetaProblem } from "../../src/swim/member.ts";
import { RUMOUR_KEY_BYTES_MAX, RUMOUR_PAYLOAD_BYTES_MAX } from "../../src/swim/message-size.ts";
import type { Rumour, StateExchange, SwimMessage, SwimPacket } from "../../src/swim/messages.ts";

const hex64 = fc.stringMatching(/^[0-9a-f]{16}$/);
export const anyNodeId = hex64.map(nodeId);
const anyClusterId: fc.Arbitrary<ClusterId | null> = fc.option(
  hex64.filter((text) => /[1-9a-f]/.test(text)).map(clusterId),
);
const sequence = fc.integer({ min: 0, max: 0xffff_ffff });
const incarnation = fc.oneof(
  fc.nat(),
  fc.maxSafeNat().map((value) => Math.min(value, INCARNATION_MAX)),
);
const port = fc.integer({ min: 0, max: 65_535 });
const anyAddress: fc.Arbitrary<Address> = fc.record({
  host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
  port: fc.integer({ min: 1, max: 65_535 }),
});

export const anyMeta: fc.Arbitrary<MemberMeta> = fc
  .record({
    id: anyNodeId,
    nonce: hex64.map(bootNonce),
    address: anyAddress,
    respPort: port,
    httpPort: port,
    name: fc.string({ unit: "grapheme", maxLength: 40 }),
    zone: fc.string({ unit: "grapheme", maxLength: 20 }),
    weight: fc.double({ min: 0.001, max: 1_000_000, noNaN: true }),
    protocolMin: fc.integer({ min: 0, max: 9 }),
    protocolMax: fc.integer({ min: 10, max: 65_535 }),
    clusterId: anyClusterId,
    reluctant: fc.boolean(),
  })
  .filter((meta) => memberMetaProblem(meta) === null);

export const anyRumour: fc.Arbitrary<Rumour> = fc.record({
  type: fc.constant("rumour" as const),
  key: fc
    .uint8Array({ minLength: 1, maxLength: RUMOUR_KEY_BYTES_MAX })
    .map((bytes) => String.fromCharCode(...bytes)),
  version: fc.maxSafeNat(),
  origin: anyNodeId,
  payload: fc.uint8Array({ maxLength: RUMOUR_PAYLOAD_BYTES_MAX }),
});

export const anyMessage: fc.Arbitrary<SwimMessage> = fc.oneof(
  fc.record({ type: fc.constant("ping" as const), sequence, target: anyNodeId }),
  fc.record({ type: fc.constant("ping-request" as const), sequence, target: anyNodeId, address: anyAddress }),
  fc.record({ type: fc.constant("ack" as const), sequence, member: anyNodeId }),
  fc.record({ type: fc.constant("nack" as const), sequence }),
  fc.record({ type: fc.constant("alive" as const), incarnation, meta: anyMeta }),
  fc.record({ type: fc.constant("suspect" as const), member: anyNodeId, incarnation, accuser: anyNodeId }),
  fc.record({
    type: fc.constant("dead" as const),
    member: anyNodeId,
    incarnation,
    accuser: anyNodeId,
    reason: fc.constantFrom("unreachable" as const, "replaced" as const),
  }),
  fc.record({ type: fc.constant("left" as const), member: anyNodeId, incarnation }),
  anyRumour,
);

export const anyPacket: fc.Arbitrary<SwimPacket> = fc.record({
  sender: anyNodeId,
  clusterId: anyClusterId,
  messages: fc.array(anyMessage, { maxLength: 6 }),
});

export const anyState: fc.Arbitrary<StateExchange> = fc.record({
  sender: anyNodeId,
  clusterId: anyClusterId,
  members: fc.array(
    fc.record({
      meta: anyMeta,
      state: fc.constantFrom("alive" as const, "suspect" as const, "dead" as const, "left" as const),
      incarnation,
    }),
    { maxLength: 8 },
  ),
  rumours: fc.array(anyRumour, { maxLength: 4 }),
});
