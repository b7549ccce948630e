/**
 * Bytes that no honest peer would send, given to everything in a node that reads frames.
 */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { nodeId } from "../../src/base/ids.ts";
import type { Channel } from "../../src/host/links/channel.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

const cluster = new VirtualCluster(31);
let member: VirtualMember;

beforeAll(async () => {
  member = cluster.start(1);
  await cluster.until(() => cluster.ready, 3_000);
});

/** A channel that takes every answer and shows nobody. */
function deafChannel(): Channel {
  const writer = new ByteWriter();
  const remote = { node: nodeId("00000000000000aa") };
  return {
    remote,
    beginFrame: () => writer,
    endFrame: () => writer.reset(),
    destroy: () => {},
  } as unknown as Channel;
}

const frames = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  // Near misses: a plausible beginning.
  fc
    .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 2 }), fc.uint8Array({ maxLength: 40 }))
    .map(([number, kind, rest]) => new Uint8Array([number, kind, ...rest])),
);

const readers: readonly (readonly [name: string, read: (bytes: Uint8Array) => void])[] = [
  ["raft", (bytes) => member.node.groups.receiveFrame(nodeId("00000000000000aa"), bytes)],
  ["requests", (bytes) => member.node.forwarding.onRequestFrame(deafChannel(), bytes)],
  ["responses", (bytes) => member.node.forwarding.onResponseFrame(deafChannel(), bytes)],
  ["watch", (bytes) => member.node.watches.onFrame(deafChannel(), bytes)],
];

for (const [name, read] of readers) {
  test(`${name} frames of garbage raise a WireError at most, and the node serves on`, async () => {
    fc.assert(
      fc.property(frames, (bytes) => {
        try {
          read(Buffer.from(bytes));
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
        }
      }),
      { numRuns: 3_000 },
    );
    await cluster.run(2_000);
    expect([...member.node.groups.failedGroups]).toEqual([]);
    await cluster.settle(member.node.cache.put("still", "here"));
    expect(await cluster.settle(member.node.cache.consistentGet("still"))).toBe("here");
  });
}
