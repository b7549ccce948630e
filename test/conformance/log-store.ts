/**
 * What every durable log store must do, as claims about a store that a factory opens: run by the simulated one, and by
 * whatever writes to real disks. What is NOT claimed: that anything survives which was not confirmed.
 */
import { expect } from "vitest";
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
  Checkpoint,
  GroupWrite,
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

/** One medium, and what can happen to it. */
export interface LogStoreSubject {
  /** A new process life on the same medium. Only after `close` or `crash` of the one before. */
  open(): LogStore;
  /** Lets everything that is under way end. */
  settle(): Promise<void>;
  /** The process that holds `store` dies now. */
  crash(store: LogStore): Promise<void>;
  /** Whether writes fail from now on for want of space. */
  setFull(full: boolean): void;
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
      expect(await subject.open().load()).toEqual({ node: null, groups: [], tombstones: [] });
    },
  },
  {
    title: "what was confirmed is there after an orderly end",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), append(ONE, [data(2, 1, "a"), noop(3, 2)], hard(2, N2, 2))]);
      await store.close();
      const stored = only(await subject.open().load());
      expect(stored.base).toEqual(baseAt(1, 1));
      expect(plain(stored.entries)).toEqual(plain([data(2, 1, "a"), noop(3, 2)]));
      expect(stored.hardState).toEqual(hard(2, N2, 2));
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
      expect(length).toBeGreaterThanOrEqual(1);
      const written = [data(2, 1, "a"), ...[3, 4, 5, 6, 7, 8].map((index) => data(index, 1, "later"))];
      expect(plain(stored.entries)).toEqual(plain(written.slice(0, length)));
      expect(stored.hardState).toEqual(hard(1, N1, 1));
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
      expect(order).toEqual([0, 1, 2, 3, 4]);
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
      expect(lengths).toHaveLength(2);
      expect(lengths[0]).toBe(lengths[1]);
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
      expect(plain(stored.entries)).toEqual(plain([data(2, 1, "a"), data(3, 3, "other")]));
      expect(stored.hardState).toEqual(hard(3, N2, 2));
    },
  },
  {
    title: "a write without a hard state leaves the one before, and its vote, as it was",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), append(ONE, [], hard(7, N2, 1))]);
      await done(subject, store, [append(ONE, [data(2, 7, "a")])]);
      await store.close();
      expect(only(await subject.open().load()).hardState).toEqual(hard(7, N2, 1));
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
      expect(stored.base).toEqual(baseAt(50, 4));
      expect(texts(stored.checkpoint)).toEqual(["at", "50"]);
      expect(plain(stored.entries)).toEqual(plain(entries));
      expect(stored.hardState).toEqual(hardState);
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
        expect(texts(stored?.checkpoint ?? null)).toEqual([`at ${stored?.base.index}`]);
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
      expect(stored.base).toEqual(baseAt(3, 1));
      expect(texts(stored.checkpoint)).toEqual(["at 3"]);
      expect(plain(stored.entries)).toEqual(plain([data(4, 2, "c"), data(5, 2, "d")]));
      expect(stored.hardState).toEqual(hard(2, N1, 4));
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
      expect(stored.base).toEqual(baseAt(50, 4));
      expect(texts(stored.checkpoint)).toEqual(["at 50"]);
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
      expect(plain(one?.entries ?? [])).toEqual(plain([data(2, 1, "one")]));
      expect(one?.hardState).toEqual(hard(5, N1, 1));
      expect([two?.base.index, two?.entries.length, two?.hardState]).toEqual([2, 0, hard(9, N2, 2)]);
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
      expect(past.groups.map(({ group }) => group)).toEqual([TWO]);
      expect(past.tombstones).toEqual([{ group: ONE, tombstone }]);
      await done(subject, next, [begin(ONE)]);
      await next.close();
      const again = await subject.open().load();
      expect(again.groups).toHaveLength(2);
      expect(again.tombstones).toEqual([{ group: ONE, tombstone }]);
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
      expect(node).toMatchObject({ nodeId: N1, boots: full.boots, clusterId: full.clusterId });
      expect(texts([node?.map ?? bytes(""), node?.founding ?? bytes("")])).toEqual(["map", "founding"]);
    },
  },
  {
    title: "after an error nothing more is taken, and what was confirmed before is there",
    check: async (subject) => {
      const store = await opened(subject);
      await done(subject, store, [begin(ONE), append(ONE, [data(2, 1, "a")], hard(1, N1, 1))]);
      const errors: (Error | null)[] = [];
      subject.setFull(true);
      store.write([append(ONE, [data(3, 1, "no space")])], (error) => errors.push(error));
      subject.setFull(false);
      store.write([append(ONE, [data(4, 1, "behind a hole")])], (error) => errors.push(error));
      await subject.settle();
      store.saveNode(record(N1), (error) => errors.push(error));
      await subject.settle();
      expect(errors).toHaveLength(3);
      for (const error of errors) expect(error).toBeInstanceOf(Error);
      await subject.crash(store);
      const past = await subject.open().load();
      expect(plain(only(past).entries)).toEqual(plain([data(2, 1, "a")]));
      expect(past.node).toBeNull();
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
      expect(errors[0]).toBeInstanceOf(Error);
      expect(only(await subject.open().load()).entries).toEqual([]);
    },
  },
];

async function opened(subject: LogStoreSubject): Promise<LogStore> {
  const store = subject.open();
  await store.load();
  return store;
}

/** Writes, and waits until that is confirmed. */
async function done(subject: LogStoreSubject, store: LogStore, writes: readonly GroupWrite[]): Promise<void> {
  const answers: (Error | null)[] = [];
  store.write(merged(writes), (error) => answers.push(error));
  await subject.settle();
  expect(answers).toEqual([null]);
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
  expect(groups).toHaveLength(1);
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

function slices(...parts: string[]): Checkpoint {
  return parts.map(bytes);
}

function texts(checkpoint: Checkpoint): string[] {
  return (checkpoint ?? []).map((slice) => new TextDecoder().decode(slice));
}

/** Entries with their data as text: a store may answer views of any kind. */
function plain(entries: readonly Entry[]): unknown[] {
  return entries.map((entry) =>
    entry.kind === "data" ? { ...entry, data: new TextDecoder().decode(entry.data) } : entry,
  );
}
