import { describe, expect, it } from "vitest";
import { clusterId } from "../../src/base/ids.ts";
import type { MemberMeta } from "../../src/swim/member.ts";
import { VirtualNetwork, type VirtualNode } from "./virtual-network.ts";

const RED = clusterId("00000000000000aa");
const BLUE = clusterId("00000000000000bb");

describe("a restarted process at the same address under a new id", () => {
  it("proves the old one dead at once, everywhere", () => {
    const network = VirtualNetwork.group(10);
    const old = network.node(4);
    network.crash(old);
    const fresh = network.start({ address: old.address });
    const startMs = network.nowMs;
    network.join(fresh, [network.node(0).address]);
    expect(network.runUntil(() => network.converged(), 5_000)).toBe(true);
    expect(network.nowMs - startMs).toBeLessThan(3_000);
    network.run(60_000);
    for (const node of network.nodes.filter((other) => other.up && other !== fresh)) {
      expect(network.eventsOf(node, "member-died")).toMatchObject([
        { member: { id: old.id }, reason: "replaced" },
      ]);
      expect(network.eventsOf(node, "member-suspected")).toEqual([]);
    }
  });

  it("is found without joining anybody: whoever pings the old one meets it", () => {
    const network = VirtualNetwork.group(5);
    const old = network.node(0);
    network.crash(old);
    network.start({ address: old.address });
    // It knows no seed, as a founder does not; the others find it, and it learns of them.
    expect(network.runUntil(() => network.converged(), 15_000)).toBe(true);
    expect(network.eventsOf(network.node(1), "member-died")).toMatchObject([
      { member: { id: old.id }, reason: "replaced" },
    ]);
  });

  it("is not killed by stale hearsay of the old one", () => {
    const network = VirtualNetwork.group(3);
    const [watcher, current] = [network.node(0), network.node(1)];
    const ghost = { ...metaLike(network, current), address: current.address };
    const claim = { type: "alive" as const, incarnation: 3, meta: ghost };
    const packet = { sender: network.node(2).id, clusterId: null, messages: [claim] };
    network.act(watcher, (swim) => swim.receive(network.nowMs, network.node(2).address, packet));
    network.run(60_000);
    expect(watcher.swim.member(ghost.id)).toBeUndefined();
    expect(watcher.swim.counters.addressConflicts).toBe(1);
    for (const node of network.nodes) expect(network.eventsOf(node, "member-died")).toEqual([]);
  });

  it("is believed by hearsay when the address itself confirms it", () => {
    const network = VirtualNetwork.group(4);
    const [watcher, old] = [network.node(0), network.node(1)];
    network.crash(old);
    const fresh = network.start({ address: old.address });
    const claim = { type: "alive" as const, incarnation: 0, meta: fresh.swim.self.meta };
    const packet = { sender: network.node(2).id, clusterId: null, messages: [claim] };
    network.act(watcher, (swim) => swim.receive(network.nowMs, network.node(2).address, packet));
    network.runUntil(() => watcher.swim.member(fresh.id) !== undefined, 50);
    expect(watcher.swim.member(fresh.id)?.state).toBe("alive");
    expect(watcher.swim.member(old.id)?.state).toBe("dead");
  });
});

describe("one id held by two processes", () => {
  it("is reported by the newcomer and by others, and the incumbent is kept", () => {
    const network = VirtualNetwork.group(5);
    const incumbent = network.node(2);
    const clone = network.start({ id: incumbent.id });
    network.join(clone, [network.node(0).address]);
    network.run(60_000);
    for (const node of [clone, network.node(0)]) {
      const [event] = network.eventsOf(node, "id-conflict");
      expect(event).toMatchObject({ id: incumbent.id });
    }
    for (const index of [0, 1, 3, 4]) {
      const member = network.node(index).swim.member(incumbent.id);
      expect(member?.meta.nonce).toBe(incumbent.swim.self.meta.nonce);
      expect(member?.state).toBe("alive");
    }
    // Reported again while it lasts, but not with every packet.
    const reports = network.eventsOf(network.node(0), "id-conflict").length;
    expect(reports).toBeLessThanOrEqual(7);
  });

  it("is taken over once the incumbent is dead", () => {
    const network = VirtualNetwork.group(5);
    const incumbent = network.node(2);
    network.crash(incumbent);
    const moved = network.start({ id: incumbent.id });
    network.join(moved, [network.node(0).address]);
    const known = () => network.node(1).swim.member(moved.id);
    const back = () => known()?.state === "alive" && known()?.meta.nonce === moved.swim.self.meta.nonce;
    // One probe, without the suspicion that would follow it where nobody claimed to be this member.
    expect(network.runUntil(back, 3_000)).toBe(true);
    expect(network.runUntil(() => network.converged(), 10_000)).toBe(true);
  });
});

describe("the same id at the same address with a new nonce", () => {
  it("is a restart: known at once with its new metadata, and nobody is declared dead", () => {
    const network = VirtualNetwork.group(5);
    const before = network.node(3);
    network.act(before, (swim) => swim.updateMeta(network.nowMs, { ...before.swim.self.meta, weight: 4 }));
    network.run(5_000);
    network.crash(before);
    for (const node of network.nodes) node.events.length = 0;
    const after = network.start({ id: before.id, address: before.address, name: "again" });
    network.join(after, [network.node(0).address]);
    expect(network.runUntil(() => network.converged(), 5_000)).toBe(true);
    for (const node of network.nodes.filter((other) => other.up && other !== after)) {
      expect(network.eventsOf(node, "member-updated")).toMatchObject([
        { member: { meta: { name: "again" } }, previous: { nonce: before.swim.self.meta.nonce } },
      ]);
      expect(network.eventsOf(node, "member-died")).toEqual([]);
    }
  });
});

describe("a change of metadata", () => {
  it("reaches everybody under a new incarnation, as an update", () => {
    const network = VirtualNetwork.group(20);
    const changed = network.node(8);
    const before = changed.swim.self;
    const meta: MemberMeta = { ...before.meta, weight: 9, zone: "b" };
    network.act(changed, (swim) => swim.updateMeta(network.nowMs, meta));
    const informed = (node: VirtualNode) => node.swim.member(changed.id)?.meta.weight === 9;
    expect(network.runUntil(() => network.nodes.every(informed), 5_000)).toBe(true);
    for (const node of network.nodes.filter((other) => other !== changed)) {
      expect(network.eventsOf(node, "member-updated")).toMatchObject([
        { member: { incarnation: before.incarnation + 1, meta: { zone: "b" } }, previous: { zone: "" } },
      ]);
    }
  });

  it("may be a new address: the same member, elsewhere", () => {
    const network = VirtualNetwork.group(6);
    const moving = network.node(1);
    const address = { host: "10.0.0.2", port: 5 };
    network.move(moving, address);
    network.act(moving, (swim) => swim.updateMeta(network.nowMs, { ...moving.swim.self.meta, address }));
    expect(network.runUntil(() => network.converged(), 5_000)).toBe(true);
    network.run(60_000);
    for (const node of network.nodes.filter((other) => other !== moving)) {
      expect(node.swim.member(moving.id)?.address).toEqual(address);
      expect(network.eventsOf(node, "member-died")).toEqual([]);
      expect(network.eventsOf(node, "member-joined")).toEqual([]);
    }
  });
});

describe("two clusters", () => {
  it("never merge, and each side is told of the other", () => {
    const network = new VirtualNetwork();
    const red = [network.start({ clusterId: RED }), network.start({ clusterId: RED })];
    const blue = [network.start({ clusterId: BLUE }), network.start({ clusterId: BLUE })];
    network.join(first(red), [second(red).address, first(blue).address]);
    network.join(first(blue), [second(blue).address]);
    network.run(120_000);
    expect(network.converged(red)).toBe(true);
    expect(network.converged(blue)).toBe(true);
    expect(network.eventsOf(first(red), "foreign-cluster")[0]).toEqual({
      type: "foreign-cluster",
      from: first(blue).address,
      clusterId: BLUE,
    });
    expect(network.eventsOf(first(blue), "foreign-cluster")[0]).toMatchObject({ clusterId: RED });
    expect(first(red).swim.counters.foreignIgnored).toBeGreaterThan(0);
  });

  it("are not joined by a member of neither that talks to both", () => {
    const network = new VirtualNetwork();
    const red = network.start({ clusterId: RED });
    const blue = network.start({ clusterId: BLUE });
    const neither = network.start();
    network.join(neither, [red.address, blue.address]);
    network.run(120_000);
    expect(red.swim.member(blue.id)).toBeUndefined();
    expect(blue.swim.member(red.id)).toBeUndefined();
    expect(neither.swim.livingCount).toBe(3);
    expect(red.swim.livingCount).toBe(2);
    // It takes a side: the other one's members are dropped by it, and drop it.
    network.act(neither, (swim) =>
      swim.updateMeta(network.nowMs, { ...neither.swim.self.meta, clusterId: RED }),
    );
    expect(network.eventsOf(neither, "member-left")).toMatchObject([
      { member: { id: blue.id }, reason: "foreign-cluster" },
    ]);
    expect(network.runUntil(() => blue.swim.livingCount === 1, 30_000)).toBe(true);
    expect(network.eventsOf(blue, "member-died")).toEqual([]);
    network.run(60_000);
    expect(neither.swim.members().map((member) => member.id)).toEqual([neither.id, red.id]);
    expect(blue.swim.members().map((member) => member.id)).toEqual([blue.id]);
  });
});

function metaLike(network: VirtualNetwork, node: VirtualNode): MemberMeta {
  const meta = network.start().swim.self.meta;
  return { ...node.swim.self.meta, id: meta.id, nonce: meta.nonce };
}

function first<T>(items: readonly T[]): T {
  return items[0] as T;
}

function second<T>(items: readonly T[]): T {
  return items[1] as T;
}
