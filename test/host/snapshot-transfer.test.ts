import { expect, test } from "vitest";
import { nodeId } from "../../src/base/ids.ts";
import { Background } from "../../src/host/background.ts";
import type { BulkAdmission } from "../../src/host/links/bulk.ts";
import type { BulkSink } from "../../src/host/links/bulk-stream.ts";
import type { CheckpointWriter } from "../../src/host/ports.ts";
import { SliceCutter } from "../../src/host/slice-stream.ts";
import { SnapshotTransfer, type SnapshotTransferParts } from "../../src/host/snapshot-transfer.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

const HEADER = [
  1,
  1,
  7,
  1,
  { voters: ["00000000000000a1"], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
];

/** A receiver of one snapshot, and what its machine was given. */
function receiver(write: (slice: string) => void = () => {}, writer: CheckpointWriter | null = null) {
  const clock = new VirtualClock();
  const restored: string[] = [];
  const buffers = new Set<ArrayBufferLike>();
  let installed = false;
  const bulk: { onIncoming: BulkAdmission } = {
    onIncoming: () => {
      throw new Error("nobody listens");
    },
  };
  const replica = {
    machine: {
      beginRestore: () => ({
        write: (slice: Uint8Array) => {
          const text = new TextDecoder().decode(slice);
          write(text);
          restored.push(text);
          buffers.add(slice.buffer);
        },
        finish: () => {},
        install: () => {},
      }),
    },
  };
  new SnapshotTransfer({
    groups: {
      keepSnapshot: () => writer,
      installSnapshot: () => {
        installed = true;
        return true;
      },
    },
    bulk,
    background: new Background(clock),
    addressOf: () => null,
    admit: () => replica,
    onFailed: () => {},
  } as unknown as SnapshotTransferParts);
  const sink = bulk.onIncoming(HEADER, { node: nodeId("00000000000000a1") } as never) as BulkSink;
  return { clock, restored, buffers, sink, installed: () => installed };
}

/** Two slices as they travel. */
function pieces(texts: readonly string[] = ["one", "two"]): Uint8Array[] {
  const slices = texts.map((text) => new TextEncoder().encode(text));
  const cutter = new SliceCutter({ next: () => slices.shift() ?? null, close: () => {} });
  const cut: Uint8Array[] = [];
  for (let piece = cutter.next(50_000); piece !== null; piece = cutter.next(50_000)) cut.push(piece.slice());
  return cut;
}

test("what arrives is taken in in the background, and granted when it is", async () => {
  const { clock, restored, sink, installed } = receiver();
  const granted: number[] = [];
  const writes = pieces().map((piece, number) => {
    const taken = sink.write(piece);
    piece.fill(0); // valid during the call only
    return taken?.then(() => granted.push(number));
  });
  expect(restored).toEqual([]);
  await clock.runFor(1);
  await Promise.all(writes);
  expect(restored).toEqual(["one", "two"]);
  expect(granted).toEqual([0, 1]);
  expect(installed()).toBe(false);
  await sink.finish();
  expect(installed()).toBe(true);
});

test("slices that wait, and what a disk keeps of them, stay as they came, whatever comes later in their place", async () => {
  const kept: Uint8Array[] = [];
  const finished: string[] = [];
  const { clock, restored, buffers, sink } = receiver(() => {}, {
    write: (slice) => void kept.push(slice),
    finish: (done) => {
      finished.push("finished");
      done(null, { discard: () => {} });
    },
    abandon: () => {},
  });
  const texts = ["a", "b", "c", "d", "e", "f"].map((letter) => letter.repeat(40_000));
  for (let first = 0; first < texts.length; first += 3) {
    const taken = pieces(texts.slice(first, first + 3)).map((piece) => sink.write(piece));
    await clock.runFor(1_000);
    await Promise.all(taken);
  }
  await sink.finish();
  expect(restored).toEqual(texts);
  expect(buffers.size).toBe(3);
  expect(kept.map((slice) => new TextDecoder().decode(slice))).toEqual(texts);
  expect(finished).toEqual(["finished"]);
});

test("what waits when the stream is aborted is not taken in", async () => {
  const { clock, restored, sink } = receiver();
  for (const piece of pieces()) void sink.write(piece);
  sink.abort(new Error("the sender has gone"));
  await clock.runFor(1);
  expect(restored).toEqual([]);
});

test("a slice that cannot be restored fails its write", async () => {
  const { clock, sink } = receiver(() => {
    throw new Error("damaged");
  });
  const [piece] = pieces();
  const taken = expect(sink.write(piece as Uint8Array)).rejects.toThrow("damaged");
  await clock.runFor(1);
  await taken;
});
