import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../src/base/ids.ts";
import type { PlacementMember } from "../../src/placement/placement-member.ts";
import { planSystemVoters } from "../../src/placement/system-voters.ts";

const id = (number: number): NodeId => nodeId(number.toString(16).padStart(16, "0"));

function fleet(states: readonly PlacementMember["state"][], zones = 1): PlacementMember[] {
  return states.map((state, at) => ({ id: id(at), zone: `zone-${at % zones}`, weight: 1, state }));
}

const allAlive = (count: number) => Array.from({ length: count }, () => "alive" as const);

describe("planSystemVoters", () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
    [5, 5],
    [6, 5],
    [100, 5],
  ])("of %i live members %i vote", (members, voters) => {
    expect(planSystemVoters(fleet(allAlive(members)), [])).toHaveLength(voters);
  });

  it("keeps the voters it has", () => {
    const current = [id(7), id(3), id(5)];
    expect(planSystemVoters(fleet(allAlive(4 + 5)), current).slice(0, 3)).toEqual(current);
  });

  it("replaces a dead voter by a spare, and keeps it while there is none", () => {
    const four = fleet(["alive", "dead", "alive", "alive"]);
    expect(planSystemVoters(four, [id(0), id(1), id(2)])).toEqual([id(0), id(2), id(3)]);
    const three = fleet(["alive", "dead", "alive"]);
    expect(planSystemVoters(three, [id(0), id(1), id(2)])).toEqual([id(0), id(2), id(1)]);
    const two = fleet(["alive", "dead"]);
    expect(planSystemVoters(two, [id(0), id(1)])).toEqual([id(0), id(1)]);
  });

  it("is three that live rather than five of whom some are dead for good: it bears the next loss as well", () => {
    const five = [0, 1, 2, 3, 4].map(id);
    expect(planSystemVoters(fleet([...allAlive(4), "dead"]), five)).toEqual([id(0), id(1), id(2)]);
    expect(planSystemVoters(fleet(["dead", "alive", "alive", "dead", "alive"]), five)).toEqual(
      [1, 2, 4].map(id),
    );
    // Two that live would bear none, where three of five would still decide with one of the dead.
    expect(planSystemVoters(fleet(["alive", "alive", "dead", "dead", "dead"]), five)).toHaveLength(5);
  });

  it("drops a draining voter, unless the live would lose their majority", () => {
    expect(planSystemVoters(fleet(["alive", "draining"]), [id(0), id(1)])).toEqual([id(0)]);
    const all = [id(0), id(1), id(2)];
    expect(planSystemVoters(fleet(["alive", "draining", "dead"]), all)).toEqual(all);
  });

  it("spreads over zones, exchanging voters only where that helps", () => {
    const members = fleet(allAlive(9), 3);
    const zones = new Map(members.map((m) => [m.id, m.zone]));
    const oneZone = [id(0), id(3), id(6)];
    const planned = planSystemVoters(members.slice(0, 4).concat(members[6] ?? []), oneZone);
    expect(new Set(planned.map((voter) => zones.get(voter))).size).toBe(3);
    expect(planned).toContain(id(0));
  });

  it("keeps what it has when nobody is alive", () => {
    expect(planSystemVoters(fleet(["draining", "dead"]), [id(1), id(0)])).toEqual([id(1), id(0)]);
  });

  it("is sound and settled for any members and voters", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<PlacementMember["state"]>("alive", "dead", "draining"), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.uniqueArray(fc.nat(14), { maxLength: 5 }),
        (states, zones, current) => {
          const members = fleet(states, zones);
          const voters = planSystemVoters(members, current.map(id));
          const live = members.filter((m) => m.state === "alive").map((m) => m.id);
          expect(new Set(voters).size).toBe(voters.length);
          expect(planSystemVoters(members, voters)).toEqual(voters);
          if (live.length === 0) return;
          const liveVoters = voters.filter((voter) => live.includes(voter));
          expect(liveVoters.length).toBeGreaterThanOrEqual(1);
          if (voters.length > liveVoters.length)
            expect(live.every((node) => liveVoters.includes(node))).toBe(true);
          const perZone = [...new Set(members.filter((m) => m.state === "alive").map((m) => m.zone))].map(
            (zone) => ({
              voters: liveVoters.filter((voter) => members.find((m) => m.id === voter)?.zone === zone).length,
              full: members.every((m) => m.zone !== zone || m.state !== "alive" || liveVoters.includes(m.id)),
            }),
          );
          const most = Math.max(...perZone.map((zone) => zone.voters));
          for (const zone of perZone) if (!zone.full) expect(zone.voters).toBeGreaterThanOrEqual(most - 1);
        },
      ),
      { numRuns: 500 },
    );
  });
});
