import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootNonce, shardId } from "../../src/base/ids.ts";
import { MEMBERS_MAX, REMOVED_MEMBERS_MAX } from "../../src/base/limits.ts";
import {
  type ClusterMap,
  findMember,
  isWantedAnywhere,
  type MemberIdentity,
} from "../../src/cluster/cluster-map.ts";
import type { MapCommand, MapResult } from "../../src/cluster/map-command.ts";
import { applyMapCommand, MapMachine, RECOVERY_VERSION_STEP } from "../../src/cluster/map-machine.ts";
import { identityOf, idOf, mapOf } from "./example-map.ts";

const OTHER_BOOT = bootNonce("ffffffffffffffff");

function machineOf(founders: number, shards = 4): MapMachine {
  return new MapMachine(mapOf(founders, shards));
}

function mapIn(machine: MapMachine): ClusterMap {
  if (machine.map === null) throw new Error("the machine holds a map");
  return machine.map;
}

function stateOf(machine: MapMachine, number: number): string | undefined {
  return findMember(mapIn(machine), idOf(number))?.state;
}

function refusal(result: MapResult): string {
  return result.type === "refused" ? result.reason : result.type;
}

function join(number: number, changes: Partial<MemberIdentity> = {}): MapCommand {
  const formerBoots = changes.boot === undefined ? [] : [identityOf(number).boot];
  return { type: "add-member", member: identityOf(number, changes), formerBoots };
}

function mark(number: number, state: "alive" | "dead" | "draining"): MapCommand {
  return { type: "set-member-state", nodeId: idOf(number), boot: identityOf(number).boot, state };
}

/** Wants every shard and the system group on these members only. */
function wantOnly(machine: MapMachine, ...numbers: number[]): MapResult {
  const wanted = numbers.map(idOf);
  const shards = mapIn(machine).shards.map((_, shard) => ({ shard: shardId(shard), wanted }));
  return machine.apply({ type: "set-placement", shards, systemVoters: wanted });
}

describe("joining", () => {
  it("a new member is alive and remembers the version that listed it", () => {
    const machine = machineOf(1);
    expect(machine.apply(join(7))).toEqual({ type: "applied", version: 2 });
    expect(findMember(mapIn(machine), idOf(7))).toEqual({
      ...identityOf(7),
      state: "alive",
      joinedAtVersion: 2,
    });
  });

  it("members are listed by ascending id in whatever order they join", () => {
    const machine = machineOf(1);
    for (const number of [9, 3, 300, 5]) machine.apply(join(number));
    expect(mapIn(machine).members.map(({ nodeId }) => nodeId)).toEqual([1, 3, 5, 9, 300].map(idOf));
  });

  it("joining twice changes nothing, not even the version", () => {
    const machine = machineOf(1);
    machine.apply(join(2));
    const before = machine.map;
    expect(machine.apply(join(2))).toEqual({ type: "applied", version: 2 });
    expect(machine.map).toBe(before);
  });

  it("a repeated join of a member that was marked dead or draining leaves the mark", () => {
    const machine = machineOf(2);
    machine.apply(mark(2, "dead"));
    machine.apply(join(2));
    expect(stateOf(machine, 2)).toBe("dead");
    machine.apply(mark(2, "draining"));
    machine.apply(join(2));
    expect(stateOf(machine, 2)).toBe("draining");
  });

  it("a new id at a member's address proves that member dead, in the same command", () => {
    const machine = machineOf(3);
    const version = machine.map?.version ?? 0;
    machine.apply(join(4, { address: identityOf(2).address }));
    expect(mapIn(machine).version).toBe(version + 1);
    expect([1, 2, 3, 4].map((number) => stateOf(machine, number))).toEqual([
      "alive",
      "dead",
      "alive",
      "alive",
    ]);
  });

  it("a restarted process at its own address takes its id over and is alive, as old as before", () => {
    const machine = machineOf(3);
    machine.apply(mark(2, "draining"));
    expect(machine.apply(join(2, { boot: OTHER_BOOT, respPort: 1 })).type).toBe("applied");
    expect(findMember(mapIn(machine), idOf(2))).toMatchObject({
      boot: OTHER_BOOT,
      respPort: 1,
      state: "alive",
      joinedAtVersion: 1,
    });
  });

  it("another process with a held id is refused unless somebody vouches that the holder is gone", () => {
    const machine = machineOf(3);
    const member = identityOf(2, { boot: OTHER_BOOT, address: { host: "10.9.9.9", port: 1 } });
    expect(refusal(machine.apply({ type: "add-member", member, formerBoots: [] }))).toBe("id-in-use");
    expect(refusal(machine.apply({ type: "add-member", member, formerBoots: [OTHER_BOOT] }))).toBe(
      "id-in-use",
    );
    const formerBoots = [identityOf(1).boot, identityOf(2).boot];
    expect(refusal(machine.apply({ type: "add-member", member, formerBoots }))).toBe("applied");
    expect(findMember(mapIn(machine), idOf(2))).toMatchObject(member);
  });

  // Found by simulation: a join of the first life, delayed, made the map forget that the second one was draining.
  it("what a former life said of itself and comes late changes nothing", () => {
    const machine = machineOf(3);
    const late: MapCommand = { type: "add-member", member: identityOf(2), formerBoots: [] };
    machine.apply(join(2, { boot: OTHER_BOOT }));
    machine.apply({ type: "set-member-state", nodeId: idOf(2), boot: OTHER_BOOT, state: "draining" });
    expect(refusal(machine.apply(late))).toBe("id-in-use");
    expect(findMember(mapIn(machine), idOf(2))).toMatchObject({ boot: OTHER_BOOT, state: "draining" });
  });

  it("an id that was removed never comes back", () => {
    const machine = machineOf(3);
    wantOnly(machine, 1, 3);
    machine.apply(mark(2, "dead"));
    machine.apply({ type: "remove-member", nodeId: idOf(2) });
    expect(refusal(machine.apply(join(2)))).toBe("removed");
    expect(refusal(machine.apply(join(2, { boot: OTHER_BOOT })))).toBe("removed");
  });

  it("the map takes no more members than its limit", () => {
    const machine = machineOf(1, 1);
    const member = (number: number) => ({
      ...identityOf(number),
      state: "alive" as const,
      joinedAtVersion: 1,
    });
    const members = Array.from({ length: MEMBERS_MAX }, (_, at) => member(at + 1));
    machine.restore({ ...mapIn(machine), members });
    expect(refusal(machine.apply(join(MEMBERS_MAX + 1)))).toBe("too-many-members");
    expect(refusal(machine.apply(join(5, { boot: OTHER_BOOT })))).toBe("applied");
  });
});

describe("changing a member", () => {
  it("a new address, door or weight of the same process is an update that keeps its state", () => {
    const machine = machineOf(2);
    machine.apply(mark(2, "draining"));
    const member = identityOf(2, { address: { host: "10.9.9.9", port: 1 }, weight: 2, httpPort: 0 });
    machine.apply({ type: "update-member", member });
    expect(findMember(mapIn(machine), idOf(2))).toEqual({ ...member, state: "draining", joinedAtVersion: 1 });
  });

  it("an update that says nothing new changes nothing", () => {
    const machine = machineOf(2);
    const before = machine.map;
    machine.apply({ type: "update-member", member: identityOf(2) });
    machine.apply(mark(2, "alive"));
    machine.apply({ type: "set-settings", settings: { rebalancePaused: false } });
    machine.apply({ type: "set-placement", shards: [], systemVoters: null });
    const { shards, systemVoters } = mapIn(machine);
    const same = shards.map(({ wanted }, shard) => ({ shard: shardId(shard), wanted: [...wanted] }));
    machine.apply({ type: "set-placement", shards: same, systemVoters: [...systemVoters] });
    expect(machine.map).toBe(before);
  });

  it("a verdict over a former process never hits its successor", () => {
    const machine = machineOf(2);
    machine.apply(join(2, { boot: OTHER_BOOT }));
    expect(refusal(machine.apply(mark(2, "dead")))).toBe("stale-boot");
    expect(refusal(machine.apply({ type: "update-member", member: identityOf(2) }))).toBe("stale-boot");
    expect(stateOf(machine, 2)).toBe("alive");
  });

  it("strangers have no state", () => {
    const machine = machineOf(2);
    expect(refusal(machine.apply(mark(9, "dead")))).toBe("unknown-member");
    expect(refusal(machine.apply({ type: "update-member", member: identityOf(9) }))).toBe("unknown-member");
  });
});

describe("removing a member", () => {
  it("is refused while the member is alive, or wanted by a shard, or wanted by the system group", () => {
    const remove: MapCommand = { type: "remove-member", nodeId: idOf(2) };
    const machine = machineOf(3);
    expect(refusal(machine.apply(remove))).toBe("still-alive");
    machine.apply(mark(2, "dead"));
    expect(refusal(machine.apply(remove))).toBe("still-wanted");
    wantOnly(machine, 1, 3);
    machine.apply({ type: "set-placement", shards: [], systemVoters: [idOf(2)] });
    expect(refusal(machine.apply(remove))).toBe("still-wanted");
    machine.apply({ type: "set-placement", shards: [], systemVoters: [idOf(1)] });
    expect(refusal(machine.apply(remove))).toBe("applied");
    expect(mapIn(machine).removed).toEqual([idOf(2)]);
    expect(stateOf(machine, 2)).toBeUndefined();
  });

  it("of nobody is done already", () => {
    const machine = machineOf(1);
    expect(machine.apply({ type: "remove-member", nodeId: idOf(9) })).toEqual({
      type: "applied",
      version: 1,
    });
  });

  it("is remembered for the latest members only", () => {
    const machine = machineOf(1, 1);
    for (let number = 2; number < REMOVED_MEMBERS_MAX + 12; number++) {
      machine.apply(join(number));
      machine.apply(mark(number, "dead"));
      machine.apply({ type: "remove-member", nodeId: idOf(number) });
    }
    const { removed } = mapIn(machine);
    expect(removed.length).toBe(REMOVED_MEMBERS_MAX);
    expect(removed.at(-1)).toBe(idOf(REMOVED_MEMBERS_MAX + 11));
    expect(removed[0]).toBe(idOf(12));
  });
});

describe("placing replicas", () => {
  it("changes the shards named and shares all the rest", () => {
    const machine = machineOf(3);
    const before = mapIn(machine);
    const wanted = [idOf(3), idOf(1)];
    machine.apply({ type: "set-placement", shards: [{ shard: shardId(2), wanted }], systemVoters: null });
    const after = mapIn(machine);
    expect(after.shards[2]).toEqual({ founding: before.shards[2]?.founding, wanted });
    for (const shard of [0, 1, 3]) expect(after.shards[shard]).toBe(before.shards[shard]);
    expect(after.members).toBe(before.members);
    expect(after.systemVoters).toBe(before.systemVoters);
    expect(after.version).toBe(before.version + 1);
  });

  it("shares the list of shards when only members change", () => {
    const machine = machineOf(3);
    const { shards } = mapIn(machine);
    machine.apply(join(4));
    machine.apply(mark(2, "dead"));
    expect(machine.map?.shards).toBe(shards);
  });

  it.each([
    ["no replica", []],
    ["a node twice", [1, 1]],
    ["a stranger", [1, 9]],
    ["more than seven", [1, 2, 3, 4, 5, 6, 7, 8]],
  ])("refuses %s, and then changes nothing at all", (_, numbers) => {
    const machine = machineOf(8);
    const before = machine.map;
    const shards = [
      { shard: shardId(0), wanted: [idOf(1)] },
      { shard: shardId(1), wanted: numbers.map(idOf) },
    ];
    const command: MapCommand = { type: "set-placement", shards, systemVoters: [idOf(1)] };
    expect(refusal(machine.apply(command))).toBe("bad-placement");
    expect(machine.map).toBe(before);
  });

  it("refuses a shard that is not there and system voters that cannot be", () => {
    const machine = machineOf(8);
    const beyond: MapCommand = {
      type: "set-placement",
      shards: [{ shard: shardId(4), wanted: [idOf(1)] }],
      systemVoters: null,
    };
    expect(refusal(machine.apply(beyond))).toBe("bad-placement");
    for (const numbers of [[], [1, 1], [9], [1, 2, 3, 4, 5, 6]]) {
      const systemVoters = numbers.map(idOf);
      const command: MapCommand = { type: "set-placement", shards: [], systemVoters };
      expect(refusal(machine.apply(command))).toBe("bad-placement");
    }
  });
});

describe("the machine", () => {
  it("refuses everything until it is filled", () => {
    const machine = new MapMachine(null);
    expect(refusal(machine.apply(join(1)))).toBe("no-map");
    expect(machine.snapshot()).toBeNull();
    const map = mapOf(1);
    machine.restore(map);
    expect(machine.snapshot()).toBe(map);
    expect(refusal(machine.apply(join(2)))).toBe("applied");
  });

  it("tells of every change once, and of nothing else", () => {
    const machine = machineOf(1);
    const versions: number[] = [];
    machine.onChange = (map) => versions.push(map.version);
    machine.apply(join(2));
    machine.apply(join(2));
    machine.apply(mark(9, "dead"));
    machine.apply({ type: "set-settings", settings: { rebalancePaused: true } });
    machine.restore(mapOf(3));
    expect(versions).toEqual([2, 3, 1]);
  });

  it("keeps every map valid whatever is proposed, and never changes one it has handed out", () => {
    const number = fc.integer({ min: 1, max: 6 });
    const numbers = fc.array(number, { maxLength: 5 });
    const command: fc.Arbitrary<MapCommand> = fc.oneof(
      fc
        .tuple(number, number, fc.boolean(), fc.boolean())
        .map(([who, where, restarted, vouched]): MapCommand => {
          const boot = restarted ? OTHER_BOOT : identityOf(who).boot;
          const member = identityOf(who, { boot, address: identityOf(where).address });
          return { type: "add-member", member, formerBoots: vouched ? [identityOf(who).boot] : [] };
        }),
      fc.tuple(number, fc.constantFrom("alive", "dead", "draining")).map(([who, state]) => mark(who, state)),
      number.map((who): MapCommand => ({ type: "remove-member", nodeId: idOf(who) })),
      fc.tuple(fc.integer({ min: 0, max: 4 }), numbers, fc.option(numbers)).map(
        ([shard, wanted, voters]): MapCommand => ({
          type: "set-placement",
          shards: [{ shard: shardId(shard), wanted: wanted.map(idOf) }],
          systemVoters: voters === null ? null : voters.map(idOf),
        }),
      ),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        let map = mapOf(2);
        const removed = new Set<string>();
        for (const next of commands) {
          const frozen = JSON.stringify(map);
          const outcome = applyMapCommand(map, next);
          expect(JSON.stringify(map)).toBe(frozen);
          if ("type" in outcome) continue;
          expect(outcome.version).toBe(outcome === map ? map.version : map.version + 1);
          const ids = outcome.members.map(({ nodeId }) => nodeId);
          expect(ids).toEqual([...new Set(ids)].sort());
          const named = [...outcome.systemVoters, ...outcome.shards.flatMap(({ wanted }) => wanted)];
          for (const node of named) expect(ids).toContain(node);
          for (const node of map.members.map(({ nodeId }) => nodeId)) {
            if (ids.includes(node)) continue;
            expect(isWantedAnywhere(map, node)).toBe(false);
            removed.add(node);
          }
          for (const node of removed) expect(ids).not.toContain(node);
          expect(outcome.shards.map(({ founding }) => founding)).toEqual(
            map.shards.map(({ founding }) => founding),
          );
          map = outcome;
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("members that are lost for good", () => {
  const lose = (...numbers: number[]): MapCommand => ({
    type: "remove-lost",
    lost: numbers.map(idOf),
    shards: [],
    systemVoters: [idOf(3)],
  });

  it("are removed at once, wanted or not, and never taken in again", () => {
    const machine = machineOf(3);
    const before = mapIn(machine).version;
    expect(machine.apply(lose(1, 2))).toEqual({ type: "applied", version: before + RECOVERY_VERSION_STEP });
    const map = mapIn(machine);
    expect(map.members.map(({ nodeId }) => nodeId)).toEqual([idOf(3)]);
    expect(map.removed).toEqual([idOf(1), idOf(2)]);
    expect(map.systemVoters).toEqual([idOf(3)]);
    expect(map.placementVersion).toBe(map.version);
    for (const { wanted } of map.shards) expect(wanted).toEqual([idOf(3)]);
    expect(refusal(machine.apply(join(1, { boot: OTHER_BOOT })))).toBe("removed");
  });

  it("are removed once, however often it is said", () => {
    const machine = machineOf(3);
    machine.apply(lose(1, 2));
    const { version } = mapIn(machine);
    expect(machine.apply(lose(1, 2))).toEqual({ type: "applied", version });
  });

  it("leave no shard without a place to be", () => {
    const machine = machineOf(4);
    wantOnly(machine, 1, 2);
    const before = mapIn(machine);
    expect(refusal(machine.apply(lose(1, 2)))).toBe("bad-placement");
    expect(mapIn(machine)).toBe(before);
    const shards = before.shards.map((_, shard) => ({ shard: shardId(shard), wanted: [idOf(4)] }));
    const told: MapCommand = {
      type: "remove-lost",
      lost: [idOf(1), idOf(2)],
      shards,
      systemVoters: [idOf(3)],
    };
    expect(refusal(machine.apply(told))).toBe("applied");
    for (const { wanted } of mapIn(machine).shards) expect(wanted).toEqual([idOf(4)]);
  });

  it("are not all there are", () => {
    const machine = machineOf(3);
    expect(refusal(machine.apply(lose(1, 2, 3)))).toBe("bad-placement");
  });
});
