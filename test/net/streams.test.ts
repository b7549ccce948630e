import { connect as netConnect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { bootNonce, clusterId, nodeId } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { Background } from "../../src/host/background.ts";
import { Bulk } from "../../src/host/links/bulk.ts";
import { Calls } from "../../src/host/links/calls.ts";
import { PeerLinks } from "../../src/host/links/peer-links.ts";
import type { Clock, Connection, Streams } from "../../src/host/ports.ts";
import { openStreams, type StreamsOptions } from "../../src/net/streams.ts";

const opened: Streams[] = [];

async function open(options: Partial<StreamsOptions> = {}): Promise<Streams> {
  const streams = await openStreams({ host: "127.0.0.1", port: 0, ...options });
  opened.push(streams);
  return streams;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((streams) => streams.close()));
});

/** Resolves when `condition` holds; asked at every turn of the event loop, bounded by the test's own timeout. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function observe(connection: Connection) {
  const seen = { open: false, chunks: [] as Buffer[], drains: 0, closes: [] as (Error | null)[] };
  connection.onOpen = () => {
    seen.open = true;
  };
  connection.onData = (bytes) => seen.chunks.push(Buffer.from(bytes));
  connection.onDrain = () => {
    seen.drains++;
  };
  connection.onClose = (error) => seen.closes.push(error);
  return seen;
}

async function connected(options: Partial<StreamsOptions> = {}) {
  const [a, b] = [await open(), await open(options)];
  let far: Connection | null = null;
  let farSeen = {} as ReturnType<typeof observe>;
  b.onConnection = (connection) => {
    far = connection;
    farSeen = observe(connection);
  };
  const near = a.connect(b.local, 5_000);
  const nearSeen = observe(near);
  await until(() => nearSeen.open && far !== null);
  return { a, b, near, nearSeen, far: far as unknown as Connection, farSeen };
}

/** Real time for the rooms above; enough of `net/system-clock` for these tests. */
const clock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  defer: (callback) => {
    setImmediate(callback);
  },
};

describe("streams on loopback", () => {
  test("carry bytes both ways, and tell the addresses", async () => {
    const { b, near, nearSeen, far, farSeen } = await connected();
    near.write(Buffer.from("question"));
    far.write(Buffer.from("answer"));
    await until(() => farSeen.chunks.length > 0 && nearSeen.chunks.length > 0);
    expect(Buffer.concat(farSeen.chunks).toString()).toBe("question");
    expect(Buffer.concat(nearSeen.chunks).toString()).toBe("answer");
    expect(near.remote).toEqual(b.local);
    expect(far.remote.host).toBe("127.0.0.1");
    expect(b.local.port).toBeGreaterThan(0);
  });

  test("64 MiB arrive whole; what waits is counted, and onDrain tells when nothing does", async () => {
    const { near, nearSeen, farSeen } = await connected();
    const bytes = Buffer.alloc(64 * 1024 * 1024, 7);
    near.write(bytes);
    expect(near.bufferedBytes).toBeGreaterThan(0);
    await until(() => nearSeen.drains > 0);
    expect(near.bufferedBytes).toBe(0);
    await until(() => farSeen.chunks.reduce((sum, chunk) => sum + chunk.length, 0) === bytes.length);
    expect(nearSeen.drains).toBe(1);
  });

  test("what the network took at once may be changed, and arrives as it was", async () => {
    const { near, farSeen } = await connected();
    const sent: Buffer[] = [];
    const bytes = Buffer.alloc(64 * 1024);
    let tookAtOnce = 0;
    for (let round = 1; round <= 200; round++) {
      bytes.fill(round);
      sent.push(Buffer.from(bytes));
      if (near.write(bytes)) tookAtOnce++;
      else await until(() => near.bufferedBytes === 0);
    }
    await until(() => farSeen.chunks.reduce((sum, chunk) => sum + chunk.length, 0) === 200 * bytes.length);
    expect(Buffer.compare(Buffer.concat(farSeen.chunks), Buffer.concat(sent))).toBe(0);
    expect(tookAtOnce).toBeGreaterThan(0);
    near.destroy();
    expect(near.write(bytes)).toBe(false);
  });

  test("end sends what was written and closes both ends in order, once", async () => {
    const { near, nearSeen, farSeen } = await connected();
    near.write(Buffer.alloc(1_000_000));
    near.end();
    near.end();
    near.write(Buffer.from("too late"));
    await until(() => nearSeen.closes.length > 0 && farSeen.closes.length > 0);
    expect(Buffer.concat(farSeen.chunks).length).toBe(1_000_000);
    expect([nearSeen.closes, farSeen.closes]).toEqual([[null], [null]]);
  });

  test("destroy closes at once, and both ends hear it once", async () => {
    const { near, nearSeen, farSeen } = await connected();
    near.destroy();
    near.destroy();
    await until(() => nearSeen.closes.length > 0 && farSeen.closes.length > 0);
    expect(nearSeen.closes).toEqual([null]);
    expect(farSeen.closes).toHaveLength(1);
  });

  test("a dial to nobody reports why, after connect has returned", async () => {
    const [a, b] = [await open(), await open()];
    const { local } = b;
    await b.close();
    const seen = observe(a.connect(local, 5_000));
    expect(seen.closes).toEqual([]);
    await until(() => seen.closes.length > 0);
    expect(seen.closes[0]?.message).toContain("ECONNREFUSED");
    const unnamed = observe(a.connect({ host: "no-such-host.invalid", port: 1 }, 5_000));
    await until(() => unnamed.closes.length > 0);
    expect(unnamed.closes[0]).toBeInstanceOf(Error);
    expect(unnamed.open).toBe(false);
  });

  test("a dial that hangs ends at its timeout", async () => {
    const a = await open();
    // Documentation addresses of RFC 5737 are routed nowhere.
    const seen = observe(a.connect({ host: "192.0.2.1", port: 9 }, 30));
    await until(() => seen.closes.length > 0);
    expect(seen.open).toBe(false);
    expect(seen.closes[0]?.message).toMatch(/ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED/);
  });

  test("a taken port is an error that names the port and the option", async () => {
    const a = await open();
    await expect(openStreams(a.local)).rejects.toMatchObject({
      code: "CREMA_ADDRESS_IN_USE",
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${a.local.port}.*--port`)),
    });
    await expect(openStreams({ host: "192.0.2.1", port: 0 })).rejects.toMatchObject({
      code: "CREMA_ADDRESS_UNAVAILABLE",
    });
  });

  test("connections beyond the limit are closed, those within it live", async () => {
    const { a, b, near, farSeen } = await connected({ connectionLimit: 1 });
    const second = observe(a.connect(b.local, 5_000));
    await until(() => second.closes.length > 0);
    near.write(Buffer.from("alive"));
    await until(() => farSeen.chunks.length > 0);
  });

  test("close ends everything that was opened, listener and dials included, and can be repeated", async () => {
    const { a, b, nearSeen, farSeen } = await connected();
    const idle = netConnect(b.local.port, "127.0.0.1");
    idle.on("error", () => {});
    await until(() => !idle.connecting);
    await Promise.all([b.close(), b.close()]);
    await until(() => nearSeen.closes.length > 0);
    expect(farSeen.closes).toHaveLength(1);
    const late = observe(b.connect(a.local, 1_000));
    await until(() => late.closes.length > 0);
    expect(late.open).toBe(false);
    const again = await open({ port: b.local.port });
    expect(again.local.port).toBe(b.local.port);
    idle.destroy();
  });
});

test("links, calls and bulk streams run on real sockets", async () => {
  const node = async (at: number) => {
    const streams = await open();
    const identity = {
      node: nodeId(at.toString(16).padStart(16, "0")),
      boot: bootNonce(at.toString(16).padStart(16, "b")),
      clusterId: clusterId("00000000000000c1"),
      address: streams.local,
    };
    const links = new PeerLinks({ clock, streams, random: new Random(1, at), identity: () => identity });
    return { identity, links, calls: new Calls(links), bulk: new Bulk(links, new Background(links.clock)) };
  };
  const [a, b] = [await node(1), await node(2)];
  a.links.setPeer(b.identity.node, b.identity.address);
  b.calls.handle("double", (params) => (params as number) * 2);
  const options = { timeoutMs: 10_000 };
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, at) => a.calls.call(b.identity.node, "double", at, options)),
  );
  expect(answers).toEqual(Array.from({ length: 500 }, (_, at) => at * 2));
  const itself = await a.calls.callAddress(b.identity.address, "double", 4, options);
  expect(itself).toMatchObject({ value: 8, self: false, remote: b.identity });

  let received = 0;
  b.bulk.onIncoming = () => ({
    write: (chunk) => {
      received += chunk.length;
    },
    finish: () => received,
    abort: () => {},
  });
  let left = 40 * 1024 * 1024;
  const source = {
    next: (bytesMax: number) => {
      const bytes = Math.min(left, bytesMax);
      left -= bytes;
      return bytes === 0 ? null : new Uint8Array(bytes);
    },
  };
  expect(await a.bulk.send(b.identity.node, b.identity.address, null, source)).toBe(40 * 1024 * 1024);

  let goodbye: Error | null | undefined;
  a.links.onDown = (_node, error) => {
    goodbye = error;
  };
  b.links.close();
  await until(() => goodbye !== undefined);
  expect(goodbye).toBeNull();
  a.links.close();
});
