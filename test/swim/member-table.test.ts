import { describe, expect, it } from "vitest";
import { InvariantError } from "../../src/base/assert.ts";
import { Random } from "../../src/base/random.ts";
import type { Member, MemberState } from "../../src/swim/member.ts";
import { MemberTable } from "../../src/swim/member-table.ts";
import { idOf, metaOf } from "./virtual-network.ts";

describe("the member table", () => {
  it("finds a living member by its address, and forgets the address with its life", () => {
    const table = new MemberTable(10);
    table.set(member(1, "alive"));
    expect(table.livingAt({ host: "h", port: 1 })?.id).toBe(idOf(1));
    table.set(member(1, "dead"));
    expect(table.livingAt({ host: "h", port: 1 })).toBeUndefined();
  });

  it("holds one living member for each address", () => {
    const table = new MemberTable(10);
    table.set(member(1, "alive"));
    expect(() => table.set({ ...member(2, "alive"), address: { host: "h", port: 1 } })).toThrow(
      InvariantError,
    );
  });

  it("forgets the member that left the longest ago when it is full, then the one that died", () => {
    const table = new MemberTable(3);
    table.set(member(1, "dead", 10));
    table.set(member(2, "left", 30));
    table.set(member(3, "left", 20));
    expect(table.set(member(4, "alive"))).toBe(true);
    expect(table.get(idOf(3))).toBeUndefined();
    table.set(member(5, "alive"));
    expect(table.get(idOf(2))).toBeUndefined();
    table.set(member(6, "alive"));
    expect(table.get(idOf(1))).toBeUndefined();
    expect(table.size).toBe(3);
  });

  it("refuses a newcomer when it is full of living members", () => {
    const table = new MemberTable(2);
    table.set(member(1, "alive"));
    table.set(member(2, "suspect"));
    expect(table.set(member(3, "alive"))).toBe(false);
    expect(table.set({ ...member(1, "alive"), incarnation: 5 })).toBe(true);
    expect(table.size).toBe(2);
  });

  it("draws every other living member with equal chances, and nobody twice", () => {
    const table = new MemberTable(20);
    for (let at = 1; at <= 10; at++) table.set(member(at, at % 5 === 0 ? "dead" : "alive"));
    const random = new Random(1, 7);
    const drawn = new Map<string, number>();
    for (let round = 0; round < 7_000; round++) {
      const sample = table.sampleLiving(random, 3, idOf(1));
      expect(new Set(sample).size).toBe(3);
      for (const { id } of sample) drawn.set(id, (drawn.get(id) ?? 0) + 1);
    }
    // 3 of 7 eligible, 7,000 times: 3,000 each.
    expect(drawn.size).toBe(7);
    for (const count of drawn.values()) expect(Math.abs(count - 3_000)).toBeLessThan(200);
  });

  it("draws a dead member unless somebody lives at its address", () => {
    const table = new MemberTable(10);
    const random = new Random(2, 2);
    expect(table.sampleDead(random)).toBeUndefined();
    table.set(member(1, "dead"));
    table.set(member(2, "dead"));
    table.set({ ...member(3, "alive"), address: { host: "h", port: 1 } });
    for (let round = 0; round < 20; round++) expect(table.sampleDead(random)?.id).toBe(idOf(2));
  });

  it("remembers a grave until its time, and no more graves than members", () => {
    const table = new MemberTable(2);
    table.bury(idOf(1), 7, 1_000);
    expect(table.buriedAt(999, idOf(1))).toBe(7);
    expect(table.buriedAt(1_000, idOf(1))).toBe(-1);
    for (const at of [1, 2, 3]) table.bury(idOf(at), at, 5_000);
    expect([1, 2, 3].map((at) => table.buriedAt(0, idOf(at)))).toEqual([-1, 2, 3]);
  });

  it("has no grave for who is back", () => {
    const table = new MemberTable(5);
    table.bury(idOf(1), 7, 1_000);
    table.set({ ...member(1, "alive"), incarnation: 8 });
    expect(table.buriedAt(0, idOf(1))).toBe(-1);
  });

  it("turns members that left long ago into graves", () => {
    const table = new MemberTable(5);
    table.set(member(1, "left", 100));
    table.set(member(2, "left", 300));
    table.reapLeft(200, 900);
    expect(table.get(idOf(1))).toBeUndefined();
    expect(table.get(idOf(2))?.state).toBe("left");
    expect(table.buriedAt(0, idOf(1))).toBe(0);
  });
});

function member(number: number, state: MemberState, stateChangedAtMs = 0): Member {
  const address = { host: "h", port: number };
  const meta = metaOf(new Random(0, number), { id: idOf(number), address });
  return { id: meta.id, meta, address, state, incarnation: 0, stateChangedAtMs };
}
