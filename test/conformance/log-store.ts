/**
 * What every durable log store must do, as claims about a store that a factory opens. Run them under any test runner: a claim
 * that does not hold throws an `AssertionError`. What is NOT claimed: that anything survives which was not confirmed.
 */
import assert from "node:assert/strict";
import {
  bootNonce,
  clusterId,
  type GroupId,
  groupId,
  logIndex,
  type NodeId,
  nodeId,
  term,
} from "../../src/base/ids.ts";
import type {
  GroupWrite,
  KeptCheckpoint,
  LogBase,
  LogStore,
  NodeRecord,
  StoredGroup,
  StoredPast,
  Tombstone,
} from "../../src/host/ports.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { HardState } from "../../src/raft/ready.ts";

export type {
  Checkpoint,
  CheckpointWriter,
  DamagedGroup,
  GroupWrite,
  KeptCheckpoint,
  LogBase,
  LogStore,
  NodeRecord,
  StoredGroup,
  StoredPast,
  Tombstone,
} from "../../src/host/ports.ts";
export type { Entry } from "../../src/raft/entry.ts";
export type { HardState } from "../../src/raft/ready.ts";

/** One medium, and what can happen to it. */
export interface LogStoreSubject {
  /** A new process life on the same medium. Only after `close` or `crash` of the one before. */
  open(): LogStore;
  /** Lets everything that is under way end. */
  settle(): Promise<void>;
  /** The process that holds `store` dies now. */
  crash(store: LogStore): Promise<void>;
  /** Whether there is no space from now on: what is written waits. */
  setFull(full: boolean): void;
  /** Whether writes fail from now on, for another reason than want of space. */
  setBroken(broken: boolean): void;
}

/** A sentence about stores, and the proof. Throws when it does not hold of `subject`, which is fresh. */
export interface LogStoreClaim {
  readonly title: string;
  readonly check: (subject: LogStoreSubject) => Promise<void>;
}

const ONE = groupId(1);
const TWO = groupId(2);
const N1 = nodeId("1111111111111111");
const N2 = nodeId("2222222222222222");

export const LOG_STORE_CLAIMS: readonly LogStoreClaim[] = [
  {
    title: "a fresh store holds nothing",
    check: async (subject) => {
      assert.deepEqual(await subject.open().load(), {
        node: null,
        groups: [],
        tombstones: [],
        damaged: [],
      });
    },
  },
  {
    title: "what was confirmed is there after an orderly end",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), append(ONE, [data(2, 1, "a"), noop(3, 2)], hard(2, N2, 2))]);
      await store.close();
      const stored = only(await subject.open().load());
      assert.deepEqual(stored.base, baseAt(1, 1));
      assert.deepEqual(plain(stored.entries), plain([data(2, 1, "a"), noop(3, 2)]));
      assert.deepEqual(stored.hardState, hard(2, N2, 2));
    },
  },
  {
    title: "what was confirmed is there after a crash, whatever was under way",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), append(ONE, [data(2, 1, "a")], hard(1, N1, 1))]);
      for (let index = 3; index < 9; index++) store.write([append(ONE, [data(index, 1, "later")])], () => {});
      await subject.crash(store);
      const stored = only(await subject.open().load());
      const { length } = stored.entries;
      assert.ok(length >= 1);
      const written = [data(2, 1, "a"), ...[3, 4, 5, 6, 7, 8].map((index) => data(index, 1, "later"))];
      assert.deepEqual(plain(stored.entries), plain(written.slice(0, length)));
      assert.deepEqual(stored.hardState, hard(1, N1, 1));
    },
  },
  {
    title: "calls complete once, in the order in which they were made, whatever they are",
    check: async (subject) => {
      const store = await opened(subject);
      const order: number[] = [];
      store.write([begin(ONE)], () => order.push(0));
      store.saveNode(record(N1), () => order.push(1));
      store.write([append(ONE, [data(2, 1, "a"), data(3, 1, "b")])], () => order.push(2));
      store.checkpoint(ONE, baseAt(2, 1), slices("at 2"), () => order.push(3));
      store.write([append(ONE, [data(4, 1, "c")])], () => order.push(4));
      await subject.settle();
      assert.deepEqual(order, [0, 1, 2, 3, 4]);
    },
  },
  {
    title: "the groups of one write are kept together or not at all",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), begin(TWO)]);
      for (let index = 2; index < 12; index++)
        store.write(
          [ONE, TWO].map((group) => append(group, [data(index, 1, "x")])),
          () => {},
        );
      await subject.crash(store);
      const { groups } = await subject.open().load();
      const lengths = groups.map(({ entries }) => entries.length);
      assert.equal(lengths.length, 2);
      assert.equal(lengths[0], lengths[1]);
    },
  },
  {
    title:
      "entries replace whatever stood at and above the first of them, with the hard state that came along",
    check: async (subject) => {
      const store = await opened(subject);
      const first = [data(2, 1, "a"), data(3, 1, "b"), data(4, 1, "c")];
      await done(subject, store, [begin(ONE), append(ONE, first, hard(1, N1, 2))]);
      await done(subject, store, [append(ONE, [data(3, 3, "other")], hard(3, N2, 2))]);
      await store.close();
      const stored = only(await subject.open().load());
      assert.deepEqual(plain(stored.entries), plain([data(2, 1, "a"), data(3, 3, "other")]));
      assert.deepEqual(stored.hardState, hard(3, N2, 2));
    },
  },
  {
    title: "a write without a hard state leaves the one before, and its vote, as it was",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), append(ONE, [], hard(7, N2, 1))]);
      await done(subject, store, [append(ONE, [data(2, 7, "a")])]);
      await store.close();
      assert.deepEqual(only(await subject.open().load()).hardState, hard(7, N2, 1));
    },
  },
  {
    title: "a base replaces log and checkpoint at once, and entries may follow in the same write",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), append(ONE, [data(2, 1, "a"), data(3, 1, "b")])]);
      const entries = [data(51, 4, "new")];
      const hardState = hard(4, null, 50);
      const write = { group: ONE, base: baseAt(50, 4), checkpoint: slices("at", "50"), entries, hardState };
      await done(subject, store, [write]);
      await store.close();
      const stored = only(await subject.open().load());
      assert.deepEqual(stored.base, baseAt(50, 4));
      assert.deepEqual(texts(stored.checkpoint), ["at", "50"]);
      assert.deepEqual(plain(stored.entries), plain(entries));
      assert.deepEqual(stored.hardState, hardState);
    },
  },
  {
    title: "after a crash a base has its own checkpoint, never that of another",
    check: async (subject) => {
      for (let attempt = 0; attempt < 12; attempt++) {
        const store = subject.open();
        await store.load();
        const group = groupId(10 + attempt);
        await done(subject, store, [begin(group, "at 1")]);
        const base = baseAt(50, 4);
        const write = { group, base, checkpoint: slices("at 50"), entries: [], hardState: hard(4, null, 50) };
        store.write([write], () => {});
        await subject.crash(store);
        const again = subject.open();
        const stored = (await again.load()).groups.find((each) => each.group === group);
        assert.deepEqual(texts(stored?.checkpoint ?? null), [`at ${stored?.base.index}`]);
        await again.close();
      }
    },
  },
  {
    title: "a checkpoint drops the entries it covers and keeps those behind it",
    check: async (subject) => {
      const store = await opened(subject);
      const entries = [data(2, 1, "a"), data(3, 1, "b"), data(4, 2, "c")];
      await done(subject, store, [begin(ONE), append(ONE, entries, hard(2, N1, 4))]);
      store.checkpoint(ONE, baseAt(3, 1), slices("at 3"), () => {});
      await done(subject, store, [append(ONE, [data(5, 2, "d")])]);
      await store.close();
      const stored = only(await subject.open().load());
      assert.deepEqual(stored.base, baseAt(3, 1));
      assert.deepEqual(texts(stored.checkpoint), ["at 3"]);
      assert.deepEqual(plain(stored.entries), plain([data(4, 2, "c"), data(5, 2, "d")]));
      assert.deepEqual(stored.hardState, hard(2, N1, 4));
    },
  },
  {
    title: "a checkpoint behind the base changes nothing",
    check: async (subject) => {
      const store = await opened(subject);
      const write = { group: ONE, entries: [], hardState: hard(4, null, 50) };
      await done(subject, store, [{ ...write, base: baseAt(50, 4), checkpoint: slices("at 50") }]);
      store.checkpoint(ONE, baseAt(20, 2), slices("at 20"), () => {});
      await subject.settle();
      await store.close();
      const stored = only(await subject.open().load());
      assert.deepEqual(stored.base, baseAt(50, 4));
      assert.deepEqual(texts(stored.checkpoint), ["at 50"]);
    },
  },
  {
    title: "groups do not touch each other",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), begin(TWO), append(ONE, [data(2, 1, "one")], hard(5, N1, 1))]);
      await done(subject, store, [append(TWO, [data(2, 1, "two")], hard(9, N2, 2))]);
      store.checkpoint(TWO, baseAt(2, 1), slices("two"), () => {});
      await subject.settle();
      await store.close();
      const { groups } = await subject.open().load();
      const one = groups.find(({ group }) => group === ONE);
      const two = groups.find(({ group }) => group === TWO);
      assert.deepEqual(plain(one?.entries ?? []), plain([data(2, 1, "one")]));
      assert.deepEqual(one?.hardState, hard(5, N1, 1));
      assert.deepEqual([two?.base.index, two?.entries.length, two?.hardState], [2, 0, hard(9, N2, 2)]);
    },
  },
  {
    title: "a removed group is gone but for its tombstone, which stays when the group returns",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), begin(TWO), append(ONE, [data(2, 1, "a")], hard(3, N2, 2))]);
      const tombstone: Tombstone = { term: term(3), vote: N2, lastIndex: logIndex(2), lastTerm: term(1) };
      store.remove(ONE, tombstone);
      await subject.settle();
      await store.close();
      const next = subject.open();
      const past = await next.load();
      assert.deepEqual(
        past.groups.map(({ group }) => group),
        [TWO],
      );
      assert.deepEqual(past.tombstones, [{ group: ONE, tombstone }]);
      await done(subject, next, [begin(ONE)]);
      await next.close();
      const again = await subject.open().load();
      assert.equal(again.groups.length, 2);
      assert.deepEqual(again.tombstones, [{ group: ONE, tombstone }]);
    },
  },
  {
    title: "the node's record is the last one saved",
    check: async (subject) => {
      const store = await opened(subject);
      store.saveNode(record(N1), () => {});
      const full: NodeRecord = {
        ...record(N1),
        clusterId: clusterId("cccccccccccccccc"),
        map: bytes("map"),
        founding: bytes("founding"),
      };
      store.saveNode(full, () => {});
      await subject.settle();
      await store.close();
      const { node } = await subject.open().load();
      assert.deepEqual(
        { nodeId: node?.nodeId, boots: node?.boots, clusterId: node?.clusterId },
        { nodeId: N1, boots: full.boots, clusterId: full.clusterId },
      );
      assert.deepEqual(texts([node?.map ?? bytes(""), node?.founding ?? bytes("")]), ["map", "founding"]);
    },
  },
  {
    title: "after an error nothing more is taken, and what was confirmed before is there",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), append(ONE, [data(2, 1, "a")], hard(1, N1, 1))]);
      const errors: (Error | null)[] = [];
      subject.setBroken(true);
      store.write([append(ONE, [data(3, 1, "lost")])], (error) => errors.push(error));
      await subject.settle();
      subject.setBroken(false);
      store.write([append(ONE, [data(4, 1, "behind a hole")])], (error) => errors.push(error));
      await subject.settle();
      store.saveNode(record(N1), (error) => errors.push(error));
      await subject.settle();
      assert.equal(errors.length, 3);
      for (const error of errors) assert.ok(error instanceof Error);
      await subject.crash(store);
      const past = await subject.open().load();
      assert.deepEqual(plain(only(past).entries), plain([data(2, 1, "a")]));
      assert.equal(past.node?.nodeId, N2);
    },
  },
  {
    title: "a failure is told to the owner, once, also of what nobody waits for",
    check: async (subject) => {
      const store = await opened(subject);
      const told: Error[] = [];
      store.onFailed = (error) => told.push(error);
      await done(subject, store, [begin(ONE), begin(TWO)]);
      assert.equal(told.length, 0);
      subject.setBroken(true);
      store.remove(ONE, { term: term(1), vote: null, lastIndex: logIndex(1), lastTerm: term(1) });
      await subject.settle();
      assert.equal(told.length, 1);
      store.write([append(TWO, [data(2, 1, "too late")])], () => {});
      await subject.settle();
      assert.equal(told.length, 1);
      await subject.crash(store);
    },
  },
  {
    title: "what does not fit on a full disk waits, in its order, and is told until there is space",
    check: async (subject) => {
      const store = await opened(subject);
      const told: boolean[] = [];
      store.onStall = (reason) => told.push(reason !== null);
      await done(subject, store, [begin(ONE), append(ONE, [data(2, 1, "a")], hard(1, N1, 1))]);
      const order: string[] = [];
      const note = (what: string) => (error: Error | null) => order.push(error?.message ?? what);
      subject.setFull(true);
      store.write([append(ONE, [data(3, 1, "waits")])], note("third"));
      store.saveNode(record(N1), note("node"));
      await subject.settle();
      assert.deepEqual([order, told], [[], [true]]);
      subject.setFull(false);
      store.write([append(ONE, [data(4, 1, "comes later")])], note("fourth"));
      await subject.settle();
      assert.deepEqual(
        [order, told],
        [
          ["third", "node", "fourth"],
          [true, false],
        ],
      );
      await subject.crash(store);
      const past = await subject.open().load();
      const written = [data(2, 1, "a"), data(3, 1, "waits"), data(4, 1, "comes later")];
      assert.deepEqual(plain(only(past).entries), plain(written));
      assert.equal(past.node?.nodeId, N1);
    },
  },
  {
    title: "a store that is closed while its disk is full confirms nothing of what waits",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE)]);
      const errors: (Error | null)[] = [];
      subject.setFull(true);
      store.write([append(ONE, [data(2, 1, "waits")])], (error) => errors.push(error));
      await subject.settle();
      const closed = store.close();
      await subject.settle();
      await closed;
      assert.equal(errors.length, 1);
      assert.ok(errors[0] instanceof Error);
      subject.setFull(false);
      assert.deepEqual(only(await subject.open().load()).entries, []);
    },
  },
  {
    title: "a checkpoint that was written slice by slice is the machine at its base",
    check: async (subject) => {
      const store = await opened(subject);
      const entries = [data(2, 1, "a"), data(3, 1, "b")];
      await done(subject, store, [begin(ONE), append(ONE, entries, hard(1, N1, 3))]);
      const unused = store.beginCheckpoint(ONE);
      await unused.write(bytes("never finished"));
      unused.abandon();
      const kept = await written(subject, store, ["x".repeat(300_000), "", "third"]);
      store.checkpoint(ONE, baseAt(2, 1), kept, () => {});
      await subject.settle();
      (await written(subject, store, ["of no use"])).discard();
      await subject.settle();
      await subject.crash(store);
      const stored = only(await subject.open().load());
      assert.deepEqual(stored.base, baseAt(2, 1));
      assert.deepEqual(texts(stored.checkpoint), ["x".repeat(300_000), "", "third"]);
      assert.deepEqual(plain(stored.entries), plain([data(3, 1, "b")]));
    },
  },
  {
    title: "a snapshot that was written slice by slice replaces the log, with the write that names it",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), append(ONE, [data(2, 1, "a")], hard(1, N1, 2))]);
      const kept = await written(subject, store, ["at 50"]);
      const hardState = hard(4, null, 50);
      await done(subject, store, [
        { group: ONE, base: baseAt(50, 4), checkpoint: kept, entries: [], hardState },
      ]);
      await store.close();
      const stored = only(await subject.open().load());
      assert.deepEqual([stored.base, texts(stored.checkpoint)], [baseAt(50, 4), ["at 50"]]);
      assert.deepEqual([stored.entries, stored.hardState], [[], hardState]);
    },
  },
  {
    title: "the newest of many checkpoints is what a restart begins with",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), append(ONE, [data(2, 1, "2")], hard(1, N1, 2))]);
      for (let index = 3; index < 40; index++) {
        await done(subject, store, [append(ONE, [data(index, 1, `${index}`)], hard(1, N1, index - 1))]);
        if (index % 3 !== 0) continue;
        store.checkpoint(
          ONE,
          baseAt(index - 1, 1),
          await written(subject, store, [`at ${index - 1}`]),
          () => {},
        );
        await subject.settle();
      }
      await subject.crash(store);
      const stored = only(await subject.open().load());
      assert.deepEqual([stored.base.index, texts(stored.checkpoint)], [38, ["at 38"]]);
      assert.deepEqual(plain(stored.entries), plain([data(39, 1, "39")]));
      assert.deepEqual(stored.hardState, hard(1, N1, 38));
    },
  },
  {
    title: "closing twice is closing once, and nothing is taken afterwards",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE)]);
      await store.close();
      await store.close();
      const errors: (Error | null)[] = [];
      store.write([append(ONE, [data(2, 1, "late")])], (error) => errors.push(error));
      await subject.settle();
      assert.ok(errors[0] instanceof Error);
      assert.deepEqual(only(await subject.open().load()).entries, []);
    },
  },
];

/** A store of a node that has been born: its own record is the first of all. */
async function opened(subject: LogStoreSubject): Promise<LogStore> {
  const store = subject.open();
  await store.load();
  const answers: (Error | null)[] = [];
  store.saveNode(record(N2), (error) => answers.push(error));
  await subject.settle();
  assert.deepEqual(answers, [null]);
  return store;
}

/** Writes, and waits until that is confirmed. */
async function done(subject: LogStoreSubject, store: LogStore, writes: readonly GroupWrite[]): Promise<void> {
  const answers: (Error | null)[] = [];
  store.write(merged(writes), (error) => answers.push(error));
  await subject.settle();
  assert.deepEqual(answers, [null]);
}

/** A checkpoint of `parts`, once it is kept. */
async function written(
  subject: LogStoreSubject,
  store: LogStore,
  parts: readonly string[],
): Promise<KeptCheckpoint> {
  const writer = store.beginCheckpoint(ONE);
  for (const part of parts) await writer.write(bytes(part));
  const answers: (KeptCheckpoint | null)[] = [];
  writer.finish((_error, kept) => answers.push(kept));
  await subject.settle();
  const [kept] = answers;
  assert.ok(kept !== undefined && kept !== null, "the checkpoint was kept");
  return kept;
}

/** One share of each group: its beginning and its first entries are one. */
function merged(writes: readonly GroupWrite[]): readonly GroupWrite[] {
  const groups = new Map<GroupId, GroupWrite>();
  for (const write of writes) {
    const before = groups.get(write.group);
    groups.set(
      write.group,
      before === undefined ? write : { ...write, base: before.base, checkpoint: before.checkpoint },
    );
  }
  return [...groups.values()];
}

function only({ groups }: StoredPast): StoredGroup {
  assert.equal(groups.length, 1);
  return groups[0] as StoredGroup;
}

function begin(group: GroupId, checkpoint: string | null = null): GroupWrite {
  const machine = checkpoint === null ? null : slices(checkpoint);
  return { group, base: baseAt(1, 1), checkpoint: machine, entries: [], hardState: hard(1, null, 1) };
}

function append(group: GroupId, entries: readonly Entry[], hardState: HardState | null = null): GroupWrite {
  return { group, base: null, checkpoint: null, entries, hardState };
}

function baseAt(index: number, at: number): LogBase {
  return { index: logIndex(index), term: term(at), configuration: configurationOf([N1, N2]) };
}

function hard(at: number, vote: NodeId | null, commit: number): HardState {
  return { term: term(at), vote, commit: logIndex(commit) };
}

function data(index: number, at: number, text: string): Entry {
  return { kind: "data", index: logIndex(index), term: term(at), data: bytes(text) };
}

function noop(index: number, at: number): Entry {
  return { kind: "noop", index: logIndex(index), term: term(at) };
}

function record(id: NodeId): NodeRecord {
  return { nodeId: id, boots: [bootNonce("b000000000000001")], clusterId: null, map: null, founding: null };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function slices(...parts: string[]): readonly Uint8Array[] {
  return parts.map(bytes);
}

function texts(checkpoint: Iterable<Uint8Array> | null): string[] {
  return [...(checkpoint ?? [])].map((slice) => new TextDecoder().decode(slice));
}

/** Entries with their data as text: a store may answer views of any kind. */
function plain(entries: readonly Entry[]): unknown[] {
  return entries.map((entry) =>
    entry.kind === "data" ? { ...entry, data: new TextDecoder().decode(entry.data) } : entry,
  );
}
