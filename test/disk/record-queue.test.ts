/**
 * Group commit: what comes together is written together, one write at a time, and confirmed in order.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FsyncPolicy } from "../../src/base/fsync-policy.ts";
import type { RecordDatabase, StoredRecord } from "../../src/disk/level-database.ts";
import { RecordQueue } from "../../src/disk/record-queue.ts";

/** Writes end when the test says so. */
class HeldDatabase implements RecordDatabase {
  readonly writes: { readonly sequences: number[]; readonly sync: boolean; end(error?: Error): void }[] = [];
  opens = 0;
  closes = 0;
  syncs = 0;

  async open(): Promise<void> {
    this.opens++;
  }

  write(records: readonly StoredRecord[], sync: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      this.writes.push({ sequences: records.map(({ sequence }) => sequence), sync, end });
    });
  }

  async sync(): Promise<void> {
    if (this.closes > this.opens) throw new Error("the database is not open");
    this.syncs++;
  }

  async *values(): AsyncGenerator<Uint8Array> {}

  async read(): Promise<undefined> {}

  async drop(): Promise<void> {}

  async close(): Promise<void> {
    this.closes++;
  }
}

function queueOf(
  database: RecordDatabase,
  fsync: "always" | "never" | FsyncPolicy = "always",
  space = { free: true },
) {
  const told: (string | null)[] = [];
  const failures: Error[] = [];
  const queue = new RecordQueue({
    database,
    fsync: typeof fsync === "string" ? { type: fsync } : fsync,
    hasSpace: async () => space.free,
    onFull: (reason) => told.push(reason),
    onFailed: (error) => failures.push(error),
  });
  const confirmed: string[] = [];
  let sequence = 0;
  const add = (count = 1): void => {
    for (; count > 0; count--) {
      const number = ++sequence;
      queue.add(number, new Uint8Array(10), (error) =>
        confirmed.push(error === null ? `${number}` : `${number} ${error.message}`),
      );
    }
  };
  return { queue, add, confirmed, told, failures };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

afterEach(() => void vi.useRealTimers());

describe("the queue of records", () => {
  it("makes one write of a turn, and one of all that came while it was under way", async () => {
    const database = new HeldDatabase();
    const { add, confirmed } = queueOf(database);
    add(3);
    await turn();
    add();
    await turn();
    add(2);
    await turn();
    expect(database.writes.map(({ sequences }) => sequences)).toEqual([[1, 2, 3]]);
    expect(confirmed).toEqual([]);
    database.writes[0]?.end();
    await turn();
    expect(database.writes.map(({ sequences, sync }) => [sequences, sync])).toEqual([
      [[1, 2, 3], true],
      [[4, 5, 6], true],
    ]);
    expect(confirmed).toEqual(["1", "2", "3"]);
    database.writes[1]?.end();
    await turn();
    expect(confirmed).toEqual(["1", "2", "3", "4", "5", "6"]);
  });

  it("syncs nothing with `never`, until it is closed", async () => {
    const database = new HeldDatabase();
    const { queue, add } = queueOf(database, "never");
    add();
    await turn();
    expect(database.writes[0]?.sync).toBe(false);
    database.writes[0]?.end();
    await queue.idle();
    expect(database.syncs).toBe(0);
    await queue.close();
    expect(database.syncs).toBe(1);
  });

  it("fails everything after an error, in order, for good", async () => {
    const database = new HeldDatabase();
    const { add, confirmed, failures, told } = queueOf(database);
    add(2);
    await turn();
    add();
    database.writes[0]?.end(new Error("Input/output error"));
    await turn();
    add();
    expect(confirmed).toEqual(["1", "2", "3", "4"].map((number) => `${number} Input/output error`));
    expect([failures.length, told.length, database.writes.length]).toEqual([1, 0, 1]);
  });

  it("writes the same again when a full disk has space, and confirms nothing before", async () => {
    const database = new HeldDatabase();
    const space = { free: false };
    const { queue, add, confirmed, told } = queueOf(database, "always", space);
    add(2);
    await turn();
    database.writes[0]?.end(new Error("IO error: 000003.log: No space left on device"));
    await turn();
    add();
    await turn();
    expect([confirmed, told, database.closes, database.opens]).toEqual([[], ["the disk is full"], 1, 0]);
    space.free = true;
    while (database.writes.length < 2) await turn();
    expect(database.writes[1]?.sequences).toEqual([1, 2]);
    database.writes[1]?.end();
    await turn();
    database.writes[2]?.end();
    await queue.idle();
    expect([confirmed, told, database.opens]).toEqual([["1", "2", "3"], ["the disk is full", null], 1]);
  });

  it("leaves the database of a full disk alone until it is open again, and syncs then", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const database = new HeldDatabase();
    const space = { free: false };
    const { queue, add, confirmed, failures } = queueOf(
      database,
      { type: "interval", intervalMs: 10 },
      space,
    );
    add();
    await turn();
    database.writes[0]?.end();
    await turn();
    add();
    await turn();
    database.writes[1]?.end(new Error("No space left on device"));
    await turn();
    await vi.advanceTimersByTimeAsync(50);
    expect([confirmed, failures, database.syncs, database.closes]).toEqual([["1"], [], 0, 1]);
    space.free = true;
    await vi.advanceTimersByTimeAsync(250);
    database.writes[2]?.end();
    await queue.idle();
    await vi.advanceTimersByTimeAsync(10);
    expect([confirmed, failures, database.syncs, database.opens]).toEqual([["1", "2"], [], 1, 1]);
  });

  it("refuses what waits for space when it is closed", async () => {
    const database = new HeldDatabase();
    const { queue, add, confirmed } = queueOf(database, "always", { free: false });
    add();
    await turn();
    database.writes[0]?.end(new Error("No space left on device"));
    await turn();
    add();
    await queue.close();
    add();
    expect(confirmed.map((each) => each.slice(0, 3))).toEqual(["1 N", "2 N", "3 N"]);
  });
});
