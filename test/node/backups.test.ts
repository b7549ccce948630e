/**
 * Backups of shards in whole nodes in virtual time: through any node, under load, while leaders come and go.
 */

import { afterEach, expect, test, vi } from "vitest";
import { CremaError } from "../../src/base/errors.ts";
import { groupOfShard, type NodeId, type ShardId, shardId } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { CacheMachine } from "../../src/cache/cache-machine.ts";
import { Background } from "../../src/host/background.ts";
import type { CallHandler } from "../../src/host/links/call-server.ts";
import type { ReadSink } from "../../src/host/state-machine.ts";
import { BACKUP_STREAMS_MAX, Backups } from "../../src/node/backups.ts";
import type { BackupSink } from "../../src/node/door.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { type BackupEntry, decodeBackupEntries } from "../../src/wire/backup-codec.ts";
import { BackupReader } from "../../src/wire/backup-reader.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

afterEach(() => void vi.restoreAllMocks());

/** Reads a section, and may be told to be slow. */
class Reading implements BackupSink {
  readonly entries = new Map<string, BackupEntry>();
  readonly abort = new AbortController();
  readonly ended: Promise<void>;
  readonly #reader: BackupReader;
  /** Kept before a chunk counts as taken. */
  hold: Promise<void> | null = null;
  chunks = 0;

  constructor(member: VirtualMember, shard: ShardId, hold: Promise<void> | null = null) {
    this.hold = hold;
    this.#reader = new BackupReader({ of: { shard }, deep: true });
    this.ended = member.node.backups.send(shard, this, this.abort.signal);
    this.ended.catch(() => undefined);
  }

  write(chunk: Uint8Array): void | Promise<void> {
    this.chunks++;
    for (const { frame } of this.#reader.push(chunk)) {
      if (frame?.type !== "block") continue;
      for (const entry of decodeBackupEntries(frame)) this.entries.set(entry.key, entry);
    }
    if (this.hold !== null) return this.hold;
  }

  /** Every part arrived, the last one too. */
  finish(): void {
    this.#reader.finish();
  }
}

function gate(): { readonly closed: Promise<void>; open(): void } {
  let open = (): void => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { closed, open: () => open() };
}

async function threeNodes(seed: number, shards = 2): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed);
  cluster.start(1, [], { shards });
  await cluster.until(() => cluster.ready, 3_000);
  cluster.start(2, [1]);
  cluster.start(3, [1]);
  expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 60_000)).toBe(true);
  return cluster;
}

function leaderAndOther(
  cluster: VirtualCluster,
  shard: ShardId,
): { leader: VirtualMember; other: VirtualMember } {
  const id = cluster.leaderOf(groupOfShard(shard));
  const leader = cluster.living.find(({ node }) => node.nodeId === id);
  const other = cluster.living.find(({ node }) => node.nodeId !== id);
  if (leader === undefined || other === undefined) throw new Error("no leader");
  return { leader, other };
}

/** Values that cannot be packed, so that a shard of many is longer than what a stream may be ahead of its reader. */
async function fill(cluster: VirtualCluster, keys: number, valueBytes: number): Promise<void> {
  const random = new Random(7, keys);
  const noise = (): Uint8Array => Uint8Array.from({ length: valueBytes }, () => random.nextU32() & 0xff);
  const writes = Array.from({ length: keys }, (_, at) =>
    cluster.members[at % 3]?.node.cache.put(`key:${at}`, noise()),
  );
  await cluster.settle(Promise.all(writes));
}

function snapshotsHeld(cluster: VirtualCluster, shard: ShardId): number {
  const counts = cluster.living.map(({ node }) => node.shards.machine(shard)?.cache.snapshotsOpen ?? 0);
  return counts.reduce((sum, count) => sum + count, 0);
}

test("a backup holds all keys of its shard, whether the node asked leads it or not", async () => {
  const cluster = await threeNodes(31);
  await fill(cluster, 2_000, 500);
  const found = new Set<string>();
  for (const shard of [shardId(0), shardId(1)]) {
    const { leader, other } = leaderAndOther(cluster, shard);
    const readings = [new Reading(leader, shard), new Reading(other, shard)];
    for (const reading of readings) await cluster.settle(reading.ended);
    for (const reading of readings) reading.finish();
    expect([...(readings[0]?.entries ?? [])]).toEqual([...(readings[1]?.entries ?? [])]);
    for (const key of readings[1]?.entries.keys() ?? []) found.add(key);
    expect(other.node.backups.counters.sent).toBeGreaterThan(0);
  }
  expect(found.size).toBe(2_000);
  expect(snapshotsHeld(cluster, shardId(0)) + snapshotsHeld(cluster, shardId(1))).toBe(0);
});

test("a backup holds every write acknowledged before it was asked for, at that value or a later one", async () => {
  const cluster = await threeNodes(32, 1);
  const { leader, other } = leaderAndOther(cluster, shardId(0));
  const acknowledged = new Map<string, number>();
  let stopped = false;
  const writer = (async () => {
    for (let turn = 0; !stopped; turn++) {
      const key = `key:${turn % 200}`;
      await leader.node.cache.put(key, String(turn).padEnd(2_000, "."));
      acknowledged.set(key, turn);
    }
  })();
  for (let round = 0; round < 8; round++) {
    await cluster.run(50);
    const before = new Map(acknowledged);
    expect(before.size).toBeGreaterThan(0);
    const reading = new Reading(round % 2 === 0 ? leader : other, shardId(0));
    await cluster.settle(reading.ended);
    reading.finish();
    for (const [key, turn] of before) {
      expect(Number.parseInt(reading.entries.get(key)?.value ?? "-1", 10), key).toBeGreaterThanOrEqual(turn);
    }
  }
  stopped = true;
  await cluster.settle(writer);
});

test("a backup shows one moment, however slowly it is read and whatever is written meanwhile", async () => {
  const cluster = await threeNodes(33, 1);
  await fill(cluster, 3_000, 4_000);
  const { leader, other } = leaderAndOther(cluster, shardId(0));
  const slow = gate();
  const reading = new Reading(other, shardId(0), slow.closed);
  expect(await cluster.until(() => reading.chunks > 0, 5_000)).toBe(true);
  await cluster.settle(
    Promise.all(Array.from({ length: 3_000 }, (_, at) => leader.node.cache.put(`key:${at}`, "newer"))),
  );
  await cluster.settle(leader.node.cache.put("another", "newer"));
  expect(reading.entries.size).toBeLessThan(3_000);
  slow.open();
  await cluster.settle(reading.ended);
  reading.finish();
  expect(reading.entries.size).toBe(3_000);
  expect([...reading.entries.values()].filter(({ value }) => value === "newer")).toEqual([]);
});

test("what has expired is left out, what has not carries the rest of its time", async () => {
  const cluster = await threeNodes(34, 1);
  const { leader, other } = leaderAndOther(cluster, shardId(0));
  const { cache } = leader.node;
  await cluster.settle(cache.put("for ever", "a"));
  await cluster.settle(cache.putWithTtl("short", "b", 1_000));
  await cluster.settle(cache.putWithTtl("long", "c", 60_000));
  // No removal is committed meanwhile: the key is still in the machine, and yet is not there any more.
  for (const { node } of cluster.living) vi.spyOn(node.shards, "removeExpired").mockReturnValue(undefined);
  await cluster.run(5_000);
  expect(leader.node.shards.machine(shardId(0))?.cache.entryCount).toBe(3);
  const reading = new Reading(other, shardId(0));
  await cluster.settle(reading.ended);
  expect([...reading.entries.keys()].sort()).toEqual(["for ever", "long"]);
  expect(reading.entries.get("for ever")?.remainingMs).toBeNull();
  const left = reading.entries.get("long")?.remainingMs ?? 0;
  expect(left).toBeLessThanOrEqual(55_000);
  expect(left).toBeGreaterThan(54_000);
});

test("a leader that is deposed in the middle of a backup finishes it", async () => {
  const cluster = await threeNodes(35, 1);
  await fill(cluster, 3_000, 4_000);
  const { leader, other } = leaderAndOther(cluster, shardId(0));
  const slow = gate();
  const reading = new Reading(other, shardId(0), slow.closed);
  expect(await cluster.until(() => reading.chunks > 0, 5_000)).toBe(true);
  const group = groupOfShard(shardId(0));
  leader.node.groups.get(group)?.raft.transferLeader(other.node.nodeId);
  leader.node.groups.markDirty(group);
  expect(await cluster.until(() => cluster.leaderOf(group) === other.node.nodeId, 5_000)).toBe(true);
  slow.open();
  await cluster.settle(reading.ended);
  reading.finish();
  expect(reading.entries.size).toBe(3_000);
});

test("a leader that dies in the middle of a backup fails it with an error that says so", async () => {
  const cluster = await threeNodes(36, 1);
  await fill(cluster, 3_000, 4_000);
  const { leader, other } = leaderAndOther(cluster, shardId(0));
  const slow = gate();
  const reading = new Reading(other, shardId(0), slow.closed);
  expect(await cluster.until(() => reading.chunks > 0, 5_000)).toBe(true);
  cluster.kill(leader);
  slow.open();
  const failure: unknown = await cluster.settle(
    reading.ended.catch((error: unknown) => error),
    60_000,
  );
  expect(failure).toBeInstanceOf(CremaError);
  expect(failure).toMatchObject({ retryable: true });
  expect(other.node.backups.counters.failed).toBe(1);
  expect(await cluster.until(() => cluster.leaderOf(groupOfShard(shardId(0))) !== null, 30_000)).toBe(true);
  const again = new Reading(other, shardId(0));
  await cluster.settle(again.ended);
  again.finish();
  expect(again.entries.size).toBe(3_000);
});

test("a backup that is asked for during an election waits for the new leader", async () => {
  const cluster = await threeNodes(37, 1);
  await fill(cluster, 10, 10);
  const { leader, other } = leaderAndOther(cluster, shardId(0));
  cluster.kill(leader);
  const reading = new Reading(other, shardId(0));
  await cluster.settle(reading.ended);
  reading.finish();
  expect(reading.entries.size).toBe(10);
});

test("a reader that goes away lets go of the snapshot, here and at the leader", async () => {
  const cluster = await threeNodes(38, 1);
  await fill(cluster, 3_000, 4_000);
  const { leader, other } = leaderAndOther(cluster, shardId(0));
  for (const member of [leader, other]) {
    const slow = gate();
    const reading = new Reading(member, shardId(0), slow.closed);
    expect(await cluster.until(() => reading.chunks > 0, 5_000)).toBe(true);
    expect(snapshotsHeld(cluster, shardId(0))).toBe(1);
    reading.abort.abort();
    slow.open();
    await expect(cluster.settle(reading.ended)).rejects.toMatchObject({ code: "CREMA_ABORTED" });
    expect(await cluster.until(() => snapshotsHeld(cluster, shardId(0)) === 0, 5_000)).toBe(true);
  }
});

test("one backup too many is told to come back later, and may", async () => {
  const cluster = await threeNodes(39, 1);
  await fill(cluster, 3_000, 4_000);
  const { leader, other } = leaderAndOther(cluster, shardId(0));
  const slow = gate();
  for (const member of [leader, other]) {
    const readings = Array.from(
      { length: BACKUP_STREAMS_MAX },
      () => new Reading(member, shardId(0), slow.closed),
    );
    expect(await cluster.until(() => readings.every(({ chunks }) => chunks > 0), 5_000)).toBe(true);
    const tooMany = new Reading(member, shardId(0));
    await expect(cluster.settle(tooMany.ended)).rejects.toMatchObject({
      code: "CREMA_BUSY",
      retryable: true,
    });
  }
  // The leader streams to two already: a third node is refused by it, not by its own bound.
  const third = cluster.living.find((member) => member !== leader && member !== other);
  if (third === undefined) throw new Error("no third node");
  await expect(cluster.settle(new Reading(third, shardId(0)).ended)).rejects.toMatchObject({
    code: "CREMA_BUSY",
  });
  slow.open();
  expect(await cluster.until(() => snapshotsHeld(cluster, shardId(0)) === 0, 30_000)).toBe(true);
  await cluster.run(100);
  const later = new Reading(third, shardId(0));
  await cluster.settle(later.ended);
  later.finish();
});

test("a leader that has lost its majority hands out no backup", async () => {
  const cluster = await threeNodes(40, 1);
  await fill(cluster, 10, 10);
  const { leader } = leaderAndOther(cluster, shardId(0));
  for (const member of cluster.living) {
    if (member !== leader) cluster.network.partition(leader.address, member.address);
  }
  const reading = new Reading(leader, shardId(0));
  const failure: CremaError = await cluster.settle(
    reading.ended.then(
      () => {
        throw new Error("it was answered");
      },
      (error) => error,
    ),
  );
  expect(failure.code).toMatch(/^CREMA_(TIMEOUT|NOT_LEADER|NO_LEADER|UNREACHABLE)$/);
  expect(reading.entries.size).toBe(0);
});

test("a leader that cannot open its stream says so at once, and lets go of the snapshot", async () => {
  const busy = new CremaError("CREMA_BUSY", "4 bulk streams leave this node already", { retryable: true });
  const cache = new CacheMachine();
  let serve: CallHandler = () => undefined;
  const failed: unknown[] = [];
  const clock = new VirtualClock().process();
  const group = {
    read: (sink: ReadSink) => sink.granted(),
    isReadyLeader: true,
    machineClock: { nowMs: () => 0 },
  };
  const backups = new Backups({
    clock,
    background: new Background(clock),
    shards: { group: () => group, machine: () => ({ cache }) },
    calls: {
      handle: (_method: string, handler: CallHandler) => {
        serve = handler;
      },
    },
    bulk: { send: async () => await Promise.reject(busy) },
    clusterId: () => "00000000000000c1",
    onFailed: (_shard: ShardId, _node: NodeId, error: unknown) => void failed.push(error),
  } as never);
  for (let round = 0; round < 3; round++) {
    await expect(serve([0, 1], { node: "00000000000000aa" } as never, 1_000)).rejects.toBe(busy);
  }
  expect(failed).toEqual([busy, busy, busy]);
  expect(cache.snapshotsOpen).toBe(0);
  expect(backups.counters).toEqual({ sent: 0, failed: 0 });
});

test("a shard that the cluster does not have is refused", async () => {
  const cluster = await threeNodes(41, 2);
  const member = cluster.living[0];
  if (member === undefined) throw new Error("no node");
  await expect(new Reading(member, shardId(2)).ended).rejects.toThrow(RangeError);
});
