import { describe, expect, it } from "vitest";
import { type Address, formatAddress } from "../../src/base/address.ts";
import { InvariantError } from "../../src/base/assert.ts";
import { Random } from "../../src/base/random.ts";
import {
  INCARNATION_JUMP_MAX,
  INCARNATION_MAX,
  type Member,
  type MemberState,
} from "../../src/swim/member.ts";
import { messageBytes, PACKET_BODY_BYTES_MAX } from "../../src/swim/message-size.ts";
import type { SwimMessage } from "../../src/swim/messages.ts";
import { resolveSwimOptions, type SwimOptions } from "../../src/swim/options.ts";
import { Swim } from "../../src/swim/swim.ts";
import { idOf, metaOf, VirtualNetwork } from "./virtual-network.ts";

const OTHER = metaOf(new Random(3, 3), { id: idOf(7), address: { host: "10.0.0.7", port: 7 } });
const SPEAKER = metaOf(new Random(4, 4), { id: idOf(8), address: { host: "10.0.0.8", port: 8 } });

const PACKET = { sender: SPEAKER.id, clusterId: null };

describe("precedence of claims", () => {
  // What is known, what is said, what holds afterwards.
  it.each([
    ["alive 2", "alive 1", "alive 2"],
    ["alive 2", "alive 2", "alive 2"],
    ["alive 2", "alive 3", "alive 3"],
    ["alive 2", "suspect 1", "alive 2"],
    ["alive 2", "suspect 2", "suspect 2"],
    ["alive 2", "suspect 5", "suspect 5"],
    ["alive 2", "dead 1", "alive 2"],
    ["alive 2", "dead 2", "dead 2"],
    ["alive 2", "left 1", "alive 2"],
    ["alive 2", "left 2", "left 2"],
    ["suspect 2", "alive 2", "suspect 2"],
    ["suspect 2", "alive 3", "alive 3"],
    ["suspect 2", "suspect 3", "suspect 3"],
    ["suspect 2", "dead 2", "dead 2"],
    ["dead 2", "alive 2", "dead 2"],
    ["dead 2", "alive 3", "alive 3"],
    ["dead 2", "suspect 9", "dead 2"],
    ["dead 2", "dead 9", "dead 2"],
    ["dead 2", "left 2", "left 2"],
    ["dead 2", "left 1", "dead 2"],
    ["left 2", "alive 2", "left 2"],
    ["left 2", "alive 3", "alive 3"],
    ["left 2", "suspect 9", "left 2"],
    ["left 2", "dead 9", "left 2"],
  ])("known %s, told %s: %s", (known, told, holds) => {
    const swim = knowing(known);
    hear(swim, claim(told));
    const member = swim.member(OTHER.id);
    expect(`${member?.state} ${member?.incarnation}`).toBe(holds);
  });

  it("nothing but an alive claim makes a member known", () => {
    const swim = start();
    for (const told of ["suspect 1", "dead 1", "left 1"]) hear(swim, claim(told));
    expect(swim.member(OTHER.id)).toBeUndefined();
  });
});

describe("a claim against this member", () => {
  it.each(["suspect 0", "dead 0", "left 0"])("%s is refuted by a higher incarnation", (told) => {
    const swim = start();
    hear(swim, selfClaim(told));
    expect(swim.self).toMatchObject({ state: "alive", incarnation: 1 });
    expect(swim.localHealth).toBe(1);
  });

  it("that is older than what it said last only makes it repeat that", () => {
    const swim = start();
    hear(swim, selfClaim("suspect 4"));
    expect(swim.self.incarnation).toBe(5);
    hear(swim, selfClaim("suspect 4"));
    expect(swim.self.incarnation).toBe(5);
    expect(swim.counters.refutations).toBe(1);
  });

  it("of an absurd incarnation is not believed", () => {
    const swim = start();
    hear(swim, selfClaim(`suspect ${INCARNATION_JUMP_MAX + 1}`));
    hear(swim, selfClaim(`dead ${INCARNATION_MAX}`));
    expect(swim.self.incarnation).toBe(0);
    expect(swim.counters.claimsRefused).toBe(2);
    hear(swim, selfClaim(`suspect ${INCARNATION_JUMP_MAX}`));
    expect(swim.self.incarnation).toBe(INCARNATION_JUMP_MAX + 1);
  });
});

describe("what this member makes of a claim", () => {
  it("an old accusation makes it repeat its refutation, even when it has said it often enough", () => {
    const swim = knowing("alive 0");
    hear(swim, selfClaim("suspect 4"));
    const silent = () => said(ping(swim)).every((message) => message.type === "ack");
    for (let round = 0; round < 20 && !silent(); round++) swim.takeOutput();
    expect(silent()).toBe(true);
    hear(swim, selfClaim("suspect 4"));
    expect(said(ping(swim))).toMatchObject([{ type: "ack" }, { type: "alive", incarnation: 5 }]);
  });

  it("a death told by a peer's state is verified: the member is told and probed, and not even suspected", () => {
    const swim = knowing("alive 2");
    const dead = { meta: OTHER, state: "dead" as const, incarnation: 2 };
    const speaker = { meta: SPEAKER, state: "alive" as const, incarnation: 0 };
    swim.receiveState(0, SPEAKER.address, {
      sender: SPEAKER.id,
      clusterId: null,
      members: [speaker, dead],
      rumours: [],
    });
    expect(swim.member(OTHER.id)?.state).toBe("alive");
    const [sent] = swim.takeOutput().datagrams;
    expect(sent?.to).toEqual(OTHER.address);
    expect(sent?.packet.messages.slice(0, 2)).toMatchObject([
      { type: "suspect", member: OTHER.id, incarnation: 2, accuser: SPEAKER.id },
      { type: "ping", target: OTHER.id },
    ]);
  });

  it("a second process under one id makes it probe the incumbent at once", () => {
    const swim = knowing("alive 2");
    const clone = { ...OTHER, nonce: SPEAKER.nonce, address: { host: "10.0.0.9", port: 9 } };
    hear(swim, { type: "alive", incarnation: 3, meta: clone });
    const { datagrams, events } = swim.takeOutput();
    expect(events).toMatchObject([{ type: "id-conflict", addresses: [OTHER.address, clone.address] }]);
    expect(datagrams).toMatchObject([{ to: OTHER.address }]);
    expect(swim.member(OTHER.id)?.meta).toBe(OTHER);
  });

  it("stale hearsay of an earlier life of an id is no conflict", () => {
    const swim = knowing("alive 2");
    const earlier = { ...OTHER, nonce: SPEAKER.nonce, address: { host: "10.0.0.9", port: 9 } };
    hear(swim, { type: "alive", incarnation: 1, meta: earlier });
    expect(swim.takeOutput().events).toEqual([]);
  });

  it("a replaced process is passed on before the one that replaced it", () => {
    const swim = knowing("alive 2");
    const fresh = { ...SPEAKER, address: OTHER.address };
    hear(swim, { type: "alive", incarnation: 0, meta: fresh });
    swim.takeOutput();
    const news = said(ping(swim)).filter((message) => message.type === "dead" || message.type === "alive");
    expect(news.slice(0, 2)).toMatchObject([
      { type: "dead", member: OTHER.id, reason: "replaced" },
      { type: "alive", meta: { id: SPEAKER.id } },
    ]);
  });

  it("hearsay of an unknown process at this very address is a predecessor: dead, replaced, once", () => {
    const swim = start();
    const predecessor = { ...OTHER, address: swim.self.address };
    for (let round = 0; round < 2; round++) hear(swim, { type: "alive", incarnation: 3, meta: predecessor });
    expect(swim.takeOutput().events).toMatchObject([
      { type: "member-died", member: { id: OTHER.id, state: "dead" }, reason: "replaced" },
    ]);
    expect(said(ping(swim))).toContainEqual(expect.objectContaining({ type: "dead", member: OTHER.id }));
  });

  it("a process that claims this very address to its face is ignored and counted", () => {
    const swim = start();
    hear(swim, { type: "alive", incarnation: 3, meta: { ...SPEAKER, address: swim.self.address } });
    expect(swim.livingCount).toBe(1);
    expect(swim.counters.addressConflicts).toBe(1);
    expect(swim.takeOutput().events).toEqual([]);
  });
});

describe("a probe that fails", () => {
  // Three relays are asked; each that stays silent costs one point of health.
  it.each([
    [0, 3],
    [1, 2],
    [3, 0],
  ])("with %i nacks costs %i points of local health", (nacks, points) => {
    const swim = knowing("alive 0");
    for (let at = 1; at <= 3; at++) {
      const meta = metaOf(new Random(0, at), { address: { host: "10.1.0.1", port: at } });
      hear(swim, { type: "alive", incarnation: 0, meta });
    }
    swim.takeOutput();
    swim.probeNow(0, OTHER.id);
    const asked: SwimMessage[] = [];
    advanceTo(swim, 999, ({ messages }) => {
      const requests = messages.filter(
        (message) => message.type === "ping-request" && message.target === OTHER.id,
      );
      asked.push(...requests);
      // The members probed in turn do answer, from where it matters: with an ack.
      return messages.flatMap((message) =>
        message.type === "ping" && message.target !== OTHER.id
          ? [{ type: "ack" as const, sequence: message.sequence, member: message.target }]
          : [],
      );
    });
    const before = swim.localHealth;
    const sequences = asked.flatMap((message) => (message.type === "ping-request" ? [message.sequence] : []));
    for (const sequence of sequences.slice(0, nacks)) {
      swim.receive(999, SPEAKER.address, { ...PACKET, messages: [{ type: "nack", sequence }] });
    }
    expect([before, sequences.length]).toEqual([0, 3]);
    swim.advance(1_000);
    expect(swim.member(OTHER.id)?.state).toBe("suspect");
    expect(swim.localHealth).toBe(points);
  });

  it("does not count when this process was not running meanwhile", () => {
    const swim = knowing("alive 0");
    swim.probeNow(0, OTHER.id);
    swim.advance(60_000);
    expect(swim.member(OTHER.id)?.state).toBe("alive");
    expect(swim.counters).toMatchObject({ pauses: 1, probesFailed: 0 });
  });
});

describe("a ping meant for another", () => {
  it("is answered with who lives here now, and not acknowledged", () => {
    const swim = start();
    swim.receive(0, SPEAKER.address, {
      ...PACKET,
      messages: [{ type: "ping", sequence: 1, target: OTHER.id }],
    });
    const answer = said(swim);
    expect(answer[0]).toMatchObject({ type: "alive", meta: { id: swim.self.id } });
    expect(answer.filter((message) => message.type === "ack")).toEqual([]);
  });
});

describe("seeds", () => {
  const SEED = { host: "10.0.0.9", port: 9 };

  it("that are new are dialled at once, also by a member that knows others", () => {
    const swim = knowing("alive 0");
    swim.takeOutput();
    swim.join(0, [SEED]);
    swim.advance(0);
    expect(swim.takeOutput().exchanges.map((exchange) => exchange.to)).toEqual([SEED]);
  });

  it("are not dialled again while a dial is under way, and are afterwards", () => {
    const swim = start();
    const dialled = () => {
      swim.join(0, [SEED]);
      swim.advance(0);
      return swim.takeOutput().exchanges.length;
    };
    expect([dialled(), dialled()]).toEqual([1, 0]);
    swim.exchangeFailed(0, SEED);
    expect(dialled()).toBe(1);
  });
});

describe("gossip", () => {
  it("goes to those who died lately too, so that one who lives can refute", () => {
    const swim = knowing("dead 2");
    const told = new Set<string>();
    advanceTo(swim, 5_000, ({ to }) => {
      told.add(formatAddress(to));
      return [];
    });
    expect(told).toContain(formatAddress(OTHER.address));
  });
});

describe("an absurd claim about another member", () => {
  it.each(["alive", "suspect", "dead", "left"])("(%s) is not believed", (state) => {
    const swim = knowing("alive 2");
    hear(swim, claim(`${state} ${INCARNATION_JUMP_MAX + 3}`));
    expect(swim.member(OTHER.id)).toMatchObject({ state: "alive", incarnation: 2 });
    expect(swim.counters.claimsRefused).toBe(1);
  });

  it("that we do not know does not make it known", () => {
    const swim = start();
    hear(swim, claim(`alive ${INCARNATION_JUMP_MAX + 1}`));
    expect(swim.member(OTHER.id)).toBeUndefined();
  });
});

describe("the core", () => {
  it("hands each output out exactly once", () => {
    const swim = knowing("alive 1");
    swim.probeNow(0, OTHER.id);
    expect(swim.takeOutput().datagrams).toHaveLength(1);
    expect(swim.takeOutput()).toEqual({ datagrams: [], exchanges: [], streamPings: [], events: [] });
  });

  it("refuses a time that goes back", () => {
    const swim = start();
    swim.advance(10);
    expect(() => swim.advance(9)).toThrow(InvariantError);
  });

  it("never makes a packet larger than a datagram may be", () => {
    const network = new VirtualNetwork({ swim: { retransmitMult: 8 } });
    let largest = 0;
    network.onPacket = ({ packet }) => {
      const bytes = packet.messages.reduce((sum, message) => sum + messageBytes(message), 0);
      largest = Math.max(largest, bytes);
    };
    const seed = network.start();
    for (let at = 0; at < 40; at++) network.join(network.start({ name: "n".repeat(at * 8) }), [seed.address]);
    for (let at = 0; at < 40; at++) {
      network.act(seed, (swim) => swim.broadcast(network.nowMs, `k${at}`, new Uint8Array(at * 25)));
    }
    expect(network.runUntil(() => network.converged(), 30_000)).toBe(true);
    expect(largest).toBeLessThanOrEqual(PACKET_BODY_BYTES_MAX);
    expect(largest).toBeGreaterThan(PACKET_BODY_BYTES_MAX - 100);
  });

  it("knows at most so many members, and says how many it refused", () => {
    const swim = start({ membersMax: 5 });
    for (let at = 1; at <= 9; at++) {
      const meta = metaOf(new Random(0, at), { address: { host: "10.1.0.1", port: at } });
      hear(swim, { type: "alive", incarnation: 0, meta });
    }
    expect(swim.livingCount).toBe(6);
    expect(swim.counters.claimsRefused).toBe(4);
  });

  it("serves at most so many ping requests at a time", () => {
    const swim = start({ relaysMax: 3 });
    const requests: SwimMessage[] = Array.from({ length: 5 }, (_, sequence) => {
      return { type: "ping-request", sequence, target: OTHER.id, address: OTHER.address };
    });
    swim.receive(0, SPEAKER.address, { sender: SPEAKER.id, clusterId: null, messages: requests });
    expect(swim.counters.relaysRefused).toBe(2);
    swim.advance(400);
    swim.advance(1_000);
    swim.receive(1_000, SPEAKER.address, { sender: SPEAKER.id, clusterId: null, messages: requests });
    expect(swim.counters.relaysRefused).toBe(4);
  });

  it("runs at most so many probes out of turn, and all of them in the end", () => {
    const swim = start({ urgentProbesMax: 2, pingTimeoutMs: 100, protocolPeriodMs: 200, indirectProbes: 0 });
    const metas = Array.from({ length: 6 }, (_, at) =>
      metaOf(new Random(0, at), { address: { host: "10.1.0.1", port: at + 1 } }),
    );
    for (const meta of metas) hear(swim, { type: "alive", incarnation: 0, meta });
    swim.takeOutput();
    for (const meta of metas) swim.probeNow(0, meta.id);
    expect(pingsIn(swim)).toBe(2);
    const pinged: number[] = [];
    while (swim.nextDeadlineMs() <= 500) {
      swim.advance(Math.max(0, swim.nextDeadlineMs()));
      pinged.push(pingsIn(swim));
    }
    expect(pinged.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(4);
  });

  it("answers whoami, members, member and checksum", () => {
    const network = VirtualNetwork.group(3);
    const [left, right] = [network.node(0).swim, network.node(1).swim];
    expect(left.whoami()).toBe(formatAddress(network.node(0).address));
    expect(left.members().map((member: Member) => member.state)).toEqual(["alive", "alive", "alive"]);
    expect(left.member(network.node(0).id)).toEqual(left.self);
    expect(left.checksum()).toBe(right.checksum());
    network.act(network.node(2), (swim) => swim.updateMeta(network.nowMs, swim.self.meta));
    expect(network.node(2).swim.checksum()).not.toBe(left.checksum());
  });
});

describe("determinism", () => {
  it("one seed gives one trace of packets, another seed another", () => {
    expect(trace(5)).toBe(trace(5));
    expect(trace(5)).not.toBe(trace(6));
  });
});

/** Everything ten members say in a minute with losses, a crash and a broadcast, as text. */
function trace(seed: number): string {
  const network = new VirtualNetwork({ seed, loss: 0.1 });
  const lines: string[] = [];
  network.onPacket = (sent) => {
    lines.push(JSON.stringify([sent.atMs, sent.from, sent.to, sent.packet]));
  };
  const first = network.start();
  for (let at = 1; at < 10; at++) network.join(network.start(), [first.address]);
  network.run(20_000);
  network.crash(network.node(3));
  network.act(first, (swim) => swim.broadcast(network.nowMs, "k", Uint8Array.of(1)));
  network.run(40_000);
  return lines.join("\n");
}

function start(options: Partial<SwimOptions> = {}): Swim {
  const meta = metaOf(new Random(1, 1), { id: idOf(1) });
  return new Swim({ meta, options: resolveSwimOptions(options), random: new Random(2, 2), nowMs: 0 });
}

/** A member that knows `OTHER` in the state and at the incarnation of `known`. */
function knowing(known: string): Swim {
  const swim = start();
  const [state, incarnation] = known.split(" ");
  hear(swim, { type: "alive", incarnation: Number(incarnation), meta: OTHER });
  if (state !== "alive") hear(swim, claim(known));
  swim.takeOutput();
  return swim;
}

function hear(swim: Swim, message: SwimMessage): void {
  swim.receive(0, SPEAKER.address, { sender: SPEAKER.id, clusterId: null, messages: [message] });
}

function claim(text: string, member = OTHER.id): SwimMessage {
  const [state, number] = text.split(" ") as [MemberState, string];
  const incarnation = Number(number);
  if (state === "alive") return { type: "alive", incarnation, meta: OTHER };
  if (state === "left") return { type: "left", member, incarnation };
  if (state === "suspect") return { type: "suspect", member, incarnation, accuser: SPEAKER.id };
  return { type: "dead", member, incarnation, accuser: SPEAKER.id, reason: "unreachable" };
}

function selfClaim(text: string): SwimMessage {
  return claim(text, idOf(1));
}

/** Runs `swim` alone up to `endMs`; `reply` sees each datagram and says what comes back for it. */
function advanceTo(
  swim: Swim,
  endMs: number,
  reply: (sent: { readonly to: Address; readonly messages: readonly SwimMessage[] }) => SwimMessage[],
): void {
  for (let nowMs = 0; nowMs <= endMs; nowMs = Math.max(nowMs, swim.nextDeadlineMs())) {
    swim.advance(nowMs);
    for (const { to, packet } of swim.takeOutput().datagrams) {
      const messages = reply({ to, messages: packet.messages });
      if (messages.length > 0) swim.receive(nowMs, to, { ...PACKET, messages });
    }
  }
}

/** Pings `swim` from `SPEAKER`, and returns it. */
function ping(swim: Swim): Swim {
  swim.takeOutput();
  hear(swim, { type: "ping", sequence: 1, target: swim.self.id });
  return swim;
}

/** All messages of the first datagram to `SPEAKER`. */
function said(swim: Swim): readonly SwimMessage[] {
  const { datagrams } = swim.takeOutput();
  return datagrams.find((sent) => sent.to === SPEAKER.address)?.packet.messages ?? [];
}

function pingsIn(swim: Swim): number {
  const { datagrams } = swim.takeOutput();
  return datagrams.flatMap((sent) => sent.packet.messages).filter((message) => message.type === "ping")
    .length;
}
