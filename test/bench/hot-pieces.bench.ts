/**
 * The pieces that every write passes, each alone: `npx vitest bench --run test/bench/hot-pieces.bench.ts`. One iteration is 1,000
 * commands of a 16-byte key and a 64-byte value, or 1,000 entries of 100 bytes. The parser of requests has its own: resp.bench.ts.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bench, describe } from "vitest";
import { bootNonce, groupId, logIndex, type NodeId, nodeId, term } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { CacheMachine } from "../../src/cache/cache-machine.ts";
import type { SessionCommand } from "../../src/cache/command.ts";
import type { SnapshotChunk } from "../../src/cache/snapshot-record.ts";
import { DEFAULT_DISK_OPTIONS } from "../../src/disk/disk-options.ts";
import { LevelDatabase } from "../../src/disk/level-database.ts";
import { LevelLogStore } from "../../src/disk/level-log-store.ts";
import type { GroupWrite } from "../../src/host/ports.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { RaftMessage } from "../../src/raft/messages.ts";
import { resolveRaftOptions } from "../../src/raft/options.ts";
import { Raft } from "../../src/raft/raft.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { decodeSessionCommand, encodeSessionCommand } from "../../src/wire/command-codec.ts";
import { decodeRaftMessage, encodeRaftMessage } from "../../src/wire/raft-codec.ts";
import { decodeSnapshotChunk, encodeSnapshotChunk } from "../../src/wire/snapshot-codec.ts";
import { outside, setCommand } from "../cache/shard-driver.ts";
import { KEY_COUNT, keyText, scattered, valueText } from "./job.ts";

const COUNT = 1_000;
/** Commands of one entry, as when 64 clients wait at once. */
const COMMANDS_PER_ENTRY = 64;
const ENTRY_BYTES = 100;
const SLICE_BYTES = 64 * 1024;
const [N1, N2, N3] = ["1", "2", "3"].map((digit) => nodeId(digit.repeat(16))) as [NodeId, NodeId, NodeId];
const VOTERS = configurationOf([N1, N2, N3]);

describe("1,000 entries in one append request", () => {
  const writer = new ByteWriter();
  const message: RaftMessage = {
    type: "append-request",
    from: N1,
    to: N2,
    term: term(1),
    session: 1,
    previousIndex: logIndex(0),
    previousTerm: term(0),
    entries: entriesAfter(0, COUNT),
    commit: logIndex(0),
  };
  encodeRaftMessage(writer, message);
  const bytes = writer.take();
  bench("encoded", () => {
    writer.reset();
    encodeRaftMessage(writer, message);
  });
  bench("decoded", () => void decodeRaftMessage(bytes, 0, N1, N2));
});

describe("1,000 commands", () => {
  const writer = new ByteWriter();
  const commands = Array.from({ length: COUNT }, (_, sequence) => setOf(1, sequence));
  for (const command of commands) encodeSessionCommand(writer, command);
  const bytes = writer.take();
  bench("encoded", () => {
    writer.reset();
    for (const command of commands) encodeSessionCommand(writer, command);
  });
  bench("decoded", () => {
    const reader = new ByteReader(bytes, 0, bytes.length);
    for (let count = 0; count < COUNT; count++) decodeSessionCommand(reader);
  });
});

describe("1,000 entries through three cores, without any I/O", () => {
  for (const batch of [1, 64, COUNT]) {
    const group = new Cores();
    bench(`proposed ${batch} at a time, committed everywhere`, () => {
      for (let proposed = 0; proposed < COUNT; proposed += batch)
        group.commit(Math.min(batch, COUNT - proposed));
      group.compact();
    });
  }
});

describe("1,000 commands on the machine of one shard that holds 100,000 keys", () => {
  const shard = new Shard();
  for (let stored = 0; stored < KEY_COUNT; stored += COMMANDS_PER_ENTRY) shard.apply();
  for (const commandsPerEntry of [1, COMMANDS_PER_ENTRY]) {
    bench(`SET, ${commandsPerEntry} in an entry`, () => {
      for (let done = 0; done < COUNT; done += commandsPerEntry) shard.apply(commandsPerEntry);
    });
  }
  bench("GET", () => {
    for (let count = 0; count < COUNT; count++) shard.read();
  });
});

describe("a snapshot of one shard that holds 100,000 keys, in slices of 64 KiB", () => {
  const shard = new Shard();
  for (let stored = 0; stored < KEY_COUNT; stored += COMMANDS_PER_ENTRY) shard.apply();
  const slices = shard.slices();
  const writer = new ByteWriter();
  const packed = slices.map((slice) => {
    encodeSnapshotChunk(writer, slice);
    return writer.copy();
  });
  bench("read", () => void shard.slices());
  bench("packed", () => {
    for (const slice of slices) encodeSnapshotChunk(writer, slice);
  });
  bench("unpacked", () => {
    for (const bytes of packed) decodeSnapshotChunk(bytes);
  });
});

describe("1,000 entries in the log on disk, synced", () => {
  for (const entriesPerWrite of [100, COUNT]) {
    let log: DiskLog | null = null;
    bench(
      `${entriesPerWrite} in a write`,
      async () => {
        for (let written = 0; written < COUNT; written += entriesPerWrite) await log?.append(entriesPerWrite);
      },
      {
        setup: async () => {
          log = await DiskLog.open();
        },
        teardown: async () => {
          await log?.close();
          log = null;
        },
      },
    );
  }
});

/** One shard, driven as its leader would. */
class Shard {
  readonly #machine = new CacheMachine();
  readonly #session: number;
  #index = 1;
  #sequence = 0;
  #reads = 0;

  constructor() {
    const command = { type: "open-session", node: N1, boot: bootNonce("b".repeat(16)) } as const;
    this.#session = this.#machine.apply(logIndex(1), 1, [outside(command)])[0] as number;
  }

  apply(commands = COMMANDS_PER_ENTRY): void {
    const entry: SessionCommand[] = [];
    for (let count = 0; count < commands; count++) entry.push(setOf(this.#session, ++this.#sequence));
    this.#machine.apply(logIndex(++this.#index), 1, entry);
  }

  slices(): SnapshotChunk[] {
    const snapshot = this.#machine.beginSnapshot();
    const slices: SnapshotChunk[] = [];
    for (let slice = snapshot.next(SLICE_BYTES); slice !== null; slice = snapshot.next(SLICE_BYTES))
      slices.push(slice);
    return slices;
  }

  read(): void {
    const reply = this.#machine.query({ type: "get", key: keyText(scattered(this.#reads++)) }, 1);
    if (typeof reply !== "string") throw new Error("every key is there");
  }
}

/** Three replicas of one group in one process, the first leading. What is persisted and sent arrives at once. */
class Cores {
  readonly #cores = new Map([N1, N2, N3].map((self) => [self, coreOf(self)]));
  readonly #leader = this.#cores.get(N1) as Raft;
  readonly #data = new Uint8Array(ENTRY_BYTES);

  constructor() {
    this.#leader.campaign();
    this.#settle();
    if (this.#leader.role !== "leader") throw new Error("the first to campaign is elected");
  }

  commit(entries: number): void {
    this.#leader.propose(Array.from({ length: entries }, () => this.#data));
    this.#settle();
  }

  /** Drops what all have applied, as checkpoints do. */
  compact(): void {
    for (const core of this.#cores.values()) core.compact(core.applied);
  }

  #settle(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const core of this.#cores.values()) {
        if (!core.hasReady()) continue;
        busy = true;
        const { persist, messages, committed } = core.ready();
        if (persist !== null) core.persisted(persist.receipt);
        const last = committed[committed.length - 1];
        if (last !== undefined) core.appliedTo(last.index);
        for (const message of messages) this.#cores.get(message.to)?.step(message);
      }
    }
  }
}

/** One group's log in LevelDB. */
class DiskLog {
  readonly #store: LevelLogStore;
  #lastIndex = 0;

  readonly #folder: string;

  private constructor(store: LevelLogStore, folder: string) {
    this.#store = store;
    this.#folder = folder;
  }

  static async open(): Promise<DiskLog> {
    const folder = mkdtempSync(join(tmpdir(), "crema-bench-"));
    const logPath = join(folder, "log");
    const checkpointsPath = join(folder, "checkpoints");
    mkdirSync(checkpointsPath, { recursive: true });
    const store = new LevelLogStore({
      database: new LevelDatabase(logPath),
      logPath,
      checkpointsPath,
      options: DEFAULT_DISK_OPTIONS,
      log: () => {},
    });
    await store.load();
    const log = new DiskLog(store, folder);
    await log.#write({ base: { index: logIndex(0), term: term(0), configuration: VOTERS }, entries: [] });
    return log;
  }

  async append(count: number): Promise<void> {
    const entries = entriesAfter(this.#lastIndex, count);
    this.#lastIndex += count;
    await this.#write({ base: null, entries });
  }

  async close(): Promise<void> {
    await this.#store.close();
    rmSync(this.#folder, { recursive: true });
  }

  #write(write: Pick<GroupWrite, "base" | "entries">): Promise<void> {
    return new Promise((resolve, reject) => {
      const whole = { group: groupId(1), checkpoint: null, hardState: null, ...write };
      this.#store.write([whole], (error) => (error === null ? resolve() : reject(error)));
    });
  }
}

function coreOf(self: NodeId): Raft {
  return new Raft({
    self,
    options: resolveRaftOptions(),
    random: new Random(1, 1),
    base: { index: logIndex(0), term: term(0), configuration: VOTERS },
    hardState: { term: term(0), vote: null, commit: logIndex(0) },
    entries: [],
  });
}

function setOf(session: number, sequence: number): SessionCommand {
  const number = scattered(sequence);
  return { session, sequence, lowWater: sequence, command: setCommand(keyText(number), valueText(number)) };
}

function entriesAfter(index: number, count: number): readonly Entry[] {
  const data = new Uint8Array(ENTRY_BYTES);
  return Array.from({ length: count }, (_, at) => ({
    kind: "data" as const,
    index: logIndex(index + 1 + at),
    term: term(1),
    data,
  }));
}
