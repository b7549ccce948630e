/**
 * What the slices of a snapshot lie in, and for how long.
 */
import { expect, test } from "vitest";
import { logIndex } from "../../src/base/ids.ts";
import { ShardMachine } from "../../src/node/shard-machine.ts";
import { batch, inSession, open, set } from "../sim/checkers/batches.ts";

/** A shard with keys of so many characters. */
function machineWith(lengths: readonly number[]): ShardMachine {
  const machine = new ShardMachine();
  const opening = batch(2, 1, open());
  machine.apply(logIndex(2), opening.data);
  lengths.forEach((length, at) => {
    const command = { ...set(`k${at}`), value: "v".repeat(length) };
    machine.apply(logIndex(3 + at), batch(3 + at, 1, inSession(1 + at, 1, command)).data);
  });
  return machine;
}

/** The slices of `machine` as they come, and copies of them. */
function slicesOf(machine: ShardMachine): { buffers: ArrayBufferLike[]; copies: Uint8Array[] } {
  const source = machine.beginSnapshot();
  const buffers: ArrayBufferLike[] = [];
  const copies: Uint8Array[] = [];
  for (let slice = source.next(1_000); slice !== null; slice = source.next(1_000)) {
    buffers.push(slice.buffer);
    copies.push(new Uint8Array(slice));
  }
  return { buffers, copies };
}

test("slices are written into the same bytes, one after the other", () => {
  const machine = machineWith([900, 900, 900, 900, 900, 900]);
  const { buffers, copies } = slicesOf(machine);
  expect(buffers.length).toBeGreaterThan(3);
  expect(new Set(buffers).size).toBe(1);
  const restored = new ShardMachine();
  const sink = restored.beginRestore();
  for (const copy of copies) sink.write(copy);
  sink.finish();
  sink.install();
  expect(restored.cache.digest()).toBe(machine.cache.digest());
});

test("the buffer of a long slice is not kept for the next ones", () => {
  const { buffers, copies } = slicesOf(machineWith([900, 500_000, 900, 900]));
  const long = copies.findIndex((slice) => slice.length > 500_000);
  expect(long).toBeGreaterThan(0);
  expect(buffers[long + 1]).not.toBe(buffers[long]);
});
