/**
 * One node's groups, without a network: what arrives is what the test says.
 */

import { expect, test } from "vitest";
import { groupId, logIndex, type NodeId, nodeId, term } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { Background } from "../../src/host/background.ts";
import { MultiRaft } from "../../src/host/multi-raft.ts";
import { DEFAULT_HOST_OPTIONS } from "../../src/host/options.ts";
import type { LogStore } from "../../src/host/ports.ts";
import type { SnapshotSink, StateMachine } from "../../src/host/state-machine.ts";
import { VolatileLogStore } from "../../src/host/volatile-log-store.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import type { RaftMessage } from "../../src/raft/messages.ts";
import { resolveRaftOptions } from "../../src/raft/options.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualLogStore } from "../../src/sim/virtual-log-store.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { encodeRaftMessage } from "../../src/wire/raft-codec.ts";

const SELF = nodeId("1111111111111111");
const LEADER = nodeId("2222222222222222");
const GROUP = groupId(1);

/** Holds one text; its snapshot is that text. */
class TextMachine implements StateMachine<null> {
  text = "";
  readonly timeMs = 0;
  readonly sizeBytes = 0;

  apply(): readonly null[] {
    return [];
  }

  beginSnapshot() {
    let left: Uint8Array | null = new TextEncoder().encode(this.text);
    return {
      next: () => {
        const slice = left;
        left = null;
        return slice;
      },
      close: () => {},
    };
  }

  beginRestore(): SnapshotSink {
    let text = "";
    return {
      write: (slice) => {
        text += new TextDecoder().decode(slice);
      },
      finish: () => {},
      install: () => {
        this.text = text;
      },
    };
  }
}

/** When the other node was heard, whether it was asked for a sign of life, and whose silence was told; and what was said of flushes. */
class Heard {
  readonly flushes: string[] = [];
  atMs: number | null = null;
  readonly asked: NodeId[] = [];
  readonly silent: NodeId[] = [];
}

/** What of the options is not as usual. */
interface Limits {
  readonly heldBytesMax?: number;
  readonly uncommittedBytesMax?: number;
}

function host(clock: VirtualClock, store: LogStore, heard = new Heard(), limits: Limits = {}): MultiRaft {
  const { heldBytesMax = DEFAULT_HOST_OPTIONS.heldBytesMax, ...raftLimits } = limits;
  return new MultiRaft({
    self: SELF,
    clock,
    background: new Background(clock),
    random: new Random(1, 1),
    store,
    transport: {
      beginFrame: () => null,
      endFrame: () => {},
      awaitFlush: () => heard.flushes.push("awaited"),
      flush: () => heard.flushes.push("done"),
      lastHeardMs: () => heard.atMs,
      ask: (node) => heard.asked.push(node),
    },
    raftOptions: resolveRaftOptions(raftLimits),
    options: { ...DEFAULT_HOST_OPTIONS, heldBytesMax },
    events: {
      onLeadership: () => {},
      onConfiguration: () => {},
      onSnapshotWanted: () => {},
      onUnknownGroup: () => false,
      onSilent: (node) => heard.silent.push(node),
      onGroupFailed: (_group, error) => {
        throw error;
      },
      onCheckpoint: () => {},
      onCheckpointFailed: (_group, error) => {
        throw error;
      },
      onStoreStalled: () => {},
    },
  });
}

function arrive(groups: MultiRaft, machine: TextMachine, index: number, text: string): void {
  const replica = groups.get(GROUP);
  if (replica === undefined) throw new Error("the group is open");
  const sink = machine.beginRestore();
  const slice = new TextEncoder().encode(text);
  sink.write(slice);
  const at = { index: logIndex(index), term: term(1), configuration: configurationOf([SELF, LEADER]) };
  const writer = groups.keepSnapshot(GROUP);
  if (writer === null) {
    groups.installSnapshot(replica, LEADER, 1, at, sink, null);
    return;
  }
  writer.write(slice);
  writer.finish((_error, kept) => groups.installSnapshot(replica, LEADER, 1, at, sink, kept));
}

test("a snapshot that comes too late does not take the place of one accepted in the same turn", async () => {
  const clock = new VirtualClock();
  const groups = host(clock, new VolatileLogStore());
  const machine = new TextMachine();
  groups.open(GROUP, machine, { voters: [] });
  arrive(groups, machine, 10, "at 10");
  arrive(groups, machine, 5, "at 5");
  await clock.runFor(1);
  expect([machine.text, groups.get(GROUP)?.raft.applied]).toEqual(["at 10", 10]);
});

test("an installed snapshot is found again after a crash, with the machine that belongs to it, or not at all", async () => {
  const found = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    const clock = new VirtualClock();
    const disk = new VirtualDisk(clock, new Random(seed, 1));
    const groups = host(clock, new VirtualLogStore(disk, clock));
    const machine = new TextMachine();
    groups.open(GROUP, machine, { voters: [] });
    await clock.runFor(50);
    arrive(groups, machine, 10, "at 10");
    await clock.runFor(seed % 2);
    groups.close();
    disk.crash();
    const [stored] = (await new VirtualLogStore(disk, clock).load()).groups;
    const restored = new TextMachine();
    if (stored === undefined) throw new Error("the beginning of the group was confirmed");
    const replica = host(clock, new VolatileLogStore()).reopen(stored, restored);
    found.add(`${replica?.raft.applied} ${restored.text}`);
  }
  expect([...found].sort()).toEqual(["0 ", "10 at 10"]);
});

// Seed 302683: the replica was closed and opened again while its snapshot arrived, and the new one believed it had it.
test("a snapshot that arrived for a replica which is gone does not become that of its successor", async () => {
  const clock = new VirtualClock();
  const groups = host(clock, new VolatileLogStore());
  const machine = new TextMachine();
  const former = groups.open(GROUP, machine, { voters: [] });
  const sink = machine.beginRestore();
  sink.write(new TextEncoder().encode("at 10"));
  groups.remove(GROUP);
  const successor = groups.open(GROUP, new TextMachine(), { voters: [] });
  const at = { index: logIndex(10), term: term(1), configuration: configurationOf([SELF, LEADER]) };
  expect(groups.installSnapshot(former, LEADER, 1, at, sink, null)).toBe(false);
  await clock.runFor(1);
  expect(successor.raft.applied).toBe(0);
});

/** Hears `messages` of the other voter. */
function hear(groups: MultiRaft, ...messages: RaftMessage[]): void {
  const writer = new ByteWriter(64);
  for (const message of messages) {
    writer.varint(GROUP);
    encodeRaftMessage(writer, message);
  }
  groups.receiveFrame(LEADER, writer.take());
}

/** A new group begins behind index 1 of term 1, so its first leader is elected in term 2. */
const PATH = { from: LEADER, to: SELF, term: term(2) };
/** One and a half election timeouts, and the tick that may have just passed. */
const SILENCE_MS = 1_600;

test("the silence of its leader's node wakes a sleeping follower, which stands for election within half a second", async () => {
  const clock = new VirtualClock();
  const heard = new Heard();
  const groups = host(clock, new VolatileLogStore(), heard);
  const { raft } = groups.open(GROUP, new TextMachine(), { voters: [SELF, LEADER] });
  groups.start();
  hear(groups, { type: "heartbeat", ...PATH, commit: logIndex(1), readRound: 0, quiesce: true });
  await clock.runFor(1);
  expect([raft.leader, raft.quiesced]).toEqual([LEADER, true]);
  await clock.runFor(SILENCE_MS);
  expect([raft.leader, raft.quiesced]).toEqual([null, false]);
  expect(heard.asked).toEqual([LEADER, LEADER]);
  expect(heard.silent).toEqual([LEADER]);
  await clock.runFor(500);
  expect(raft.role).toBe("pre-candidate");
  groups.close();
});

test("the silence of its follower's node wakes a sleeping leader, which steps down before an election timeout is over", async () => {
  const clock = new VirtualClock();
  const heard = new Heard();
  const groups = host(clock, new VolatileLogStore(), heard);
  const { raft } = groups.open(GROUP, new TextMachine(), { voters: [SELF, LEADER] });
  groups.start();
  raft.campaign();
  groups.markDirty(GROUP);
  await clock.runFor(1);
  hear(groups, { type: "pre-vote-response", ...PATH, granted: true });
  await clock.runFor(1);
  hear(groups, { type: "vote-response", ...PATH, granted: true });
  await clock.runFor(1);
  const taken = { rejected: false, index: raft.lastIndex, hintIndex: logIndex(0), hintTerm: term(0) };
  hear(groups, { type: "append-response", ...PATH, session: 1, ...taken });
  // It goes to sleep after thirty heartbeats, all of them answered.
  for (let beat = 0; !raft.quiesced && beat < 100; beat++) {
    hear(groups, { type: "heartbeat-response", ...PATH, readRound: 0 });
    heard.atMs = clock.nowMs();
    await clock.runFor(100);
  }
  expect([raft.role, raft.quiesced]).toEqual(["leader", true]);
  await clock.runFor(SILENCE_MS);
  expect(heard.silent).toEqual([LEADER]);
  await clock.runFor(300);
  expect(raft.role).toBe("follower");
  groups.close();
});

test("who is told to await a flush gets one at the end of the turn, also from groups that are closed meanwhile", async () => {
  const clock = new VirtualClock();
  const heard = new Heard();
  const groups = host(clock, new VolatileLogStore(), heard);
  groups.open(GROUP, new TextMachine(), { voters: [SELF, LEADER] });
  groups.markDirty(GROUP);
  expect(heard.flushes).toEqual(["awaited"]);
  await clock.runFor(1);
  expect(heard.flushes).toEqual(["awaited", "done"]);
  groups.markDirty(GROUP);
  groups.close();
  await clock.runFor(1);
  expect(heard.flushes).toEqual(["awaited", "done", "awaited", "done"]);
});

/** Keeps what it applies, as text. */
class KeepingMachine extends TextMachine {
  readonly entries: string[] = [];

  override apply(_index?: unknown, data?: Uint8Array): readonly null[] {
    this.entries.push(Buffer.from(data ?? []).toString("latin1"));
    return [null];
  }
}

test("a command is taken as it was given, whatever those do who are refused to make room for it", async () => {
  const clock = new VirtualClock();
  const machine = new KeepingMachine();
  const groups = host(clock, new VolatileLogStore(), new Heard(), {
    heldBytesMax: 2_000,
    uncommittedBytesMax: 2_000,
  });
  const group = groups.open(GROUP, machine, { voters: [SELF] });
  groups.start();
  group.raft.campaign();
  groups.markDirty(GROUP);
  await clock.runFor(100);
  expect(group.isReadyLeader).toBe(true);

  const told: string[] = [];
  const sink = (name: string, onDropped: () => void = () => {}) => ({
    applied: () => told.push(`${name} applied`),
    dropped: (why: string) => {
      told.push(`${name} ${why}`);
      onDropped();
    },
  });
  // Proposed and not committed: meanwhile something small is taken, and nothing large.
  group.submit(Buffer.from("first, long enough"), sink("first"));
  group.beginTurn();
  const shared = Buffer.from("as it came");
  group.submit(
    Buffer.alloc(2_000, "r"),
    sink("second", () => shared.fill("?")),
  );
  group.submit(shared, sink("third"));
  expect(told).toEqual(["second busy"]);
  await clock.runFor(100);
  expect(told).toEqual(["second busy", "first applied", "third applied"]);
  expect(machine.entries.map((entry) => entry.slice(-10))).toEqual(["ong enough", "as it came"]);
  groups.close();
});
