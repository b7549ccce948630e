import { describe, expect, test } from "vitest";
import { CremaError } from "../../../src/base/errors.ts";
import { FRAME_CALL, FRAME_RAFT } from "../../../src/wire/frame-types.ts";
import { idOf, LinkWorld, nonceOf, OTHER_CLUSTER, sendText } from "./link-world.ts";

const IN_A_SECOND = { timeoutMs: 1_000 };

function pair() {
  const world = new LinkWorld();
  const [a, b] = [world.node(1), world.node(2)];
  world.introduce(a, b);
  return { world, a, b };
}

/** A handler that answers when told to. */
function held() {
  let release: (value: unknown) => void = () => {};
  const promise = new Promise((resolve) => {
    release = resolve;
  });
  return { handler: () => promise, release: (value: unknown) => release(value) };
}

describe("a call to a node", () => {
  test("answers what the handler returned, in either direction, whoever dialled", async () => {
    const { world, a, b } = pair();
    for (const node of [a, b]) {
      node.calls.handle("echo", (params, from, timeoutMs) => ({ params, from: from.node, timeoutMs }));
    }
    const there = (await world.settled(
      a.calls.call(b.id, "echo", { bytes: new Uint8Array([1]) }, IN_A_SECOND),
    )) as {
      timeoutMs: number;
    };
    expect(there).toMatchObject({ params: { bytes: Buffer.from([1]) }, from: a.id });
    expect(there.timeoutMs).toBeGreaterThan(980);
    expect(there.timeoutMs).toBeLessThan(1_000);
    expect(await world.settled(b.calls.call(a.id, "echo", 7n, IN_A_SECOND))).toMatchObject({
      params: 7n,
      from: b.id,
    });
    expect(a.links.counters.dials).toBe(1);
  });

  test("many calls at once share the link and find their own answers, whatever the order", async () => {
    const { world, a, b } = pair();
    b.calls.handle("slow", async (params) => {
      await new Promise<void>((resolve) => b.clock.setTimer(100 - (params as number), resolve));
      return params;
    });
    const all = Array.from({ length: 100 }, (_, at) => a.calls.call(b.id, "slow", at, IN_A_SECOND));
    expect(await world.settled(Promise.all(all))).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(a.links.counters.dials).toBe(1);
    expect(a.calls.waiting).toBe(0);
  });

  test("an error of the handler comes back with its code and flags; a bug comes back as internal and is reported", async () => {
    const { world, a, b } = pair();
    const failures: string[] = [];
    b.calls.onHandlerFailure = (method, error) => failures.push(`${method}: ${(error as Error).message}`);
    b.calls.handle("busy", () => {
      throw new CremaError("CREMA_BUSY", "not now", { retryable: true, ambiguous: true, retryAfterMs: 70 });
    });
    b.calls.handle("bug", async () => {
      throw new Error("oops");
    });
    b.calls.handle("unsendable", () => Symbol("s"));
    const fails = (method: string) =>
      expect(world.settled(a.calls.call(b.id, method, null, IN_A_SECOND))).rejects;
    await fails("busy").toMatchObject({
      code: "CREMA_BUSY",
      message: "not now",
      retryable: true,
      ambiguous: true,
      retryAfterMs: 70,
    });
    await fails("bug").toMatchObject({ code: "CREMA_INTERNAL", message: "oops" });
    await fails("unsendable").toMatchObject({
      code: "CREMA_INTERNAL",
      message: expect.stringContaining("cannot travel"),
    });
    await fails("nowhere").toMatchObject({
      code: "CREMA_PROTOCOL",
      message: expect.stringContaining("nowhere"),
    });
    expect(failures).toEqual(["bug: oops"]);
  });

  test("params that cannot travel are the caller's mistake", async () => {
    const { world, a, b } = pair();
    await expect(world.settled(a.calls.call(b.id, "echo", Symbol("s"), IN_A_SECOND))).rejects.toBeInstanceOf(
      TypeError,
    );
    b.calls.handle("echo", (params) => params);
    expect(await world.settled(a.calls.call(b.id, "echo", 1, IN_A_SECOND))).toBe(1);
  });

  test("no answer in time is a timeout, ambiguous because it was sent; a late answer disturbs nobody", async () => {
    const { world, a, b } = pair();
    const { handler, release } = held();
    b.calls.handle("held", handler);
    const call = a.calls.call(b.id, "held", null, IN_A_SECOND);
    await expect(world.settled(call)).rejects.toMatchObject({
      code: "CREMA_TIMEOUT",
      ambiguous: true,
      retryable: true,
    });
    expect(world.clock.nowMs()).toBeCloseTo(1_000, 0);
    release("late");
    b.calls.handle("echo", (params) => params);
    expect(await world.settled(a.calls.call(b.id, "echo", "next", IN_A_SECOND))).toBe("next");
  });

  test("a peer that dies before it answers makes the call unreachable at once, and ambiguous", async () => {
    const { world, a, b } = pair();
    b.calls.handle("held", held().handler);
    const call = a.calls.call(b.id, "held", null, { timeoutMs: 60_000 });
    call.catch(() => {});
    await world.clock.runFor(50);
    world.crash(b);
    await expect(world.settled(call, 100)).rejects.toMatchObject({
      code: "CREMA_UNREACHABLE",
      ambiguous: true,
    });
  });

  test("a peer that is not there is unreachable, not ambiguous, long before the deadline", async () => {
    const { world, a } = pair();
    a.links.setPeer(idOf(9), { host: "10.0.0.9", port: 7946 });
    for (const node of [idOf(9), idOf(9), idOf(8)]) {
      const call = a.calls.call(node, "echo", null, { timeoutMs: 60_000 });
      await expect(world.settled(call, 100)).rejects.toMatchObject({
        code: "CREMA_UNREACHABLE",
        ambiguous: false,
      });
    }
  });

  test("the caller's signal ends it", async () => {
    const { world, a, b } = pair();
    b.calls.handle("held", held().handler);
    const controller = new AbortController();
    const call = a.calls.call(b.id, "held", null, { timeoutMs: 60_000, signal: controller.signal });
    call.catch(() => {});
    await world.clock.runFor(50);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: "CREMA_ABORTED", ambiguous: true });
    const late = a.calls.call(b.id, "held", null, { timeoutMs: 60_000, signal: controller.signal });
    await expect(late).rejects.toMatchObject({ code: "CREMA_ABORTED", ambiguous: false });
    expect(a.calls.waiting).toBe(0);
  });

  test("a signal that outlives its calls keeps none of them", async () => {
    const { world, a, b } = pair();
    b.calls.handle("echo", (params) => params);
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (type: string, listener: () => void) => {
      listeners++;
      add(type, listener);
    };
    signal.removeEventListener = (type: string, listener: () => void) => {
      listeners--;
      remove(type, listener);
    };
    for (let turn = 0; turn < 3; turn++) {
      const call = a.calls.call(b.id, "echo", turn, { timeoutMs: 1_000, signal });
      expect(listeners).toBe(1);
      expect(await world.settled(call)).toBe(turn);
    }
    expect(listeners).toBe(0);
  });

  test("calls beyond the bounds are refused as busy, at the asking and at the serving end", async () => {
    const world = new LinkWorld();
    const a = world.node(1, { options: { callsWaitingMax: 3 } });
    const b = world.node(2, { options: { callsServedMax: 2 } });
    world.introduce(a, b);
    const { handler, release } = held();
    b.calls.handle("held", handler);
    const calls = Array.from({ length: 4 }, () =>
      a.calls.call(b.id, "held", null, IN_A_SECOND).catch((error) => error),
    );
    await world.clock.runFor(20);
    release("done");
    const outcomes = await world.settled(Promise.all(calls));
    expect(outcomes.map((each) => (each instanceof Error ? each.message : each))).toEqual([
      "done",
      "done",
      "this node serves 2 calls already",
      "3 calls of this node wait already",
    ]);
    for (let turn = 0; turn < 5; turn++) {
      expect(await world.settled(a.calls.call(b.id, "held", null, IN_A_SECOND))).toBe("done");
    }
  });

  test("a call that finds the outgoing queue full is busy", async () => {
    const world = new LinkWorld();
    const a = world.node(1, { options: { outgoingBytesMax: 100 } });
    const b = world.node(2);
    world.introduce(a, b);
    const channel = await world.link(a, b);
    sendText(channel, FRAME_RAFT, "x".repeat(200));
    await expect(a.calls.call(b.id, "echo", null, IN_A_SECOND)).rejects.toMatchObject({ code: "CREMA_BUSY" });
  });

  test("closing fails every open call, and later ones", async () => {
    const { world, a, b } = pair();
    b.calls.handle("held", held().handler);
    const call = a.calls.call(b.id, "held", null, { timeoutMs: 60_000 });
    call.catch(() => {});
    await world.clock.runFor(50);
    a.calls.close();
    await expect(call).rejects.toMatchObject({ code: "CREMA_CLOSED", ambiguous: true });
    await expect(a.calls.call(b.id, "held", null, IN_A_SECOND)).rejects.toMatchObject({
      code: "CREMA_CLOSED",
    });
  });

  test("a malformed call closes the channel it came on and harms no other", async () => {
    const { world, a, b } = pair();
    const c = world.node(3);
    world.introduce(a, b, c);
    const [bad, good] = [await world.link(a, b), await world.link(c, b)];
    sendText(bad, FRAME_CALL, "\xff\xff\xff");
    await world.clock.runFor(20);
    expect([bad.isOpen, good.isOpen]).toEqual([false, true]);
    expect(b.links.counters.malformed).toBe(1);
  });
});

describe("a call to an address", () => {
  test("needs no cluster and no acquaintance, tells who answered, and leaves no connection behind", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1, { cluster: null }), world.node(2)];
    b.calls.handle("who", (_params, from) => from.clusterId);
    const result = await world.settled(a.calls.callAddress(b.address, "who", null, IN_A_SECOND));
    expect(result).toMatchObject({ value: null, self: false, remote: { node: b.id, boot: nonceOf(2) } });
    expect(await world.settled(a.calls.call(b.address, "who", null, IN_A_SECOND))).toBeNull();
    await world.clock.runFor(100);
    expect(b.events).toEqual([]);
    expect(b.links.connections).toBe(0);
  });

  test("finds out that the address is this very process", async () => {
    const world = new LinkWorld();
    const a = world.node(1, { cluster: null });
    a.calls.handle("ping", () => "pong");
    const result = await world.settled(a.calls.callAddress(a.address, "ping", null, IN_A_SECOND));
    expect(result).toMatchObject({ value: "pong", self: true });
  });

  test("is refused by another cluster with both ids in the message", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2, { cluster: OTHER_CLUSTER })];
    const call = a.calls.callAddress(b.address, "who", null, IN_A_SECOND);
    await expect(world.settled(call)).rejects.toMatchObject({
      code: "CREMA_CLUSTER_MISMATCH",
      message: expect.stringContaining(OTHER_CLUSTER),
    });
    expect([a.events, b.events]).toEqual([["foreign 10.0.0.2"], ["foreign 10.0.0.1"]]);
  });

  test("fails at once when nobody listens, and at its deadline when nobody answers", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2)];
    const nobody = a.calls.callAddress({ host: "10.0.0.9", port: 1 }, "who", null, { timeoutMs: 60_000 });
    await expect(world.settled(nobody, 50)).rejects.toMatchObject({ code: "CREMA_UNREACHABLE" });
    b.calls.handle("held", held().handler);
    await expect(
      world.settled(a.calls.callAddress(b.address, "held", null, IN_A_SECOND)),
    ).rejects.toMatchObject({
      code: "CREMA_TIMEOUT",
      ambiguous: true,
    });
    world.network.partition(a.address, b.address);
    await expect(
      world.settled(a.calls.callAddress(b.address, "held", null, IN_A_SECOND)),
    ).rejects.toMatchObject({
      code: "CREMA_TIMEOUT",
      ambiguous: false,
    });
    world.network.heal();
    await world.clock.runFor(10_000);
    expect(b.links.connections).toBe(0);
  });

  test("a caller that lost its power leaves no connection behind", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2)];
    b.calls.handle("held", held().handler);
    a.calls.callAddress(b.address, "held", null, IN_A_SECOND).catch(() => {});
    await world.clock.runFor(50);
    expect(b.links.connections).toBe(1);
    world.crash(a, "power-lost");
    await world.until(() => b.links.connections === 0, 15_000);
  });
});
