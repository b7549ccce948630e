import { describe, expect, it } from "vitest";
import { formedFleet } from "../../../src/sim/swim-fleet/fleet-formation.ts";
import type { FleetMember } from "../../../src/sim/swim-fleet/fleet-member.ts";
import type { SwimFleetOptions } from "../../../src/sim/swim-fleet/fleet-options.ts";
import { SwimFleet } from "../../../src/sim/swim-fleet/swim-fleet.ts";

/** A lossy fleet in which one member crashes, one pauses and one joins. */
function history(seed: bigint, options: Partial<SwimFleetOptions> = {}): string {
  const fleet = formedFleet(24, { seed, lossRate: 0.02, ...options });
  const [first, second, third] = fleet.members as [FleetMember, FleetMember, FleetMember];
  fleet.later(2_500, () => fleet.crash(first));
  fleet.later(3_000, () => fleet.slow(second, "paused"));
  fleet.later(12_000, () => fleet.recover(second));
  fleet.later(15_000, () => fleet.act(fleet.start(), (swim) => swim.join(fleet.nowMs, [third.address])));
  fleet.runFor(30_000);
  return fleet.traceHash();
}

describe("a fleet", () => {
  it("has one history for one seed, and another for another", () => {
    const hash = history(77n);
    expect(history(77n)).toBe(hash);
    // Both halves of the seed count.
    expect(new Set([hash, history(78n), history(77n + (1n << 32n))]).size).toBe(3);
  });

  it("has another history when anything of it changes", () => {
    const hashes = [
      history(5n),
      history(5n, { lossRate: 0.03 }),
      history(5n, { delayMs: 0.6 }),
      history(5n, { buddySystem: false }),
      history(5n, { swim: { lhmMax: 1 } }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("is complete and quiet from its first moment", () => {
    const fleet = formedFleet(40, { seed: 1n });
    let events = 0;
    let idle = 0;
    fleet.observer = {
      event: (_nowMs, _observer, event) => (event.type === "exchange-completed" ? idle++ : events++),
    };
    expect(new Set(fleet.members.map(({ swim }) => swim.checksum())).size).toBe(1);
    expect(fleet.members.every(({ swim }) => swim.livingCount === 40)).toBe(true);
    const sentBefore = sent(fleet);
    fleet.runFor(10_000);
    expect(events).toBe(0);
    // A ping and an ack for each member and period, and nothing else.
    expect(Math.abs(sent(fleet) - sentBefore - 2 * 40 * 10)).toBeLessThanOrEqual(4);
    expect(idle).toBeGreaterThan(0);
  });

  it("forms by joining as well", () => {
    const fleet = new SwimFleet({ seed: 3n });
    const first = fleet.start();
    for (let count = 1; count < 20; count++) {
      fleet.act(fleet.start(), (swim) => swim.join(fleet.nowMs, [first.address]));
    }
    fleet.runFor(10_000);
    expect(fleet.members.map(({ swim }) => swim.livingCount)).toEqual(new Array(20).fill(20));
  });
});

describe("a slow member", () => {
  it("hears what came while it was paused at once when it runs again, and calls it a pause", () => {
    const fleet = formedFleet(16, { seed: 9n });
    const slow = fleet.members[4] as FleetMember;
    fleet.slow(slow, "paused");
    const before = { ...slow.swim.counters };
    fleet.runFor(5_000);
    expect(slow.swim.counters).toEqual(before);
    expect(slow.inbox.length).toBeGreaterThan(0);
    fleet.recover(slow);
    expect(slow.inbox).toEqual([]);
    expect(slow.swim.counters.packetsReceived).toBeGreaterThan(before.packetsReceived);
    expect(slow.swim.counters.pauses).toBe(before.pauses + 1);
  });

  it("goes on by itself while it is blocked, and takes the others for the silent ones", () => {
    const fleet = formedFleet(16, { seed: 9n });
    const slow = fleet.members[4] as FleetMember;
    fleet.slow(slow, "blocked");
    fleet.runFor(5_000);
    expect(slow.outbox.length).toBeGreaterThan(0);
    expect(slow.swim.counters.pauses).toBe(0);
    expect(slow.swim.counters.probesFailed).toBeGreaterThan(0);
    fleet.recover(slow);
    expect(slow.outbox).toEqual([]);
    fleet.runFor(20_000);
    expect(fleet.members.every(({ swim }) => swim.livingCount === 16)).toBe(true);
  });

  it("loses what does not fit its inbox", () => {
    const fleet = formedFleet(16, { seed: 9n, inboxMax: 3 });
    const slow = fleet.members[4] as FleetMember;
    fleet.slow(slow, "paused");
    fleet.runFor(10_000);
    expect(slow.inbox.length).toBe(3);
  });
});

function sent(fleet: SwimFleet): number {
  return fleet.members.reduce((sum, { swim }) => sum + swim.counters.packetsSent, 0);
}
