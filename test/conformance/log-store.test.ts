/**
 * The simulated log store keeps what every log store must keep; and stores that are broken in one way each do not get by.
 */
import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.ts";
import type {
  CheckpointWriter,
  GroupWrite,
  LogStore,
  StoreDone,
  StoredGroup,
  StoredPast,
} from "../../src/host/ports.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualLogStore } from "../../src/sim/virtual-log-store.ts";
import { LOG_STORE_CLAIMS, type LogStoreSubject } from "./log-store.ts";

function subject(
  seed: number,
  wrap: (store: VirtualLogStore) => LogStore = (store) => store,
  rewriteBytesMin?: number,
): LogStoreSubject {
  const clock = new VirtualClock();
  const disk = new VirtualDisk(clock, new Random(seed, 1), { slowRate: 0.3 });
  return {
    open: () => wrap(new VirtualLogStore(disk, clock, rewriteBytesMin)),
    settle: () => clock.runFor(1_000),
    crash: async () => disk.crash(),
    setFull: (full) => {
      disk.full = full;
    },
    setBroken: (broken) => {
      disk.broken = broken;
    },
  };
}

describe("the log store on a virtual disk", () => {
  it.each(LOG_STORE_CLAIMS)("$title", async ({ check }) => {
    for (let seed = 1; seed <= 20; seed++) await check(subject(seed));
  });
});

/** Passes everything on, but for what a mutant does differently. */
class Mutant implements LogStore {
  readonly durable = true;
  readonly inner: VirtualLogStore;

  constructor(inner: VirtualLogStore) {
    this.inner = inner;
  }

  load(): Promise<StoredPast> {
    return this.inner.load();
  }

  write(writes: readonly GroupWrite[], done: StoreDone): void {
    this.inner.write(writes, done);
  }

  set onStall(listener: (reason: string | null) => void) {
    this.inner.onStall = listener;
  }

  set onFailed(listener: (error: Error) => void) {
    this.inner.onFailed = listener;
  }

  beginCheckpoint(): CheckpointWriter {
    return this.inner.beginCheckpoint();
  }

  checkpoint(...call: Parameters<LogStore["checkpoint"]>): void {
    this.inner.checkpoint(...call);
  }

  counters(): Readonly<Record<string, number>> {
    return this.inner.counters();
  }

  remove(...call: Parameters<LogStore["remove"]>): void {
    this.inner.remove(...call);
  }

  saveNode(...call: Parameters<LogStore["saveNode"]>): void {
    this.inner.saveNode(...call);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

class ConfirmsTooSoon extends Mutant {
  override write(writes: readonly GroupWrite[], done: StoreDone): void {
    this.inner.write(writes, () => {});
    done(null);
  }
}

class ForgetsVotes extends Mutant {
  override async load(): Promise<StoredPast> {
    const past = await this.inner.load();
    const forget = (group: StoredGroup): StoredGroup => ({
      ...group,
      hardState: { ...group.hardState, vote: null },
    });
    return { ...past, groups: past.groups.map(forget) };
  }
}

class WritesGroupsApart extends Mutant {
  override write(writes: readonly GroupWrite[], done: StoreDone): void {
    let left = writes.length;
    for (const write of writes) this.inner.write([write], (error) => --left === 0 && done(error));
  }
}

class WritesCheckpointsLater extends Mutant {
  override write(writes: readonly GroupWrite[], done: StoreDone): void {
    this.inner.write(
      writes.map((write) => ({ ...write, checkpoint: write.base?.index === 1 ? write.checkpoint : null })),
      done,
    );
  }
}

class ForgetsTombstones extends Mutant {
  override async load(): Promise<StoredPast> {
    return { ...(await this.inner.load()), tombstones: [] };
  }
}

class IgnoresCheckpoints extends Mutant {
  override checkpoint(...[, , , done]: Parameters<LogStore["checkpoint"]>): void {
    done(null);
  }
}

class HidesErrors extends Mutant {
  override write(writes: readonly GroupWrite[], done: StoreDone): void {
    this.inner.write(writes, () => done(null));
  }
}

class KeepsFailuresToItself extends Mutant {
  override set onFailed(_listener: (error: Error) => void) {}
}

describe("the log store on a virtual disk that is rewritten with every write", () => {
  it.each(LOG_STORE_CLAIMS)("$title", async ({ check }) => {
    for (let seed = 1; seed <= 20; seed++) await check(subject(seed, (store) => store, 1));
  });
});

describe("a store that", () => {
  it.each(
    [
      ConfirmsTooSoon,
      ForgetsVotes,
      WritesGroupsApart,
      WritesCheckpointsLater,
      ForgetsTombstones,
      IgnoresCheckpoints,
      HidesErrors,
      KeepsFailuresToItself,
    ].map((Broken) => [Broken.name, Broken] as const),
  )("%s is found out", async (_name, Broken) => {
    let refuted = 0;
    for (const { check } of LOG_STORE_CLAIMS) {
      for (let seed = 1; seed <= 20; seed++) {
        const held = await check(subject(seed, (store) => new Broken(store))).then(
          () => true,
          () => false,
        );
        if (!held) refuted++;
      }
    }
    expect(refuted).toBeGreaterThan(0);
  });
});
