import { describe, expect, test } from "vitest";
import type { Address } from "../../src/base/address.ts";
import { Random } from "../../src/base/random.ts";
import type { Connection } from "../../src/host/ports.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { type NetworkConditions, VirtualNetwork } from "../../src/sim/virtual-network.ts";

const A: Address = { host: "10.0.0.1", port: 7946 };
const B: Address = { host: "10.0.0.2", port: 7946 };

function world(conditions: Partial<NetworkConditions> = {}, seed = 7) {
  const clock = new VirtualClock();
  return { clock, network: new VirtualNetwork(clock, new Random(0, seed), conditions) };
}

/** Records what one end of a connection hears. */
function listenTo(connection: Connection, log: string[], name: string): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  connection.onOpen = () => log.push(`${name} open`);
  connection.onData = (bytes) => pieces.push(bytes.slice());
  connection.onClose = (error) => log.push(`${name} closed: ${error?.message ?? "in order"}`);
  return pieces;
}

async function connected(conditions: Partial<NetworkConditions> = {}, seed = 7) {
  const { clock, network } = world(conditions, seed);
  const log: string[] = [];
  const [a, b] = [network.streams(A), network.streams(B)];
  let far: Connection | null = null;
  let farPieces: Uint8Array[] = [];
  b.onConnection = (connection) => {
    far = connection;
    farPieces = listenTo(connection, log, "far");
  };
  const near = a.connect(B, 1_000);
  const nearPieces = listenTo(near, log, "near");
  expect(await clock.runUntil(() => log.includes("near open"), 100)).toBe(true);
  return { clock, network, log, near, far: far as unknown as Connection, nearPieces, farPieces, a, b };
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

describe("datagrams", () => {
  test("arrive with their sender's address, once each, on a faultless network", async () => {
    const { clock, network } = world();
    const [a, b] = [network.datagrams(A), network.datagrams(B)];
    const seen: string[] = [];
    b.onMessage = (from, bytes) => seen.push(`${from.host} ${bytes[0]}`);
    const reused = Buffer.from([1]);
    a.send(B, reused);
    reused[0] = 9;
    await clock.runFor(5);
    expect(seen).toEqual(["10.0.0.1 1"]);
  });

  test("are lost, doubled and reordered in the shares asked for", async () => {
    const { clock, network } = world({ lossRate: 0.3, duplicateRate: 0.2, reorderRate: 0.2 });
    const [a, b] = [network.datagrams(A), network.datagrams(B)];
    const seen: number[] = [];
    b.onMessage = (_from, bytes) => seen.push((bytes[0] as number) * 256 + (bytes[1] as number));
    for (let at = 0; at < 1_000; at++) {
      a.send(B, new Uint8Array([at >> 8, at & 255]));
      await clock.runFor(0.1);
    }
    await clock.runFor(100);
    const distinct = new Set(seen).size;
    expect(distinct).toBeGreaterThan(650);
    expect(distinct).toBeLessThan(750);
    expect(seen.length).toBeGreaterThan(distinct * 1.15);
    expect(seen.some((each, at) => at > 0 && each < (seen[at - 1] as number))).toBe(true);
  });

  test("do not cross a partition, in the direction that is cut", async () => {
    const { clock, network } = world();
    const [a, b] = [network.datagrams(A), network.datagrams(B)];
    const seen: string[] = [];
    a.onMessage = () => seen.push("a");
    b.onMessage = () => seen.push("b");
    const both = async (): Promise<void> => {
      a.send(B, new Uint8Array(1));
      b.send(A, new Uint8Array(1));
      await clock.runFor(5);
    };
    network.partition(A, B, true);
    await both();
    expect(seen).toEqual(["a"]);
    network.partition(A, B);
    await both();
    expect(seen).toEqual(["a"]);
    network.heal();
    await both();
    expect(seen.sort()).toEqual(["a", "a", "b"]);
  });
});

describe("messages", () => {
  test("meet the heavy tail in the share asked for, streams and datagrams alike", async () => {
    const { clock, network } = world({ tailRate: 0.1, tailDelayMs: 1_000, jitterMs: 0 });
    const [a, b] = [network.datagrams(A), network.datagrams(B)];
    let late = 0;
    let seen = 0;
    b.onMessage = () => {
      seen++;
      if (clock.nowMs() > 100) late++;
    };
    for (let at = 0; at < 1_000; at++) a.send(B, new Uint8Array(1));
    await clock.runFor(100_000);
    expect(seen).toBe(1_000);
    expect(late).toBe(network.counters.tail);
    expect(late).toBeGreaterThan(60);
    expect(late).toBeLessThan(140);
  });
});

describe("streams", () => {
  test("that are reset end at both ends", async () => {
    const { clock, network, log, near, farPieces } = await connected();
    near.write(new Uint8Array(10));
    network.breakStreams(A, B, "reset");
    await clock.runFor(10);
    expect(log.slice(-2).map((line) => line.replace(/ 10\..*/, ""))).toEqual([
      "near closed: read ECONNRESET",
      "far closed: read ECONNRESET",
    ]);
    expect(farPieces).toEqual([]);
  });

  test("that are half open end at one, and the other sends into nothing", async () => {
    const { clock, network, log, far, nearPieces } = await connected();
    network.breakStreams(A, B, "half-open");
    far.write(new Uint8Array(10));
    await clock.runFor(1_000);
    expect(log.filter((line) => line.includes("closed"))).toHaveLength(1);
    expect(nearPieces).toEqual([]);
  });

  test("may stall while datagrams pass, and lose nothing by it", async () => {
    const { clock, network, near, farPieces } = await connected();
    const [a, b] = [network.datagrams(A), network.datagrams(B)];
    let datagrams = 0;
    b.onMessage = () => datagrams++;
    network.stallStreams(A, B);
    near.write(new Uint8Array(10));
    a.send(B, new Uint8Array(1));
    await clock.runFor(50);
    expect([datagrams, concat(farPieces).length]).toEqual([1, 0]);
    network.heal(A, B);
    await clock.runFor(50);
    expect(concat(farPieces).length).toBe(10);
  });

  test("carry every byte in order, in pieces that ignore the borders of writes", async () => {
    const { clock, near, farPieces } = await connected();
    const sent: Uint8Array[] = [];
    const random = new Random(3, 4);
    for (let at = 0; at < 200; at++) {
      const bytes = Uint8Array.from({ length: random.nextBelow(3_000) }, () => random.nextBelow(256));
      sent.push(bytes.slice());
      near.write(bytes);
      if (at % 10 === 0) await clock.runFor(0.3);
    }
    await clock.runFor(50);
    expect(Buffer.compare(concat(farPieces), concat(sent))).toBe(0);
    expect(farPieces.some((piece) => piece.length <= 16)).toBe(true);
    expect(near.bufferedBytes).toBe(0);
  });

  test("take at once what is written while nothing waits, and leave the rest to the writer", async () => {
    const { clock, near, farPieces } = await connected();
    const [taken, waiting] = [new Uint8Array(1_000).fill(1), new Uint8Array(1_000).fill(2)];
    expect([near.write(taken), near.write(waiting)]).toEqual([true, false]);
    taken.fill(9);
    await clock.runFor(50);
    expect(Buffer.compare(concat(farPieces), Buffer.concat([Buffer.alloc(1_000, 1), waiting]))).toBe(0);
    expect(near.write(taken)).toBe(true);
  });

  test("the same seed gives the same pieces at the same times; another seed gives others", async () => {
    const run = async (seed: number): Promise<string> => {
      const { clock, near, farPieces } = await connected({}, seed);
      for (let at = 0; at < 50; at++) near.write(new Uint8Array(5_000));
      await clock.runFor(50);
      return farPieces.map((piece) => piece.length).join();
    };
    expect(await run(1)).toBe(await run(1));
    expect(await run(1)).not.toBe(await run(2));
  });

  test("a dial to nobody is refused, a dial to a machine without power times out", async () => {
    const { clock, network } = world();
    const a = network.streams(A);
    const log: string[] = [];
    listenTo(a.connect(B, 1_000), log, "near");
    await clock.runFor(10);
    expect(log).toEqual(["near closed: connect ECONNREFUSED 10.0.0.2:7946"]);
    network.streams(B);
    network.crash(B, "power-lost");
    listenTo(a.connect(B, 1_000), log, "near");
    await clock.runFor(999);
    expect(log).toHaveLength(1);
    await clock.runFor(1);
    expect(log[1]).toBe("near closed: connect ETIMEDOUT 10.0.0.2:7946");
  });

  test("end delivers what was written, then closes both ends in order", async () => {
    const { clock, near, log, farPieces } = await connected();
    near.write(new Uint8Array(100_000));
    near.end();
    near.end();
    near.write(new Uint8Array(1));
    await clock.runFor(20);
    expect(concat(farPieces)).toHaveLength(100_000);
    expect(log).toEqual(["near open", "far closed: in order", "near closed: in order"]);
  });

  test("destroy closes its own end in order and resets the other", async () => {
    const { clock, near, log } = await connected();
    near.destroy();
    near.destroy();
    await clock.runFor(20);
    expect(log.slice(1)).toEqual([
      "near closed: in order",
      expect.stringContaining("far closed: read ECONNRESET"),
    ]);
  });

  test("a killed process resets its peers and hears nothing itself", async () => {
    const { clock, network, log } = await connected();
    network.crash(B);
    await clock.runFor(20);
    expect(log.slice(1)).toEqual(["near closed: read ECONNRESET 10.0.0.2:7946"]);
  });

  test("a peer without power leaves a half-open connection, which the reborn machine resets", async () => {
    const { clock, network, near, log } = await connected();
    network.crash(B, "power-lost");
    near.write(new Uint8Array(10));
    await clock.runFor(60_000);
    expect(log.slice(1)).toEqual([]);
    expect(near.bufferedBytes).toBe(10);
    network.streams(B);
    await clock.runFor(20);
    expect(log.slice(1)).toEqual(["near closed: read ECONNRESET 10.0.0.2:7946"]);
  });

  test("a partition holds the bytes of the cut direction until it heals", async () => {
    const { clock, network, near, far, nearPieces, farPieces } = await connected();
    network.partition(A, B, true);
    near.write(new Uint8Array(10));
    far.write(new Uint8Array(20));
    await clock.runFor(1_000);
    expect([concat(nearPieces).length, concat(farPieces).length]).toEqual([20, 0]);
    network.heal(A, B);
    await clock.runFor(10);
    expect(concat(farPieces)).toHaveLength(10);
  });

  test("of one that is dialled while it stands still say nothing before it knows of them, though all heals as it goes on", async () => {
    const { clock, network } = world();
    const process = clock.process();
    const near = network.streams(A).connect(B, 1_000);
    const far = network.streams(B, process);
    const log: string[] = [];
    const pieces: Uint8Array[][] = [];
    far.onConnection = (connection) => pieces.push(listenTo(connection, log, "far"));
    near.onOpen = () => near.write(new Uint8Array(10));
    process.pause();
    await clock.runFor(100);
    network.heal();
    process.resume();
    await clock.runFor(10);
    expect(pieces.map((each) => concat(each).length)).toEqual([10]);
  });

  test("bandwidth is obeyed, and onDrain tells when everything is delivered", async () => {
    const { clock, near, farPieces } = await connected({ streamBytesPerMs: 1_000 });
    let drainedAtMs = 0;
    near.onDrain = () => {
      drainedAtMs = clock.nowMs();
    };
    const startMs = clock.nowMs();
    near.write(new Uint8Array(1_000_000));
    await clock.runFor(500);
    const half = concat(farPieces).length;
    expect(half).toBeGreaterThan(400_000);
    expect(half).toBeLessThan(600_000);
    expect(near.bufferedBytes).toBe(1_000_000 - half);
    await clock.runFor(1_000);
    expect(drainedAtMs - startMs).toBeGreaterThan(900);
    expect(near.bufferedBytes).toBe(0);
  });

  test("an address is bound once; closing or crashing frees it", async () => {
    const { network } = world();
    const first = network.streams(A);
    expect(() => network.streams(A)).toThrow(expect.objectContaining({ code: "CREMA_ADDRESS_IN_USE" }));
    await first.close();
    network.streams(A);
    network.crash(A);
    network.streams(A);
    expect(network.streams({ host: A.host, port: 0 }).local.port).toBeGreaterThan(0);
  });
});
