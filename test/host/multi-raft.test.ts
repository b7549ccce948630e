/**
 * One node's groups, without a network: what arrives is what the test says.
 */
import { expect, test } from "vitest";
import { groupId, logIndex, nodeId, term } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { MultiRaft } from "../../src/host/multi-raft.ts";
import { DEFAULT_HOST_OPTIONS } from "../../src/host/options.ts";
import type { LogStore } from "../../src/host/ports.ts";
import type { SnapshotSink, StateMachine } from "../../src/host/state-machine.ts";
import { VolatileLogStore } from "../../src/host/volatile-log-store.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import { resolveRaftOptions } from "../../src/raft/options.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualLogStore } from "../../src/sim/virtual-log-store.ts";

const SELF = nodeId("1111111111111111");
const LEADER = nodeId("2222222222222222");
const GROUP = groupId(1);

/** Holds one text; its snapshot is that text. */
class TextMachine implements StateMachine<null> {
  text = "";
  readonly timeMs = 0;

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

function host(clock: VirtualClock, store: LogStore, stalls: boolean[] = []): MultiRaft {
  return new MultiRaft({
    self: SELF,
    clock,
    random: new Random(1, 1),
    store,
    transport: { beginFrame: () => null, endFrame: () => {}, flush: () => {} },
    raftOptions: resolveRaftOptions({}),
    options: DEFAULT_HOST_OPTIONS,
    events: {
      onLeadership: () => {},
      onConfiguration: () => {},
      onSnapshotWanted: () => {},
      onUnknownGroup: () => false,
      onGroupFailed: (_group, error) => {
        throw error;
      },
      onCheckpoint: () => {},
      onCheckpointFailed: (_group, error) => {
        throw error;
      },
      onStoreStalled: (stalled) => stalls.push(stalled),
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
