import { describe, expect, it } from "vitest";
import type { NodeId } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { ProbeRing } from "../../src/swim/probe-ring.ts";
import { idOf } from "./virtual-network.ts";

const always = () => true;

describe("the probe ring", () => {
  it("visits everybody once a round, in an order that changes", () => {
    const ring = new ProbeRing(new Random(1, 2));
    for (let at = 0; at < 20; at++) ring.add(idOf(at));
    take(ring, 20);
    const rounds = [take(ring, 20), take(ring, 20)];
    for (const round of rounds) expect(new Set(round).size).toBe(20);
    expect(rounds[0]).not.toEqual(rounds[1]);
  });

  it("visits everybody within 2n - 1 steps, newcomers included", () => {
    const ring = new ProbeRing(new Random(3, 4));
    for (let at = 0; at < 10; at++) ring.add(idOf(at));
    take(ring, 4);
    ring.add(idOf(99));
    expect(take(ring, 21)).toContain(idOf(99));
  });

  it("visits nobody twice in a round because somebody came in", () => {
    const ring = new ProbeRing(new Random(6, 4));
    for (let at = 0; at < 10; at++) ring.add(idOf(at));
    const visited = take(ring, 5);
    for (let at = 20; at < 30; at++) ring.add(idOf(at));
    // Five of the old ones are still to come in this round, whoever came in before or after them.
    visited.push(...take(ring, 5));
    expect(new Set(visited).size).toBe(10);
  });

  it("does not take a member in twice", () => {
    const ring = new ProbeRing(new Random(5, 6));
    ring.add(idOf(1));
    ring.add(idOf(1));
    ring.add(idOf(2));
    expect(take(ring, 4).filter((id) => id === idOf(1))).toHaveLength(2);
  });

  it("drops those who are gone and takes them in again when they return", () => {
    const ring = new ProbeRing(new Random(7, 8));
    for (let at = 0; at < 5; at++) ring.add(idOf(at));
    const gone = new Set([idOf(2)]);
    const known = (id: NodeId) => !gone.has(id);
    const seen = Array.from({ length: 20 }, () => ring.next(known, always));
    expect(seen).not.toContain(idOf(2));
    expect(seen).not.toContain(null);
    ring.add(idOf(2));
    gone.clear();
    expect(take(ring, 9)).toContain(idOf(2));
  });

  it("skips those who are not wanted now, without dropping them", () => {
    const ring = new ProbeRing(new Random(9, 1));
    ring.add(idOf(1));
    expect(ring.next(always, () => false)).toBeNull();
    expect(ring.next(always, always)).toBe(idOf(1));
  });

  it("answers null when it is empty", () => {
    expect(new ProbeRing(new Random(1, 1)).next(always, always)).toBeNull();
  });
});

function take(ring: ProbeRing, count: number): (NodeId | null)[] {
  return Array.from({ length: count }, () => ring.next(always, always));
}
