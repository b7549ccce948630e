import { describe, expect, it } from "vitest";
import { VirtualNetwork, type VirtualNode } from "./virtual-network.ts";

describe("a crash", () => {
  it("is first suspected, then declared, once, by everybody, with the reason", () => {
    const network = VirtualNetwork.group(5);
    const victim = network.node(2);
    network.crash(victim);
    expect(network.runUntil(() => network.converged(), 60_000)).toBe(true);
    network.run(60_000);
    for (const node of living(network)) {
      const types = node.events.map((entry) => entry.event.type).filter((type) => type.startsWith("member"));
      expect(types).toEqual(["member-suspected", "member-died"]);
      expect(network.eventsOf(node, "member-died")).toMatchObject([
        { member: { id: victim.id }, reason: "unreachable" },
      ]);
    }
  });

  it("of 3 in 100 members is seen by all, and nobody else is ever declared dead", () => {
    const network = VirtualNetwork.group(100);
    const victims = [network.node(5), network.node(50), network.node(95)];
    for (const victim of victims) network.crash(victim);
    expect(network.runUntil(() => network.converged(), 60_000)).toBe(true);
    network.run(60_000);
    const expected = new Set(victims.map((victim) => victim.id));
    for (const node of living(network)) {
      const dead = node.events.flatMap(({ event }) =>
        event.type === "member-died" ? [event.member.id] : [],
      );
      expect(dead).toHaveLength(3);
      expect(new Set(dead)).toEqual(expected);
    }
  });

  it("is declared the sooner the more members confirm it", () => {
    const withConfirmations = detectionMs(VirtualNetwork.group(20));
    // Suspicions are not spread: nobody confirms.
    const alone = VirtualNetwork.group(20);
    alone.passes = (_from, _to, packet) => packet.messages.every((message) => message.type !== "suspect");
    expect(withConfirmations).toBeLessThan(15_000);
    expect(detectionMs(alone)).toBeGreaterThan(2 * withConfirmations);
  });

  it("is found at once when the host sees the link break", () => {
    const network = VirtualNetwork.group(50);
    const [watcher, victim] = [network.node(0), network.node(30)];
    network.crash(victim);
    const startMs = network.nowMs;
    network.act(watcher, (swim) => swim.probeNow(network.nowMs, victim.id));
    network.runUntil(() => watcher.swim.member(victim.id)?.state === "suspect", 60_000);
    expect(network.nowMs - startMs).toBeLessThanOrEqual(1_010);
  });

  it("is not declared because the host asked for a probe of a living member", () => {
    const network = VirtualNetwork.group(3);
    network.act(network.node(0), (swim) => swim.probeNow(network.nowMs, network.node(1).id));
    network.run(20_000);
    expect(network.eventsOf(network.node(0), "member-suspected")).toEqual([]);
  });
});

describe("indirect pings", () => {
  it("save a pair whose direct path is cut", () => {
    const network = VirtualNetwork.group(6, { swim: { streamPing: false } });
    const cut = (from: number, to: number) => !(from < 2 && to < 2);
    network.passes = (from, to) => cut(from, to);
    network.run(300_000);
    for (const node of network.nodes) expect(network.eventsOf(node, "member-suspected")).toEqual([]);
    // The same pair without relays does suspect each other.
    const alone = VirtualNetwork.group(6, { swim: { streamPing: false, indirectProbes: 0 } });
    alone.passes = (from, to) => cut(from, to);
    alone.run(60_000);
    expect(alone.eventsOf(alone.node(0), "member-suspected").length).toBeGreaterThan(0);
  });

  it("are answered by a nack well before the asker gives up", () => {
    const network = VirtualNetwork.group(6);
    network.crash(network.node(5));
    const seen: { readonly type: string; readonly atMs: number }[] = [];
    network.onPacket = ({ atMs, packet }) => {
      for (const { type } of packet.messages) {
        if (type === "ping-request" || type === "nack") seen.push({ type, atMs });
      }
    };
    network.runUntil(() => seen.filter((entry) => entry.type === "nack").length === 3, 60_000);
    const [asked] = seen.filter((entry) => entry.type === "ping-request");
    for (const nack of seen.filter((entry) => entry.type === "nack")) {
      // 80 % of the ping timeout, and at most 5 ms on the way.
      expect(nack.atMs - (asked?.atMs ?? 0)).toBeGreaterThanOrEqual(400);
      expect(nack.atMs - (asked?.atMs ?? 0)).toBeLessThanOrEqual(406);
    }
  });
});

describe("the stream ping", () => {
  it("saves a pair whose datagrams are blocked", () => {
    const network = VirtualNetwork.group(2);
    network.passes = () => false;
    network.run(300_000);
    expect(network.streamPings).toBeGreaterThan(100);
    for (const node of network.nodes) expect(network.eventsOf(node, "member-suspected")).toEqual([]);
    network.streamPasses = () => false;
    expect(network.runUntil(() => network.node(0).swim.livingCount === 1, 60_000)).toBe(true);
  });

  it("answered by another process at the same address does not count", () => {
    const network = VirtualNetwork.group(2, { swim: { indirectProbes: 0 } });
    const [watcher, victim] = [network.node(0), network.node(1)];
    network.crash(victim);
    network.start({ address: victim.address });
    network.passes = () => false;
    expect(network.runUntil(() => watcher.swim.member(victim.id)?.state === "suspect", 10_000)).toBe(true);
  });
});

describe("a suspect", () => {
  it("is told in the ping to it, before it is asked, and its ack carries the refutation", () => {
    const network = VirtualNetwork.group(3);
    const [accuser, accused] = [network.node(0), network.node(1)];
    const { id, incarnation } = accused.swim.self;
    const suspect = { type: "suspect" as const, member: id, incarnation, accuser: network.node(2).id };
    // It hears of it by no other way than the ping.
    network.passes = (_from, to, packet) =>
      to !== accused.index || packet.messages.some((message) => message.type === "ping");
    const told: string[][] = [];
    const answers: unknown[] = [];
    network.onPacket = ({ from, to, packet }) => {
      if (from === accuser.address && to === accused.address && told.length === 0) {
        told.push(packet.messages.map((message) => message.type));
      }
      if (from === accused.address && to === accuser.address) answers.push(packet.messages);
    };
    network.act(accuser, (swim) =>
      swim.receive(network.nowMs, network.node(2).address, {
        sender: network.node(2).id,
        clusterId: null,
        messages: [suspect],
      }),
    );
    network.act(accuser, (swim) => swim.probeNow(network.nowMs, id));
    expect(told[0]?.slice(0, 2)).toEqual(["suspect", "ping"]);
    network.runUntil(() => answers.length > 0, 1_000);
    expect(answers[0]).toMatchObject([{ type: "ack" }, { type: "alive", incarnation: incarnation + 1 }]);
    expect(network.runUntil(() => accuser.swim.member(id)?.state === "alive", 1_000)).toBe(true);
    expect(network.eventsOf(accuser, "member-refuted")).toHaveLength(1);
    expect(network.eventsOf(accuser, "member-died")).toEqual([]);
  });

  it("that was cut off for a while refutes once it is back, and nobody declares it dead", () => {
    const network = VirtualNetwork.group(10);
    const cut = network.node(4);
    network.partition((index) => (index === cut.index ? 1 : 0));
    const suspected = () => living(network).filter((node) => node.swim.member(cut.id)?.state === "suspect");
    expect(network.runUntil(() => suspected().length >= 5, 30_000)).toBe(true);
    network.heal();
    expect(network.runUntil(() => suspected().length === 0, 10_000)).toBe(true);
    network.run(60_000);
    for (const node of network.nodes) expect(network.eventsOf(node, "member-died")).toEqual([]);
  });
});

describe("a process that did not run for a minute", () => {
  it("blames nobody when it wakes, and the others take it back", () => {
    const network = VirtualNetwork.group(10);
    const sleeper = network.node(7);
    // One suspicion runs while it falls asleep.
    network.crash(network.node(1));
    const suspects = () => sleeper.swim.member(network.node(1).id)?.state === "suspect";
    expect(network.runUntil(suspects, 30_000)).toBe(true);
    sleeper.paused = true;
    network.run(60_000);
    expect(network.node(0).swim.member(sleeper.id)?.state).toBe("dead");
    sleeper.events.length = 0;
    network.resume(sleeper);
    network.run(0);
    expect(sleeper.swim.counters.pauses).toBe(1);
    expect(sleeper.swim.localHealth).toBeGreaterThan(0);
    expect(sleeper.events).toEqual([]);
    const back = () => living(network).every((node) => node.swim.livingCount === 9);
    expect(network.runUntil(back, 30_000)).toBe(true);
    expect(network.eventsOf(sleeper, "member-died")).toHaveLength(1);
  });
});

function living(network: VirtualNetwork): VirtualNode[] {
  return network.nodes.filter((node) => node.up);
}

/** How long it takes until everybody holds a crashed member for dead. */
function detectionMs(network: VirtualNetwork): number {
  const startMs = network.nowMs;
  network.crash(network.node(11));
  const dead = () => living(network).every((node) => node.swim.member(network.node(11).id)?.state === "dead");
  expect(network.runUntil(dead, 300_000)).toBe(true);
  return network.nowMs - startMs;
}
