import { describe, expect, test } from "vitest";
import type { Channel } from "../../../src/host/links/channel.ts";
import { ByteWriter } from "../../../src/wire/byte-writer.ts";
import { FRAME_RAFT, FRAME_REQUESTS, FRAME_RESPONSES, FRAME_WATCH } from "../../../src/wire/frame-types.ts";
import { CLUSTER, idOf, type LinkNode, LinkWorld, nonceOf, OTHER_CLUSTER, sendText } from "./link-world.ts";

async function pair(world = new LinkWorld()) {
  const [a, b] = [world.node(1), world.node(2)];
  world.introduce(a, b);
  const channel = await world.link(a, b);
  return { world, a, b, channel };
}

/** Kills `peer` and answers how long `a`, asked all the time, waits before it dials it again. */
async function redialMs(world: LinkWorld, a: LinkNode, peer: LinkNode): Promise<number> {
  const downs = a.events.filter((event) => event.startsWith("down")).length;
  world.crash(peer);
  await world.until(() => a.events.filter((event) => event.startsWith("down")).length > downs);
  const sinceMs = world.clock.nowMs();
  const dials = a.links.counters.dials;
  await world.until(() => {
    a.links.channel(peer.id);
    return a.links.counters.dials > dials;
  });
  return world.clock.nowMs() - sinceMs;
}

describe("a link", () => {
  test("is dialled when somebody asks, not before, and carries frames in order", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2)];
    world.introduce(a, b);
    await world.clock.runFor(1_000);
    expect(a.links.counters.dials).toBe(0);
    expect(a.links.channel(b.id)).toBeNull();
    await world.until(() => a.links.isUp(b.id));
    expect(a.events).toEqual(["up 2"]);
    const channel = await world.link(a, b);
    const texts = Array.from({ length: 300 }, (_, at) => `frame ${at} ${"x".repeat((at * 37) % 900)}`);
    for (const text of texts) sendText(channel, FRAME_RAFT, text);
    await world.clock.runFor(50);
    expect(b.frames.map((frame) => frame.text)).toEqual(texts);
    expect(b.frames.every((frame) => frame.incoming && frame.type === FRAME_RAFT)).toBe(true);
    expect(channel.remote).toEqual({ node: b.id, boot: nonceOf(2), clusterId: CLUSTER, address: b.address });
  });

  test("sends all frames of one turn in one write", async () => {
    const { world, a, b, channel } = await pair();
    a.streams.writes.length = 0;
    for (let at = 0; at < 10; at++) sendText(channel, FRAME_RAFT, "0123456789");
    expect(a.streams.writes).toEqual([]);
    await world.clock.runFor(20);
    expect(a.streams.writes).toEqual([150]);
    expect(b.frames).toHaveLength(10);
    sendText(channel, FRAME_RAFT, "now");
    a.links.flush();
    expect(a.streams.writes).toEqual([150, 8]);
  });

  test("carries answers back on the channel that the request came on", async () => {
    const { world, a, b, channel } = await pair();
    b.links.setRoute(FRAME_REQUESTS, (from, body) => {
      sendText(from, FRAME_RESPONSES, `answer to ${Buffer.from(body).toString()}`);
    });
    sendText(channel, FRAME_REQUESTS, "question");
    await world.until(() => a.frames.length > 0);
    expect(a.frames).toEqual([{ type: FRAME_RESPONSES, incoming: false, text: "answer to question" }]);
    expect(b.links.counters.dials).toBe(0);
  });

  // Found by simulation: a machine that came back under a new id lost the links of everybody who still dialled the old.
  test("stays when its peer is dialled under the name of a node that was at that address before", async () => {
    const { world, a, b } = await pair();
    const old = idOf(7);
    a.links.setPeer(old, b.address);
    a.links.channel(old);
    await world.until(() => a.events.includes("replaced 7 by 2"));
    await world.clock.runFor(1_000);
    expect(a.events).toEqual(["up 2", "replaced 7 by 2"]);
    expect(b.events).toEqual([]);
    expect(a.links.isUp(b.id)).toBe(true);
  });

  // Found by simulation: requests were sent into such a link for eight seconds.
  test("that somebody doubts is given up soon when it is half open, and kept when it answers", async () => {
    const { world, a, b } = await pair();
    a.links.doubt(b.id);
    await world.clock.runFor(5_000);
    expect(a.events).toEqual(["up 2"]);
    world.network.breakStreams(b.address, a.address, "half-open");
    const sinceMs = world.clock.nowMs();
    a.links.doubt(b.id);
    await world.until(() => a.events.includes("down 2"));
    expect(world.clock.nowMs() - sinceMs).toBeLessThan(1_200);
    await world.link(a, b);
    expect(world.clock.nowMs() - sinceMs).toBeLessThan(1_500);
  });

  test("that is doubted by a process which then sleeps is not given up for that", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2)];
    world.introduce(a, b);
    await world.link(a, b);
    a.links.doubt(b.id);
    a.clock.pause();
    await world.clock.runFor(1_500);
    a.clock.resume();
    await world.clock.runFor(1_000);
    expect(a.events).toEqual(["up 2"]);
  });

  test("tells when the peer was last heard, by either direction, and gets a sign of life on request", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2)];
    world.introduce(a, b);
    expect(a.links.lastHeardMs(b.id)).toBeNull();
    a.links.ask(b.id);
    await world.until(() => a.links.isUp(b.id));
    await world.clock.runFor(500);
    const askedAtMs = world.clock.nowMs();
    expect(a.links.lastHeardMs(b.id)).toBeLessThan(askedAtMs);
    a.links.ask(b.id);
    await world.clock.runFor(50);
    expect(a.links.lastHeardMs(b.id)).toBeGreaterThan(askedAtMs);
    // The other end has dialled nobody, and hears by the link that came in.
    expect([b.links.isUp(a.id), b.links.lastHeardMs(a.id)]).toEqual([false, expect.any(Number)]);
    const backMs = world.clock.nowMs();
    sendText(await world.link(b, a), FRAME_RAFT, "by the other link");
    await world.clock.runFor(50);
    expect(a.links.lastHeardMs(b.id)).toBeGreaterThan(backMs);
  });

  test("takes back a frame that was cancelled", async () => {
    const { world, b, channel } = await pair();
    sendText(channel, FRAME_RAFT, "one");
    channel.beginFrame(FRAME_RAFT)?.utf8("never");
    channel.cancelFrame();
    sendText(channel, FRAME_RAFT, "two");
    await world.clock.runFor(20);
    expect(b.frames.map((frame) => frame.text)).toEqual(["one", "two"]);
  });
});

describe("closing a link", () => {
  test("ends delivery at once, even for frames that arrived together with the one that caused it", async () => {
    const { world, a, b, channel } = await pair();
    const heard: string[] = [];
    b.links.onFrame = (from, _incoming, _type, body) => {
      heard.push(Buffer.from(body).toString());
      from.destroy(new Error("enough"));
    };
    for (const text of ["one", "two", "three"]) sendText(channel, FRAME_RAFT, text);
    await world.until(() => a.events.includes("lost 2"));
    expect(heard).toEqual(["one"]);
    expect(channel.beginFrame(FRAME_RAFT)).toBeNull();
  });

  test("is cut short when the other end does not answer the goodbye", async () => {
    const { world, a, b } = await pair();
    world.crash(b, "power-lost");
    a.links.removePeer(b.id);
    await world.clock.runFor(4_900);
    expect(a.events).not.toContain("down 2 goodbye");
    await world.clock.runFor(200);
    expect(a.events).toContain("down 2 goodbye");
  });
});

describe("a frame with something large in it", () => {
  test("arrives whole, and so does what was written in the same turn", async () => {
    const { world, b, channel } = await pair();
    const large = Buffer.alloc(300_000, "0123456789abcdef");
    const expected: string[] = [];
    for (const tail of ["one", "two"]) {
      const writer = channel.beginFrame(FRAME_RAFT);
      writer?.lend(large);
      writer?.latin1(tail);
      channel.endFrame();
      const alone = new ByteWriter();
      alone.bytes(large);
      alone.latin1(tail);
      expected.push(Buffer.from(alone.view()).toString("latin1"));
    }
    sendText(channel, FRAME_RESPONSES, "after it");
    await world.clock.runFor(100);
    expect(b.frames.map(({ text }) => text)).toEqual([...expected, "after it"]);
  });
});

describe("a peer that does not take what it is sent", () => {
  test("gets no more raft messages and requests at the limit, answers and what is light up to twice that, and harms nobody else", async () => {
    const world = new LinkWorld();
    const a = world.node(1, { options: { outgoingBytesMax: 100_000 } });
    const [b, c] = [world.node(2), world.node(3)];
    world.introduce(a, b, c);
    const [slow, quick] = [await world.link(a, b), await world.link(a, c)];
    world.network.partition(a.address, b.address, true);
    const kilobyte = "x".repeat(1_000);
    const fill = async (channel: Channel, type: number): Promise<number> => {
      let sent = 0;
      while (sent < 1_000 && sendText(channel, type, kilobyte)) {
        sent++;
        if (sent % 10 === 0) await world.clock.runFor(1);
      }
      return sent;
    };
    const sendLight = (): boolean => {
      const writer = slow.beginFrame(FRAME_RAFT, true);
      writer?.latin1("light");
      if (writer !== null) slow.endFrame();
      return writer !== null;
    };
    expect(await fill(slow, FRAME_RAFT)).toBe(100);
    expect(sendLight()).toBe(true);
    expect(sendText(slow, FRAME_REQUESTS, kilobyte)).toBe(false);
    expect(sendText(slow, FRAME_WATCH, kilobyte)).toBe(false);
    expect(await fill(slow, FRAME_RESPONSES)).toBe(99);
    expect(sendLight()).toBe(false);
    expect(await fill(quick, FRAME_RAFT)).toBe(1_000);
    expect(a.links.counters.framesDropped).toBe(3);
    expect(a.links.counters.framesRefused).toBe(2);
    world.network.heal();
    await world.clock.runFor(100);
    expect(sendText(slow, FRAME_RAFT, "again")).toBe(true);
    await world.clock.runFor(10);
    expect(b.frames).toHaveLength(201);
    expect(c.frames).toHaveLength(1_000);
  });
});

describe("a link that breaks", () => {
  test("is reported at once, at both ends, when the process behind it dies", async () => {
    const { world, a, b } = await pair();
    await world.link(b, a);
    const beforeMs = world.clock.nowMs();
    world.crash(b);
    await world.until(() => a.events.includes("down 2"));
    await world.until(() => a.events.filter((event) => event === "lost 2").length === 2);
    expect(world.clock.nowMs() - beforeMs).toBeLessThan(2);
  });

  test("is no loss when it was closed on purpose", async () => {
    const { world, a, b } = await pair();
    await world.link(b, a);
    b.links.close();
    await world.until(() => a.events.includes("down 2 goodbye"));
    await world.clock.runFor(100);
    expect(a.events.filter((event) => event.startsWith("lost"))).toEqual([]);
    expect(a.links.counters.linksLost).toBe(0);
  });

  test("is dialled again with growing patience, within the bounds, and works when the peer is back", async () => {
    const { world, a, b } = await pair();
    await world.clock.runFor(5_000);
    world.crash(b);
    await world.until(() => a.events.includes("down 2"));
    const dials = a.links.counters.dials;
    const atMs: number[] = [world.clock.nowMs()];
    while (atMs.length < 12) {
      const known = a.links.counters.dials;
      await world.until(() => {
        a.links.channel(b.id);
        return a.links.counters.dials > known;
      });
      atMs.push(world.clock.nowMs());
    }
    expect(a.links.counters.dials - dials).toBe(11);
    const gaps = atMs.slice(1).map((each, at) => each - (atMs[at] as number));
    gaps.forEach((gapMs, at) => {
      const ceilingMs = Math.min(3_000, 50 * 2 ** at);
      expect(gapMs).toBeGreaterThanOrEqual(ceilingMs / 2 - 1);
      expect(gapMs).toBeLessThanOrEqual(ceilingMs + 4);
    });
    const reborn = world.node(2, { boot: nonceOf(22) });
    await world.until(() => a.links.channel(b.id) !== null, 4_000);
    expect(a.links.channel(b.id)?.remote.boot).toBe(reborn.boot);
    await world.clock.runFor(3_100);
    expect(await redialMs(world, a, reborn)).toBeLessThan(55);
  });

  test("is dialled at once, however patient it was, when the peer that was away dials", async () => {
    const { world, a, b } = await pair();
    world.crash(b);
    await world.until(() => a.events.includes("down 2"));
    await world.until(() => {
      a.links.channel(b.id);
      return a.links.counters.dialsFailed > 8;
    });
    a.links.channel(b.id);
    const reborn = world.node(2, { boot: nonceOf(22) });
    reborn.links.setPeer(a.id, a.address);
    await world.until(() => reborn.links.channel(a.id) !== null, 100);
    await world.until(() => a.links.isUp(b.id), 100);
  });

  test("is dialled anew when it is heard of while an old dial waits for a packet that was lost", async () => {
    const { world, a, b } = await pair();
    world.network.partition(a.address, b.address);
    world.crash(b);
    await world.until(() => a.events.includes("down 2"));
    const reborn = world.node(2, { boot: nonceOf(22) });
    a.links.channel(b.id);
    await world.clock.runFor(1_000);
    world.network.heal();
    await world.clock.runFor(50);
    expect(a.links.isUp(b.id)).toBe(false);
    a.links.heard(reborn.id);
    await world.until(() => a.links.isUp(b.id), 50);
  });

  test("keeps its patience when the link breaks soon after it was made", async () => {
    const { world, a, b } = await pair();
    let boot = 30;
    let peer = b;
    const gaps: number[] = [];
    for (let turn = 0; turn < 6; turn++) {
      gaps.push(await redialMs(world, a, peer));
      peer = world.node(2, { boot: nonceOf(boot++) });
      await world.until(() => a.links.channel(b.id) !== null, 4_000);
    }
    expect(gaps.at(-1)).toBeGreaterThan(300);
  });

  test("is not dialled for ever when nobody asks for it", async () => {
    const { world, a, b } = await pair();
    world.crash(b);
    await world.clock.runFor(100);
    const dials = a.links.counters.dials;
    await world.clock.runFor(60_000);
    expect(a.links.counters.dials).toBeLessThanOrEqual(dials + 1);
  });

  test("answers who waits for it: the channel when it is up, the reason when the dial failed", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2)];
    world.introduce(a, b);
    a.links.setPeer(idOf(9), { host: "10.0.0.9", port: 7946 });
    const heard: string[] = [];
    for (const node of [idOf(2), idOf(9), idOf(8)]) {
      a.links.whenUp(node, (channel, error) => heard.push(channel?.remote.node ?? (error?.code as string)));
    }
    expect(heard).toEqual(["CREMA_UNREACHABLE"]);
    await world.clock.runFor(20);
    expect(heard.slice(1).sort()).toEqual([idOf(2), "CREMA_UNREACHABLE"]);
    a.links.whenUp(idOf(9), (_channel, error) => heard.push(error?.message as string));
    expect(heard[3]).toContain("ECONNREFUSED");
  });
});

describe("keepalive", () => {
  test("a quiet link stays up, at the price of one ping and one pong per interval", async () => {
    const { world, a, b, channel } = await pair();
    await world.clock.runFor(100);
    const before = a.links.counters.framesSent;
    await world.clock.runFor(60_000);
    expect(channel.isOpen).toBe(true);
    const pings = a.links.counters.framesSent - before;
    expect(pings).toBeGreaterThanOrEqual(29);
    expect(pings).toBeLessThanOrEqual(31);
    expect(b.links.counters.linksSilent).toBe(0);
    expect(a.frames).toEqual([]);
  });

  test("a machine that lost its power is noticed by silence, at either end of the link", async () => {
    const { world, a, b } = await pair();
    await world.link(b, a);
    await world.clock.runFor(1);
    const beforeMs = world.clock.nowMs();
    world.crash(b, "power-lost");
    await world.until(() => a.events.filter((event) => event === "lost 2").length === 2);
    const tookMs = world.clock.nowMs() - beforeMs;
    expect(tookMs).toBeGreaterThan(5_900);
    expect(tookMs).toBeLessThan(10_100);
    expect(a.links.counters.linksSilent).toBe(2);
  });

  test("a direction that is cut is noticed although the other one works", async () => {
    const { world, a, b } = await pair();
    world.network.partition(b.address, a.address, true);
    await world.until(() => a.events.includes("lost 2"), 11_000);
  });

  test("silence that this process slept through is not held against its peers", async () => {
    const world = new LinkWorld();
    const a = world.node(1, { options: { silenceTimeoutMs: 5_000 } });
    const b = world.node(2);
    world.introduce(a, b);
    await world.link(a, b);
    let timers = 0;
    const setTimer = a.clock.setTimer.bind(a.clock);
    a.clock.setTimer = (delayMs, callback) => setTimer(++timers === 2 ? 7_000 : delayMs, callback);
    await world.clock.runFor(60_000);
    expect(timers).toBeGreaterThan(20);
    expect(a.events).toEqual(["up 2"]);
    expect(b.events).toEqual([]);
  });
});

describe("peers that change", () => {
  test("a peer that moved is dialled at its new address at once", async () => {
    const world = new LinkWorld();
    const a = world.node(1);
    a.links.setPeer(idOf(2), { host: "10.0.0.77", port: 7946 });
    for (let turn = 0; turn < 50; turn++) {
      a.links.channel(idOf(2));
      await world.clock.runFor(100);
    }
    const b = world.node(2);
    a.links.setPeer(b.id, b.address);
    await world.until(() => a.links.isUp(b.id), 10);
  });

  test("a peer that was removed gets a goodbye and is dialled no more", async () => {
    const { world, a, b } = await pair();
    await world.link(b, a);
    a.links.removePeer(b.id);
    await world.clock.runFor(50);
    expect(b.events.filter((event) => event.startsWith("lost"))).toEqual([]);
    expect(b.events).toContain("down 1 goodbye");
    expect(a.links.channel(b.id)).toBeNull();
    const dials = a.links.counters.dials;
    await world.clock.runFor(10_000);
    expect(a.links.counters.dials).toBe(dials);
  });

  test("a peer that dials anew replaces its old incoming link, silently", async () => {
    const { world, a, b } = await pair();
    world.crash(a, "power-lost");
    const reborn = world.node(1, { boot: nonceOf(11) });
    reborn.links.setPeer(b.id, b.address);
    const channel = await world.link(reborn, b);
    await world.clock.runFor(30_000);
    expect(channel.isOpen).toBe(true);
    expect(b.events.filter((event) => event.startsWith("lost")).length).toBeLessThanOrEqual(1);
    sendText(channel, FRAME_RAFT, "still here");
    await world.clock.runFor(10);
    expect(b.frames.at(-1)?.text).toBe("still here");
  });

  test("links made under an identity that is no more are closed; a node without a cluster gets none", async () => {
    const { world, a, b } = await pair();
    await world.link(b, a);
    a.cluster = OTHER_CLUSTER;
    a.links.identityChanged();
    await world.clock.runFor(10);
    expect([a.links.isUp(b.id), b.links.isUp(a.id)]).toEqual([false, false]);
    a.cluster = null;
    a.links.channel(b.id);
    await world.clock.runFor(5_000);
    expect(a.links.isUp(b.id)).toBe(false);
    a.cluster = CLUSTER;
    await world.link(a, b);
  });
});
