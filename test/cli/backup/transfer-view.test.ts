import { describe, expect, it } from "vitest";
import {
  bytesText,
  paceText,
  type TransferProgress,
  totalText,
  transferLines,
  transferText,
} from "../../../cli/backup/transfer-view.ts";
import { PLAIN } from "../../../cli/terminal/colours.ts";

const HALF: TransferProgress = {
  doing: "backing up",
  shards: 8,
  shardsDone: 3,
  keys: 50_000,
  keysExpected: 100_000,
  bytes: 12_300_000,
  elapsedMs: 2_000,
};

describe("the progress of a transfer", () => {
  it("is a bar with what is done, how fast, and how long it will take", () => {
    expect(transferLines(HALF, PLAIN)).toEqual([
      "",
      `${"█".repeat(20)}${"░".repeat(20)}  50%  3 of 8 shards, 50,000 keys`,
      "12.3 MB, 25k keys/s, 6.2 MB/s, after 2.0 s, about 2.0 s left",
    ]);
  });

  it("is one line for logs", () => {
    expect(transferText(HALF)).toBe(
      "backing up: 50%, 3 of 8 shards, 50,000 keys, 12.3 MB, 25k keys/s, 6.2 MB/s, after 2.0 s, about 2.0 s left",
    );
  });

  it.each([
    ["is not over while a shard is missing, however many keys came", { keys: 300_000 }, "99%"],
    ["counts shards where no keys are expected", { keys: 0, keysExpected: 0 }, "37%"],
    ["is over with the last shard, however few keys came", { shardsDone: 8, keys: 1 }, "100%"],
    ["begins at nothing", { shardsDone: 0, keys: 0, elapsedMs: 0 }, "0%"],
  ])("%s", (_, change, percent) => {
    expect(transferText({ ...HALF, ...change })).toContain(`backing up: ${percent}, `);
  });
});

describe("figures of a transfer", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [99_949, "99.9 kB"],
    [123_456, "123 kB"],
    [999_600, "1.0 MB"],
    [23_809_096, "23.8 MB"],
    [5e15, "5,000 TB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it("are summed up in the end", () => {
    expect(totalText(1, 10, 0)).toBe("1 key (10 B) in 0 ms, 0 keys/s, 0 B/s");
    expect(totalText(200_000, 46_300_000, 500)).toBe(
      "200,000 keys (46.3 MB) in 500 ms, 400k keys/s, 92.6 MB/s",
    );
    expect(paceText(200_000, 2_000)).toBe("in 2.0 s, 100k keys/s");
  });
});
