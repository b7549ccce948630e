import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeHello, judgeWelcome } from "../../../src/host/links/handshake.ts";
import type { Connection } from "../../../src/host/ports.ts";
import { ByteWriter } from "../../../src/wire/byte-writer.ts";
import { beginFrame, endFrame } from "../../../src/wire/frame.ts";
import { FRAME_HELLO } from "../../../src/wire/frame-types.ts";
import {
  type Hello,
  type Identity,
  NO_PROOF,
  PROTOCOL_MAX,
  writeHello,
} from "../../../src/wire/handshake-codec.ts";
import { CLUSTER, idOf, LinkWorld, nonceOf, OTHER_CLUSTER } from "./link-world.ts";

const LOCAL: Identity = {
  node: idOf(1),
  boot: nonceOf(1),
  clusterId: CLUSTER,
  address: { host: "10.0.0.1", port: 7946 },
};
const REMOTE: Identity = {
  ...LOCAL,
  node: idOf(2),
  boot: nonceOf(2),
  address: { host: "10.0.0.2", port: 7946 },
};

function hello(change: Partial<Hello> = {}, identity: Partial<Identity> = {}): Hello {
  return {
    protocolMin: 1,
    protocolMax: 1,
    purpose: "link",
    proof: NO_PROOF,
    expected: null,
    ...change,
    identity: { ...REMOTE, ...identity },
  };
}

describe("what the accepting end makes of a hello", () => {
  test("who looks for another node at this address is refused, this node's own dial included", () => {
    expect(judgeHello(hello({ expected: LOCAL.node }), LOCAL).type).toBe("welcome");
    for (const from of [REMOTE, LOCAL]) {
      const verdict = judgeHello(hello({ expected: idOf(9) }, from), LOCAL);
      expect(verdict).toMatchObject({ type: "refuse", objection: { code: "CREMA_UNREACHABLE" } });
    }
  });

  const mismatch = "CREMA_CLUSTER_MISMATCH";
  const notReady = "CREMA_NOT_READY";
  test.each([
    ["link", CLUSTER, CLUSTER, "welcome"],
    ["link", CLUSTER, OTHER_CLUSTER, mismatch],
    ["link", CLUSTER, null, notReady],
    ["link", null, CLUSTER, notReady],
    ["link", null, null, notReady],
    ["call", CLUSTER, CLUSTER, "welcome"],
    ["call", CLUSTER, OTHER_CLUSTER, mismatch],
    ["call", CLUSTER, null, "welcome"],
    ["call", null, CLUSTER, "welcome"],
    ["call", null, null, "welcome"],
    ["bulk", CLUSTER, OTHER_CLUSTER, mismatch],
    ["bulk", null, CLUSTER, "welcome"],
  ] as const)("%s between clusters %s and %s: %s", (purpose, mine, theirs, outcome) => {
    const verdict = judgeHello(hello({ purpose }, { clusterId: theirs }), { ...LOCAL, clusterId: mine });
    expect(verdict.type === "welcome" ? "welcome" : verdict.objection.code).toBe(outcome);
    if (outcome === mismatch && verdict.type === "refuse") {
      expect(verdict.objection.message).toContain(CLUSTER);
      expect(verdict.objection.message).toContain(OTHER_CLUSTER);
    }
  });

  test.each([
    [1, 1, 1],
    [1, 9, PROTOCOL_MAX],
    [PROTOCOL_MAX + 1, PROTOCOL_MAX + 5, null],
    [0, 0, null],
  ])("versions %i to %i: speak %s", (protocolMin, protocolMax, spoken) => {
    const verdict = judgeHello(hello({ protocolMin, protocolMax }), LOCAL);
    if (spoken === null)
      expect(verdict).toMatchObject({ type: "refuse", objection: { code: "CREMA_PROTOCOL" } });
    else expect(verdict).toEqual({ type: "welcome", protocol: spoken });
  });

  test("my id with another boot nonce is a conflict, my id with my nonce is myself", () => {
    expect(judgeHello(hello({}, { node: LOCAL.node }), LOCAL)).toMatchObject({
      type: "refuse",
      objection: { code: "CREMA_ID_CONFLICT" },
    });
    expect(judgeHello(hello({}, LOCAL), LOCAL).type).toBe("welcome");
  });

  test("an authentication scheme that nobody asked for is refused", () => {
    const proof = { scheme: 1, bytes: new Uint8Array(1) };
    expect(judgeHello(hello({ proof }), LOCAL)).toMatchObject({ objection: { code: "CREMA_PROTOCOL" } });
  });
});

describe("what the dialling end makes of a welcome", () => {
  const welcome = (identity: Partial<Identity> = {}, protocol = 1) => ({
    protocol,
    proof: NO_PROOF,
    identity: { ...REMOTE, ...identity },
  });
  test.each([
    ["the expected node", welcome(), idOf(2), null],
    ["anybody, when nobody was expected", welcome(), null, null],
    ["another node than expected", welcome(), idOf(3), "CREMA_UNREACHABLE"],
    ["another cluster", welcome({ clusterId: OTHER_CLUSTER }), idOf(2), "CREMA_CLUSTER_MISMATCH"],
    ["no cluster", welcome({ clusterId: null }), idOf(2), "CREMA_NOT_READY"],
    ["my id and another nonce", welcome({ node: LOCAL.node }), null, "CREMA_ID_CONFLICT"],
    ["myself", welcome(LOCAL), null, null],
    ["a version that was never offered", welcome({}, 2), idOf(2), "CREMA_PROTOCOL"],
  ])("%s", (_name, answer, expected, code) => {
    expect(judgeWelcome(answer, LOCAL, "link", expected)?.code ?? null).toBe(code);
  });
});

describe("handshakes on the network", () => {
  test("two clusters never get a link, and both ends hear of each other", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2, { cluster: OTHER_CLUSTER })];
    world.introduce(a, b);
    a.links.channel(b.id);
    await world.clock.runFor(40);
    expect(a.events).toEqual(["foreign 10.0.0.2"]);
    expect(b.events).toEqual(["foreign 10.0.0.1"]);
    expect(a.links.isUp(b.id)).toBe(false);
    expect(a.links.counters.handshakesRefused).toBe(1);
  });

  test("another process at the address of a peer is reported, and is no link to that peer", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2, { id: idOf(7) })];
    a.links.setPeer(idOf(2), b.address);
    a.links.channel(idOf(2));
    await world.clock.runFor(40);
    expect(a.events).toEqual(["replaced 2 by 7"]);
    expect(a.links.isUp(idOf(2))).toBe(false);
  });

  test("two live processes with one id: the second is refused with both boots in the message", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2, { id: idOf(1) })];
    const call = b.calls.callAddress(a.address, "ping", null, { timeoutMs: 1_000 });
    await expect(world.settled(call)).rejects.toMatchObject({
      code: "CREMA_ID_CONFLICT",
      message: expect.stringContaining(nonceOf(2)),
    });
  });

  test("the owner may refuse whom it likes, and the dialling end hears its reason", async () => {
    const world = new LinkWorld();
    const [a, b] = [world.node(1), world.node(2)];
    world.introduce(a, b);
    b.links.objection = (remote, purpose) =>
      remote.node === a.id && purpose === "link"
        ? { code: "CREMA_REMOVED", message: "node 1 was removed" }
        : null;
    b.calls.handle("ping", () => "pong");
    const options = { timeoutMs: 1_000 };
    await expect(world.settled(a.calls.call(b.id, "ping", null, options))).rejects.toMatchObject({
      code: "CREMA_REMOVED",
      message: expect.stringContaining("node 1 was removed"),
      retryable: false,
    });
    expect(await world.settled(a.calls.call(b.address, "ping", null, options))).toBe("pong");
  });

  test("a peer that accepts and never answers is given up after the deadline", async () => {
    const world = new LinkWorld();
    const a = world.node(1);
    const mute = world.network.streams({ host: "10.0.0.9", port: 7946 });
    mute.onConnection = () => {};
    a.links.setPeer(idOf(9), mute.local);
    let failure = "";
    a.links.whenUp(idOf(9), (_channel, error) => {
      failure = error?.message ?? "";
    });
    await world.clock.runFor(4_990);
    expect(failure).toBe("");
    await world.clock.runFor(50);
    expect(failure).toContain("no answer to the handshake");
    expect(a.links.counters.handshakesTimedOut).toBe(1);
  });
});

describe("strangers at the door", () => {
  function stranger(
    world: LinkWorld,
    at: number,
  ): { connect: () => Promise<Connection>; closed: () => number } {
    const streams = world.network.streams({ host: "10.9.9.9", port: 1_000 + at });
    let closed = 0;
    const connect = async (): Promise<Connection> => {
      const connection = streams.connect({ host: "10.0.0.1", port: 7946 }, 1_000);
      let open = false;
      connection.onOpen = () => {
        open = true;
      };
      connection.onClose = () => {
        closed++;
      };
      await world.until(() => open);
      return connection;
    };
    return { connect, closed: () => closed };
  }

  function helloBytes(): Uint8Array {
    const writer = new ByteWriter();
    const start = beginFrame(writer, FRAME_HELLO);
    writeHello(writer, hello());
    endFrame(writer, start);
    return new Uint8Array(writer.copy());
  }

  test("who says nothing is thrown out in time, and what exceeds the places is closed at once", async () => {
    const world = new LinkWorld();
    const a = world.node(1, { options: { handshakesMax: 3 } });
    const visitor = stranger(world, 1);
    for (let at = 0; at < 5; at++) await visitor.connect();
    await world.clock.runFor(100);
    expect(visitor.closed()).toBe(2);
    expect(a.links.counters.handshakesOverflowed).toBe(2);
    await world.clock.runFor(6_000);
    expect(visitor.closed()).toBe(5);
    expect(a.links.counters.handshakesTimedOut).toBe(3);
    const b = world.node(2);
    world.introduce(a, b);
    await world.link(b, a);
  });

  test("random bytes, and hellos with random damage, end the connection or are ignored; links go on", async () => {
    const good = helloBytes();
    const damaged = fc
      .array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = new Uint8Array(good);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    const trailing = fc.uint8Array({ maxLength: 80 }).map((bytes) => new Uint8Array([...good, ...bytes]));
    const garbage = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 200 }), damaged, trailing);
    await fc.assert(
      fc.asyncProperty(fc.array(garbage, { minLength: 1, maxLength: 4 }), fc.nat(), async (inputs, seed) => {
        const world = new LinkWorld({}, seed);
        const [a, b] = [world.node(1), world.node(3)];
        world.introduce(a, b);
        const channel = await world.link(b, a);
        const visitor = stranger(world, 1);
        for (const input of inputs) (await visitor.connect()).write(input);
        await world.clock.runFor(20_000);
        expect(visitor.closed()).toBe(inputs.length);
        expect(channel.isOpen).toBe(true);
        expect(b.events.filter((event) => !event.startsWith("up"))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
