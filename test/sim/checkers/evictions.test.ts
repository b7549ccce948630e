/**
 * Removals by choice: those that are as they should be, and one violation of each kind.
 */
import { expect, test } from "vitest";
import { logIndex } from "../../../src/base/ids.ts";
import type { EvictCommand, SessionCommand } from "../../../src/cache/command.ts";
import { ShardMachine } from "../../../src/node/shard-machine.ts";
import type { DataEntry } from "../../../src/raft/entry.ts";
import { type Eviction, Evictions, type EvictionsOptions } from "../../../src/sim/checkers/evictions.ts";
import { batch, inSession, open, set } from "./batches.ts";
import { Findings, fakeGroup, fakeLife, persist, ready } from "./support.ts";

/** A replica that applies entries, and may be tampered with between them. */
class World {
  readonly findings = new Findings();
  readonly evictions: Eviction[] = [];
  readonly checker: Evictions;
  readonly machine = new ShardMachine();
  readonly life = fakeLife(1);
  readonly replica = fakeGroup({ machine: this.machine });

  constructor(options: EvictionsOptions = { expected: true, idleTtlMs: 1_000 }) {
    const onEviction = (eviction: Eviction) => void this.evictions.push(eviction);
    this.checker = new Evictions(this.findings, { ...options, onEviction });
    this.checker.opened(this.life, this.replica.group);
    this.enters(0, batch(2, 1, open()));
    this.enters(0, batch(3, 1, inSession(1, 1, set("k"))));
  }

  /** Proposed `atMs` and applied 5 ms later. `applied`: what the machine really got, when it is not the same. */
  enters(atMs: number, entry: DataEntry, applied: DataEntry = entry): void {
    this.findings.atMs = atMs;
    this.checker.ready(this.life, this.replica.group, ready({ persist: persist({ entries: [entry] }) }));
    this.findings.atMs = atMs + 5;
    this.machine.apply(logIndex(applied.index), applied.data);
    this.checker.applied(this.life, this.replica.group, entry);
  }
}

function evict(version: number, reason: EvictCommand["reason"] = "memory", key = "k"): SessionCommand {
  const command: EvictCommand = { type: "evict", reason, items: [{ key, version }] };
  return { session: 0, sequence: 0, lowWater: 0, command };
}

test("a removal is told of with what it removed and when", () => {
  const world = new World();
  world.enters(500, batch(4, 2, evict(1)));
  expect(world.findings.all).toEqual([]);
  expect(world.evictions).toEqual([
    { key: "k", version: 1, revision: 2, reason: "memory", proposedAtMs: 500, appliedAtMs: 505 },
  ]);
});

test("a removal that comes too late for its version removes nothing and is not told of", () => {
  const world = new World();
  world.enters(500, batch(4, 2, inSession(2, 2, set("k")), evict(1)));
  expect(world.findings.all).toEqual([]);
  expect(world.evictions).toEqual([]);
});

test("a removal where there are no limits is found", () => {
  const world = new World({});
  world.enters(500, batch(4, 2, evict(1)));
  expect(world.findings.messages).toEqual(["without limits no key is chosen for removal"]);
});

test("a key that goes in another version than the entry names is found", () => {
  const world = new World();
  world.enters(500, batch(4, 2, evict(7)), batch(4, 2, evict(1)));
  expect(world.findings.messages).toEqual(["a removal takes what its entry names, in that version"]);
});

test("a key that goes although the entry names another one is found", () => {
  const world = new World();
  world.enters(500, batch(4, 2, evict(1, "memory", "other")), batch(4, 2, evict(1)));
  expect(world.findings.messages).toEqual(["a removal takes what its entry names, in that version"]);
});

test("a key that goes as idle before its time is found, at its time it is fine", () => {
  const early = new World();
  early.enters(1_004, batch(4, 2, evict(1, "idle")));
  expect(early.findings.messages).toEqual(["a key goes as idle only after the idle time"]);
  const late = new World();
  late.enters(1_005, batch(4, 2, evict(1, "idle")));
  expect(late.findings.all).toEqual([]);
});

test("after an entry with more changes than a shard keeps, what it named may have been removed", () => {
  const world = new World();
  const many = Array.from({ length: 1_100 }, (_, at) => inSession(2 + at, 2, set(`key:${at}`)));
  world.enters(500, batch(4, 2, evict(1), ...many));
  expect(world.findings.all).toEqual([]);
  expect(world.evictions).toMatchObject([{ key: "k", version: 1, revision: null }]);
});
