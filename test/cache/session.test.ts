import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Command, SessionCommand } from "../../src/cache/command.ts";
import type { Reply } from "../../src/cache/reply.ts";
import { Session } from "../../src/cache/session.ts";
import { BOOT, faultOf, NODE, outside, ShardDriver, setCommand } from "./shard-driver.ts";

const increment: Command = { type: "increment", key: "n", by: 1 };

function once(
  shard: ShardDriver,
  sequence: number,
  lowWater: number,
  command: Command = increment,
): Reply | undefined {
  return shard.entry([{ session: shard.session, sequence, lowWater, command }])[0];
}

describe("sessions", () => {
  it("are numbered by the index of the entry that opens them", () => {
    const shard = new ShardDriver();
    expect(shard.session).toBe(1);
    shard.set("a", "1");
    expect(shard.open()).toBe(3);
  });

  it("have distinct numbers, for ever, when one entry opens several", () => {
    const shard = new ShardDriver();
    const open = outside({ type: "open-session", node: NODE, boot: BOOT });
    expect(shard.entry([open, open, open])).toEqual([2, 3, 4]);
    expect(shard.open()).toBe(5);
    expect(shard.open()).toBe(6);
  });

  it("apply a command once, however often it arrives", () => {
    const shard = new ShardDriver();
    const command: SessionCommand = { session: shard.session, sequence: 1, lowWater: 1, command: increment };
    expect(shard.entry([command, command])).toEqual([1, 1]);
    expect(shard.entry([command])).toEqual([1]);
    expect(shard.get("n")).toBe("1");
    expect(shard.machine.statistics).toMatchObject({ commandsApplied: 2, commandsReplayed: 2 });
  });

  it("replay the stored reply even when the state has moved on", () => {
    const shard = new ShardDriver();
    once(shard, 1, 1, { type: "get-delete", key: "x" });
    once(shard, 2, 1, setCommand("x", "1"));
    expect(once(shard, 1, 1, { type: "get-delete", key: "x" })).toBeNull();
    expect(shard.get("x")).toBe("1");
  });

  it("replay a refusal as it was", () => {
    const shard = new ShardDriver();
    once(shard, 1, 1, setCommand("n", "abc"));
    expect(faultOf(once(shard, 2, 1))).toBe("not-an-integer");
    once(shard, 3, 1, setCommand("n", "1"));
    expect(faultOf(once(shard, 2, 1))).toBe("not-an-integer");
  });

  it("take sequences in any order", () => {
    const shard = new ShardDriver();
    expect([3, 1, 2, 3, 1].map((sequence) => once(shard, sequence, 1))).toEqual([1, 2, 3, 1, 2]);
  });

  it("refuse what was acknowledged, applying nothing", () => {
    const shard = new ShardDriver();
    once(shard, 1, 1);
    once(shard, 3, 3);
    expect(faultOf(once(shard, 1, 1))).toBe("already-acknowledged");
    expect(faultOf(once(shard, 2, 1))).toBe("already-acknowledged");
    expect(faultOf(once(shard, 4, 9))).toBe("already-acknowledged");
    expect(shard.get("n")).toBe("2");
  });

  it("refuse a sequence too far above the low water", () => {
    const shard = new ShardDriver({ sessionWindowMax: 4 });
    expect(once(shard, 4, 1)).toBe(1);
    expect(faultOf(once(shard, 5, 1))).toBe("session-overrun");
    expect(once(shard, 5, 2)).toBe(2);
  });

  it("that are unknown apply nothing", () => {
    const shard = new ShardDriver();
    const [reply] = shard.entry([{ session: 99, sequence: 1, lowWater: 1, command: increment }]);
    expect(faultOf(reply)).toBe("session-expired");
    expect(faultOf(shard.entry([outside(increment)])[0])).toBe("session-expired");
    expect(shard.get("n")).toBeNull();
    expect(shard.machine.statistics.commandsRefused).toBe(2);
  });

  it("beyond the limit make the one that was silent longest be forgotten", () => {
    const shard = new ShardDriver({ sessionsMax: 2 });
    const first = shard.session;
    const second = shard.open();
    shard.set("a", "1");
    const third = shard.open();
    expect(shard.machine.sessionCount).toBe(2);
    const replies = [first, second, third].map(
      (session) => shard.entry([{ session, sequence: 9, lowWater: 9, command: increment }])[0],
    );
    expect([replies[0], faultOf(replies[1]), replies[2]]).toEqual([1, "session-expired", 2]);
  });

  it("are forgotten even when they spoke last", () => {
    const shard = new ShardDriver({ sessionsMax: 1 });
    once(shard, 1, 1);
    shard.open();
    expect(faultOf(once(shard, 2, 1))).toBe("session-expired");
  });

  it("of one node and boot are independent of each other", () => {
    const shard = new ShardDriver();
    const second = shard.open();
    once(shard, 1, 1);
    expect(shard.entry([{ session: second, sequence: 1, lowWater: 1, command: increment }])).toEqual([2]);
  });
});

describe("a session's replies", () => {
  it("agree with a plain map through any sequences and acknowledgements", () => {
    const step = fc.record({ ahead: fc.nat(300), acknowledge: fc.nat(40), apply: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const session = new Session(1, NODE, BOOT, 1);
        const plain = new Map<number, Reply>();
        for (const [at, { ahead, acknowledge, apply }] of steps.entries()) {
          if (!apply) {
            session.acknowledge(session.lowWater + acknowledge);
            for (const sequence of plain.keys()) if (sequence < session.lowWater) plain.delete(sequence);
          }
          const sequence = session.lowWater + ahead;
          expect(session.replyTo(sequence)).toBe(plain.get(sequence));
          if (apply && !plain.has(sequence)) {
            session.remember(sequence, at);
            plain.set(sequence, at);
          }
          expect([...session.replies()]).toEqual([...plain].sort(([left], [right]) => left - right));
        }
      }),
    );
  });

  it("never lower the low water", () => {
    const session = new Session(1, NODE, BOOT, 1);
    session.acknowledge(10);
    session.acknowledge(5);
    expect(session.lowWater).toBe(10);
    expect(() => session.remember(9, 1)).toThrow(/low water/);
  });
});
